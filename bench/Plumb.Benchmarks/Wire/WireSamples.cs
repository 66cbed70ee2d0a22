using System.Text.Json.Nodes;

namespace Plumb.Benchmarks.Wire;

/// <summary>What an agent watches, as a kube-apiserver 1.34 sends it: with `managedFields`, which it leaves out of neither form.</summary>
internal static class WireSamples
{
    public const string Time = "2026-11-22T08:00:00Z";

    private const int Images = 50;

    /// <summary>As `kubectl apply` makes it: an annotation repeats the manifest.</summary>
    public static JsonObject Service(int number) => Parse($$$$"""
        {"kind":"Service","apiVersion":"v1",
        "metadata":{"name":"service-{{{{number}}}}","namespace":"team-{{{{number % 100}}}}","uid":"bc8633a6-5b80-4c74-bd9a-{{{{number:x12}}}}","resourceVersion":"{{{{1_000_000 + number}}}}","creationTimestamp":"{{{{Time}}}}",
          "labels":{"app.kubernetes.io/name":"app-{{{{number}}}}","app.kubernetes.io/part-of":"shop"},
          "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"annotations\":{},\"labels\":{\"app.kubernetes.io/name\":\"app-{{{{number}}}}\",\"app.kubernetes.io/part-of\":\"shop\"},\"name\":\"service-{{{{number}}}}\",\"namespace\":\"team-{{{{number % 100}}}}\"},\"spec\":{\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":\"http\"}],\"selector\":{\"app.kubernetes.io/name\":\"app-{{{{number}}}}\"}}}\n"},
          "managedFields":[{"manager":"kubectl-client-side-apply","operation":"Update","apiVersion":"v1","time":"{{{{Time}}}}","fieldsType":"FieldsV1","fieldsV1":{
            "f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/last-applied-configuration":{}},"f:labels":{".":{},"f:app.kubernetes.io/name":{},"f:app.kubernetes.io/part-of":{}}},
            "f:spec":{"f:internalTrafficPolicy":{},"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},"f:selector":{},"f:sessionAffinity":{},"f:type":{} } } }]},
        "spec":{"ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":"http"}],"selector":{"app.kubernetes.io/name":"app-{{{{number}}}}"},
          "clusterIP":"10.96.{{{{number >> 8 & 255}}}}.{{{{number & 255}}}}","clusterIPs":["10.96.{{{{number >> 8 & 255}}}}.{{{{number & 255}}}}"],"type":"ClusterIP","sessionAffinity":"None",
          "ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","internalTrafficPolicy":"Cluster"},
        "status":{"loadBalancer":{}}}
        """);

    /// <summary>As the controller of slices makes it.</summary>
    public static JsonObject Slice(int number, int endpoints) => Parse($$$"""
        {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1",
        "metadata":{"name":"service-{{{number}}}-x7k2p","generateName":"service-{{{number}}}-","namespace":"team-{{{number % 100}}}","uid":"e54823dc-a6a9-42af-b147-{{{number:x12}}}","resourceVersion":"{{{2_000_000 + number}}}","generation":7,"creationTimestamp":"{{{Time}}}",
          "labels":{"app.kubernetes.io/name":"app-{{{number}}}","app.kubernetes.io/part-of":"shop","endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"service-{{{number}}}"},
          "annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"{{{Time}}}"},
          "ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"service-{{{number}}}","uid":"bc8633a6-5b80-4c74-bd9a-{{{number:x12}}}","controller":true,"blockOwnerDeletion":true}],
          "managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"discovery.k8s.io/v1","time":"{{{Time}}}","fieldsType":"FieldsV1","fieldsV1":{
            "f:addressType":{},"f:endpoints":{},"f:metadata":{"f:annotations":{".":{},"f:endpoints.kubernetes.io/last-change-trigger-time":{} },"f:generateName":{},
              "f:labels":{".":{},"f:app.kubernetes.io/name":{},"f:app.kubernetes.io/part-of":{},"f:endpointslice.kubernetes.io/managed-by":{},"f:kubernetes.io/service-name":{} },
              "f:ownerReferences":{".":{},"k:{\"uid\":\"bc8633a6-5b80-4c74-bd9a-{{{number:x12}}}\"}":{} } },"f:ports":{} } }]},
        "addressType":"IPv4","endpoints":[{{{string.Join(',', Enumerable.Range(0, endpoints).Select(i => Endpoint(number, i)))}}}],
        "ports":[{"name":"http","protocol":"TCP","port":8080}]}
        """);

