namespace Plumb.Network.Tests.Services;

/// <summary>Services and slices of a <see cref="ServiceWorld"/>, as its objects.</summary>
internal static class ServiceManifests
{
    public static string Website(string spec = "type: ClusterIP", string name = "website", int last = 7) =>
        $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}} }
        spec:
          clusterIP: 10.96.14.{{last}}
          clusterIPs: [10.96.14.{{last}}]
          ports: [{name: http, port: 80, protocol: TCP}, {name: quic, port: 80, protocol: UDP}]
          {{spec}}
        ---

        """;

    public static string Slice(string name, int port, params (string Pod, string More)[] endpoints) => Slice(name, port, "website", endpoints);

    public static string Slice(string name, int port, string service, params (string Pod, string More)[] endpoints) =>
        $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: {{service}}-{{name}}, labels: {kubernetes.io/service-name: {{service}} } }
        addressType: IPv4
        ports: [{name: http, port: {{port}}, protocol: TCP}, {name: quic, port: {{port}}, protocol: UDP}]
        endpoints: [{{string.Join(", ", endpoints.Select(Endpoint))}}]
        ---

        """;

    private static string Endpoint((string Pod, string More) endpoint) =>
        $$"""{addresses: [{{Address(endpoint.Pod)}}], nodeName: {{ServiceWorld.Pods[endpoint.Pod].Node}}{{(endpoint.More.Length == 0 ? "" : ", " + endpoint.More)}} }""";

    public static string Address(string pod) => $"10.244.{ServiceWorld.Pods[pod].Node[^1]}.{ServiceWorld.Pods[pod].Host}";
}
