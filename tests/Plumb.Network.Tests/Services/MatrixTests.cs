using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Network.Tests.Services;

/// <summary>
/// Every kind of Service address × traffic policy × place of the client × protocol × family, through real sockets; the address that the
/// server sees is part of what is expected. The endpoint is on node-1, and so is the node port that is asked.
/// </summary>
public sealed class MatrixTests
{
    private const int Port = 80;
    private const int NodePort = 31100;

    private static readonly string[] _kinds = ["ClusterIP", "NodePort", "externalIP", "balancer"];
    private static readonly string[] _policies = ["Cluster", "Local"];
    private static readonly string[] _clients = ["client", "far", "node-1", "node-2", ServiceWorld.Outside];
    private static readonly IpFamily[] _families = [IpFamily.V4, IpFamily.V6];
    private static readonly string[] _protocols = ["TCP", "UDP"];

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task Every_client_reaches_every_kind_of_address_and_is_seen_as_it_must_be(ServicesKind services)
    {
        using var world = new ServiceWorld(dual: true, services);
        using var server = new Server("near", world["near"], 8080, dual: true);
        world.Apply(Service("Cluster", 7) + Service("Local", 8));
        var wrong = new List<string>();
        var tried = new HashSet<(string, string, string, IpFamily, string)>();
        foreach (var kind in _kinds)
        {
            foreach (var policy in _policies)
            {
                foreach (var family in _families)
                {
                    var (address, port) = AddressOf(world, kind, policy, family);
                    foreach (var client in _clients)
                    {
                        foreach (var protocol in _protocols)
                        {
                            var expected = services == ServicesKind.Iptables
                                ? ExpectedOfIptables(world, kind, policy, client, family)
                                : Expected(world, kind, policy, client, family);
                            if (expected == Heard.Silence && protocol == "UDP" && client.StartsWith("node", StringComparison.Ordinal))
                            {
                                // Where a datagram begins on the node itself, what is dropped is refused by the system call (EPERM).
                                expected = Heard.Refused;
                            }
                            var heard = protocol == "TCP"
                                ? await Talk.TcpAsync(world[client], address, port)
                                : await Talk.UdpAsync(world[client], address, port);
                            if (heard != expected)
                            {
                                wrong.Add($"{client} → {kind} {address}:{port} {policy} {protocol}: {heard}, expected {expected}");
                            }
                            tried.Add((kind, policy, client, family, protocol));
                        }
                    }
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(_kinds.Length * _policies.Length * _clients.Length * _families.Length * _protocols.Length, tried.Count);
    }

    private static Heard Expected(ServiceWorld world, string kind, string policy, string client, IpFamily family)
    {
        var (isLocal, own) = (policy == "Local", world.AddressOf(client, family));
        // The bridge's address: what a node's own or masqueraded packets to its pods bear.
        var bridge = IpPrefix.Parse(family == IpFamily.V4 ? "10.244.1.0/24" : "fd00:10:244:1::/64").First.Plus(1);
        return (client, kind) switch
        {
            // Nobody promises ClusterIPs outside, and there is no way there.
            (ServiceWorld.Outside, "ClusterIP") => Heard.Refused,
            ("far" or "node-2", "ClusterIP") when isLocal => Heard.Silence,
            ("client", _) => Seen(own),
            // Translated on its own node; its answers pass there. A node port is another node's.
            ("far", "NodePort") => Seen(bridge),
            ("far", _) => Seen(own),
            // Local: the address that the route to Services says.
            ("node-1", "ClusterIP") when isLocal => Seen(own),
            ("node-1", _) => Seen(bridge),
            ("node-2", "NodePort") => Seen(isLocal ? own : bridge),
            ("node-2", _) => Seen(own),
            _ => Seen(isLocal ? own : bridge),
        };

        static Heard Seen(IpAddress address) => new("near", address, false);
    }

    /// <summary>
    /// Everybody reaches the same; the address that is seen is another in these cells, because kube-proxy's rules look at where a packet came in and not at who can be answered:
    /// what comes by an external address or node port under the policy Cluster is masqueraded, pods included; a node's own packets are, under both policies; under the policy Local pods are
    /// let through with their own address wherever they come from.
    /// </summary>
    private static Heard ExpectedOfIptables(ServiceWorld world, string kind, string policy, string client, IpFamily family)
    {
        var (isLocal, own) = (policy == "Local", world.AddressOf(client, family));
        var bridge = IpPrefix.Parse(family == IpFamily.V4 ? "10.244.1.0/24" : "fd00:10:244:1::/64").First.Plus(1);
        return (client, kind) switch
        {
            (ServiceWorld.Outside, "ClusterIP") => Heard.Refused,
            ("far" or "node-2", "ClusterIP") when isLocal => Heard.Silence,
            ("client" or "far", "ClusterIP") => Seen(own),
            ("client" or "far", _) when isLocal => Seen(own),
            ("far", "externalIP" or "balancer") => Seen(world.AddressOf("node-2", family)),
            ("client" or "far" or "node-1", _) => Seen(bridge),
            ("node-2", "NodePort") => Seen(isLocal ? own : bridge),
            ("node-2", _) => Seen(own),
            _ => Seen(isLocal ? own : bridge),
        };

        static Heard Seen(IpAddress address) => new("near", address, false);
    }

    private static (IpAddress, int) AddressOf(ServiceWorld world, string kind, string policy, IpFamily family)
    {
        var last = policy == "Local" ? 8 : 7;
        var text = (kind, family) switch
        {
            ("ClusterIP", IpFamily.V4) => $"10.96.14.{last}",
            ("ClusterIP", _) => $"fd00:10:96::{last}",
            ("externalIP", IpFamily.V4) => $"192.168.1.20{last}",
            ("externalIP", _) => $"fd00:192:168:1::c{last}",
            ("balancer", IpFamily.V4) => $"192.168.1.21{last}",
            ("balancer", _) => $"fd00:192:168:1::d{last}",
            _ => null,
        };
        return text is null ? (world.AddressOf("node-1", family), NodePort + last) : (IpAddress.Parse(text), Port);
    }

    private static string Service(string policy, int last) =>
        $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: website-{{last}} }
        spec:
          type: LoadBalancer
          clusterIP: 10.96.14.{{last}}
          clusterIPs: ["10.96.14.{{last}}", "fd00:10:96::{{last}}"]
          internalTrafficPolicy: {{policy}}
          externalTrafficPolicy: {{policy}}
          externalIPs: ["192.168.1.20{{last}}", "fd00:192:168:1::c{{last}}"]
          ports:
          - {name: tcp, protocol: TCP, port: {{Port}}, nodePort: {{NodePort + last}} }
          - {name: udp, protocol: UDP, port: {{Port}}, nodePort: {{NodePort + last}} }
        status: {loadBalancer: {ingress: [{ip: "192.168.1.21{{last}}"}, {ip: "fd00:192:168:1::d{{last}}"}] } }
        ---
        {{Slice(last, "IPv4", "10.244.1.3")}}
        ---
        {{Slice(last, "IPv6", "fd00:10:244:1::3")}}
        ---

        """;

    private static string Slice(int last, string family, string address) =>
        $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: website-{{last}}-{{family.ToLowerInvariant()}}, labels: {kubernetes.io/service-name: website-{{last}} } }
        addressType: {{family}}
        ports: [{name: tcp, protocol: TCP, port: 8080}, {name: udp, protocol: UDP, port: 8080}]
        endpoints: [{addresses: ["{{address}}"], nodeName: node-1}]
        """;
}