    /// <summary>As a kubelet reports it, with as many images as it reports at most.</summary>
    public static JsonObject Node(int number) => Parse($$"""
        {"kind":"Node","apiVersion":"v1",
        "metadata":{"name":"node-{{number}}","uid":"9c847a6c-75e5-4109-b9d3-{{number:x12}}","resourceVersion":"{{3_000_000 + number}}","creationTimestamp":"{{Time}}",
          "labels":{"beta.kubernetes.io/arch":"amd64","beta.kubernetes.io/os":"linux","kubernetes.io/arch":"amd64","kubernetes.io/hostname":"node-{{number}}","kubernetes.io/os":"linux","topology.kubernetes.io/zone":"zone-{{number % 3}}"},
          "annotations":{"node.alpha.kubernetes.io/ttl":"0","volumes.kubernetes.io/controller-managed-attach-detach":"true"},
          "managedFields":[
            {"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"{{Time}}","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{
              "f:annotations":{".":{},"f:volumes.kubernetes.io/controller-managed-attach-detach":{} },
              "f:labels":{".":{},"f:beta.kubernetes.io/arch":{},"f:beta.kubernetes.io/os":{},"f:kubernetes.io/arch":{},"f:kubernetes.io/hostname":{},"f:kubernetes.io/os":{} } } } },
            {"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"{{Time}}","fieldsType":"FieldsV1","fieldsV1":{
              "f:metadata":{"f:annotations":{"f:node.alpha.kubernetes.io/ttl":{} } },"f:spec":{"f:podCIDR":{},"f:podCIDRs":{".":{},"v:\"{{Range(number)}}\"":{} } } } },
            {"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"{{Time}}","fieldsType":"FieldsV1","subresource":"status","fieldsV1":{"f:status":{
              "f:allocatable":{"f:memory":{} },"f:capacity":{"f:memory":{} },"f:conditions":{
                "k:{\"type\":\"DiskPressure\"}":{"f:lastHeartbeatTime":{} },"k:{\"type\":\"MemoryPressure\"}":{"f:lastHeartbeatTime":{} },
                "k:{\"type\":\"PIDPressure\"}":{"f:lastHeartbeatTime":{} },"k:{\"type\":\"Ready\"}":{"f:lastHeartbeatTime":{},"f:lastTransitionTime":{},"f:message":{},"f:reason":{},"f:status":{} } },
              "f:images":{} } } }]},
        "spec":{"podCIDR":"{{Range(number)}}","podCIDRs":["{{Range(number)}}"]},
        "status":{
          "capacity":{"cpu":"8","ephemeral-storage":"101430960Ki","hugepages-1Gi":"0","hugepages-2Mi":"0","memory":"32861320Ki","pods":"110"},
          "allocatable":{"cpu":"8","ephemeral-storage":"93478772582","hugepages-1Gi":"0","hugepages-2Mi":"0","memory":"32758920Ki","pods":"110"},
          "conditions":[
            {"type":"MemoryPressure","status":"False","lastHeartbeatTime":"{{Time}}","lastTransitionTime":"{{Time}}","reason":"KubeletHasSufficientMemory","message":"kubelet has sufficient memory available"},
            {"type":"DiskPressure","status":"False","lastHeartbeatTime":"{{Time}}","lastTransitionTime":"{{Time}}","reason":"KubeletHasNoDiskPressure","message":"kubelet has no disk pressure"},
            {"type":"PIDPressure","status":"False","lastHeartbeatTime":"{{Time}}","lastTransitionTime":"{{Time}}","reason":"KubeletHasSufficientPID","message":"kubelet has sufficient PID available"},
            {"type":"Ready","status":"True","lastHeartbeatTime":"{{Time}}","lastTransitionTime":"{{Time}}","reason":"KubeletReady","message":"kubelet is posting ready status"}],
          "addresses":[{"type":"InternalIP","address":"172.16.{{number >> 8}}.{{number & 255}}"},{"type":"Hostname","address":"node-{{number}}"}],
          "daemonEndpoints":{"kubeletEndpoint":{"Port":10250} },
          "nodeInfo":{"machineID":"2f1f6b0c6d0f4f7c8e5b4f6f3b1f{{number:x4}}","systemUUID":"2f1f6b0c-6d0f-4f7c-8e5b-{{number:x12}}","bootID":"7a1d2c7f-4c2e-4e0a-9f3e-{{number:x12}}","kernelVersion":"6.12.0",
            "osImage":"Debian GNU/Linux 13 (trixie)","containerRuntimeVersion":"containerd://2.0.0","kubeletVersion":"v1.34.0","kubeProxyVersion":"","operatingSystem":"linux","architecture":"amd64"},
          "images":[{{string.Join(',', Enumerable.Range(0, Images).Select(Image))}}]} }
        """);

    /// <summary>A page of a list, in which items have neither kind nor version.</summary>
    public static JsonObject List(string version, string kind, IEnumerable<JsonObject> items) => new()
    {
        ["kind"] = kind + "List",
        ["apiVersion"] = version,
        ["metadata"] = new JsonObject { ["resourceVersion"] = "4000000", ["continue"] = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NDAwMDAwMH0", ["remainingItemCount"] = 9500L },
        ["items"] = new JsonArray([.. items.Select(static item =>
        {
            item.Remove("kind");
            item.Remove("apiVersion");
            return (JsonNode)item;
        })]),
    };

    private static string Range(int node) => $"10.{128 + (node >> 8)}.{node & 255}.0/24";

    private static string Endpoint(int service, int number) => $$"""
        {"addresses":["10.128.{{number}}.{{2 + (service % 250)}}"],"conditions":{"ready":true,"serving":true,"terminating":false},
        "targetRef":{"kind":"Pod","namespace":"team-{{service % 100}}","name":"app-{{service}}-6f7d9c8b5-x{{number:x4}}","uid":"5a8c4d0e-{{number:x4}}-4000-8000-{{service:x12}}"},"nodeName":"node-{{number}}","zone":"zone-{{number % 3}}"}
        """;

    private static string Image(int number) => $$"""
        {"names":["registry.example/team/image-{{number}}@sha256:{{string.Concat(Enumerable.Range(0, 16).Select(i => $"{(((number + 1) * 40_503) ^ (i * 25_717)) & 0xFFFF:x4}"))}}","registry.example/team/image-{{number}}:v1.2.{{number}}"],"sizeBytes":{{1_000_000 + (number * 7_919)}} }
        """;

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
