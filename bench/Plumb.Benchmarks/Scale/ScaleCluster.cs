using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Benchmarks.Scale;

/// <summary>
/// A cluster that is nothing but its objects: nodes as kubelets report them (50 images each), pods that run, and Services that select them, spread over a hundred namespaces.
/// </summary>
internal sealed class ScaleCluster(int nodes, int pods, int services)
{
    /// <summary>A /24 for each of 32,768 nodes.</summary>
    public const string PodRange = "10.128.0.0/9";

    public const string ServiceRange = "10.96.0.0/12";

    private const int Namespaces = 100;
    private const int Images = 50;
    private const string Time = "2026-11-22T08:00:00Z";

    public void Fill(Registry registry)
    {
        for (var i = 0; i < Namespaces; i++)
        {
            registry.Create(GroupResource.Namespaces, "", Parse($$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team-{{i}}"} }"""));
        }
        for (var i = 0; i < nodes; i++)
        {
            registry.Store.Insert(new StoreKey(GroupResource.Nodes, "", NodeName(i)), Parse(Node(i)));
        }
        for (var i = 0; i < services; i++)
        {
            registry.Create(GroupResource.Services, NamespaceOf(i), Parse($$$"""
                {"apiVersion":"v1","kind":"Service","metadata":{"name":"service-{{{i}}}","namespace":"{{{NamespaceOf(i)}}}"},
                "spec":{"selector":{"app":"app-{{{i}}}"},"ports":[{"name":"http","port":80,"targetPort":8080}]}}
                """));
        }
        for (var i = 0; i < pods; i++)
        {
            var service = i % services;
            var name = $"app-{service}-{i}";
            var pod = Parse(Pod(name, service, NodeName(i % nodes)));
            pod["metadata"]!["uid"] = $"5a8c4d0e-0000-4000-8000-{i:x12}";
            pod["metadata"]!["creationTimestamp"] = Time;
            pod["status"] = Parse(Running(AddressOf(i % nodes, 2 + (i / nodes))));
            registry.Store.Insert(new StoreKey(GroupResource.Pods, NamespaceOf(service), name), pod);
        }
    }

    public static string NodeName(int node) => $"node-{node}";

    public static string NodeAddress(int node) => $"172.{16 + (node / 62_500)}.{node / 250 % 250}.{(node % 250) + 1}";

    public static string PodRangeOf(int node) => $"10.{128 + (node >> 8)}.{node & 255}.0/24";

    public static string NamespaceOf(int service) => $"team-{service % Namespaces}";

    public static string AddressOf(int node, int host) => $"10.{128 + (node >> 8)}.{node & 255}.{host}";

    public static string Node(int node) => $$"""
        {"apiVersion":"v1","kind":"Node",
        "metadata":{"name":"{{NodeName(node)}}","uid":"0000{{node:x4}}-0000-4000-8000-000000000000","creationTimestamp":"{{Time}}",
          "labels":{"kubernetes.io/hostname":"{{NodeName(node)}}","kubernetes.io/os":"linux","kubernetes.io/arch":"amd64","topology.kubernetes.io/zone":"zone-{{node % 3}}"} },
        "spec":{"podCIDR":"{{PodRangeOf(node)}}","podCIDRs":["{{PodRangeOf(node)}}"]},
        "status":{"addresses":[{"type":"InternalIP","address":"{{NodeAddress(node)}}"},{"type":"Hostname","address":"{{NodeName(node)}}"}],
          "capacity":{"cpu":"8","memory":"32Gi","pods":"110"},"allocatable":{"cpu":"8","memory":"31Gi","pods":"110"},
          "conditions":{{Conditions(Time)}},
          "nodeInfo":{"kernelVersion":"6.12.0","osImage":"Debian GNU/Linux","containerRuntimeVersion":"containerd://2.0.0","kubeletVersion":"v1.34.0","operatingSystem":"linux","architecture":"amd64"},
          "images":[{{string.Join(',', Enumerable.Range(0, Images).Select(Image))}}]} }
        """;

    /// <summary>What a kubelet writes every five minutes, or when something is another than it was.</summary>
    public static string Conditions(string heartbeat) => "[" + string.Join(',', new[] { "MemoryPressure", "DiskPressure", "PIDPressure", "Ready" }.Select(type =>
        $$"""{"type":"{{type}}","status":"{{(type == "Ready" ? "True" : "False")}}","lastHeartbeatTime":"{{heartbeat}}","lastTransitionTime":"{{Time}}","reason":"KubeletHas{{type}}","message":"kubelet says {{type}}"}""")) + "]";

    public static string Pod(string name, int service, string node) => $$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{name}}","namespace":"{{NamespaceOf(service)}}","labels":{"app":"app-{{service}}"} },
        "spec":{"nodeName":"{{node}}","restartPolicy":"Always","dnsPolicy":"ClusterFirst","schedulerName":"default-scheduler","terminationGracePeriodSeconds":0,"securityContext":{},
          "containers":[{"name":"httpd","image":"httpd","imagePullPolicy":"Always","resources":{},"ports":[{"containerPort":8080,"protocol":"TCP"}],
            "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}]} }
        """;

    public static string Running(string address) => $$"""
        {"phase":"Running","podIP":"{{address}}","podIPs":[{"ip":"{{address}}"}],"startTime":"{{Time}}",
        "conditions":[{"type":"PodScheduled","status":"True","lastTransitionTime":"{{Time}}"},{"type":"Ready","status":"True","lastTransitionTime":"{{Time}}"}]}
        """;

    private static string Image(int number) =>
        $$"""{"names":["registry.example/team/image-{{number}}@sha256:{{new string('a', 64)}}","registry.example/team/image-{{number}}:v1.2.{{number}}"],"sizeBytes":{{1_000_000 + number}} }""";

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
