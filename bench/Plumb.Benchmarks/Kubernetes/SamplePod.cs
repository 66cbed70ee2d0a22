using System.Text.Json.Nodes;

namespace Plumb.Benchmarks.Kubernetes;

/// <summary>A pod as it stands in the store once it runs: about 1.5 kB.</summary>
internal static class SamplePod
{
    public static JsonObject Of(string name, string node) => JsonNode.Parse($$"""
        {
          "apiVersion": "v1", "kind": "Pod",
          "metadata": {
            "name": "{{name}}", "namespace": "default", "uid": "5a8c4d0e-{{name}}", "creationTimestamp": "2026-11-21T08:00:00Z",
            "labels": { "app": "website", "pod-template-hash": "6f7d9c8b5" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "website-6f7d9c8b5", "uid": "9d1f", "controller": true, "blockOwnerDeletion": true }]
          },
          "spec": {
            "nodeName": "{{node}}", "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "serviceAccountName": "default", "terminationGracePeriodSeconds": 30, "enableServiceLinks": true, "securityContext": {},
            "containers": [{
              "name": "httpd", "image": "httpd", "imagePullPolicy": "Always", "resources": {},
              "ports": [{ "containerPort": 80, "protocol": "TCP" }],
              "readinessProbe": { "httpGet": { "path": "/healthz", "port": 80, "scheme": "HTTP" }, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3 },
              "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"
            }],
            "tolerations": [
              { "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 },
              { "key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }]
          },
          "status": {
            "phase": "Running", "hostIP": "192.168.1.11", "podIP": "10.244.1.2", "podIPs": [{ "ip": "10.244.1.2" }], "qosClass": "BestEffort", "startTime": "2026-11-21T08:00:00Z",
            "conditions": [
              { "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-21T08:00:00Z" },
              { "type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T08:00:01Z" }],
            "containerStatuses": [{ "name": "httpd", "image": "httpd", "imageID": "", "ready": true, "restartCount": 0, "started": true, "state": { "running": { "startedAt": "2026-11-21T08:00:00Z" } } }]
          }
        }
        """)!.AsObject();
}
