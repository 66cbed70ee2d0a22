using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Agent.Probing;

/// <summary>
/// A node that uses all that a plan may ask of a kernel: another node beside it, a pod with limits and a mirror, a Service with affinity and a node port. Planned by the layers of the
/// real node's options, so that a layer that is added is asked for too.
/// </summary>
internal static class ImaginaryNode
{
    private const string Wire = "wire";
    private const string Other = "other";
    private const ushort NodePort = 30_080;

    public static NamespaceId Home { get; } = new("probe");

    public static SandboxId Pod { get; } = new("probe-pod", Devices.PodEnd);

    public static NamespaceId Inside => Sandbox.NameOf(Pod.ContainerId, "", "");

    private static readonly Dictionary<IpFamily, (IpPrefix Pods, IpPrefix Services)> _ranges = new()
    {
        [IpFamily.V4] = (IpPrefix.Parse("198.18.0.0/16"), IpPrefix.Parse("198.19.0.0/24")),
        [IpFamily.V6] = (IpPrefix.Parse("2001:db8:1::/56"), IpPrefix.Parse("2001:db8:2::/112")),
    };

    /// <summary>What must be there before: the device that leads to other nodes, and its address.</summary>
    public static IReadOnlyList<Entry> Machine(NetworkOptions options) =>
    [
        new LinkEntry(Home, Wire, new LinkType.Veth(Home, "wire-end")) { Up = true },
        // Needed at once; nobody is there who could have it too.
        .. options.ClusterRanges.Select(static range => new AddressEntry(Home, Wire, AddressOf(1, range.Family)) { NoDuplicateDetection = range.Family == IpFamily.V6 ? true : null }),
    ];

    /// <param name="options">Those of the real node. Chains of iptables are not among what is planned: another program writes them.</param>
    public static Planner Plan(NetworkOptions options)
    {
        // Whatever people chose, of ranges only the families matter: these are large enough, and nobody's (RFC 2544, RFC 3849).
        options = options with
        {
            Services = options.Services == ServicesKind.Iptables ? ServicesKind.None : options.Services,
            ClusterRanges = [.. options.ClusterRanges.Select(static range => _ranges[range.Family].Pods)],
            ServiceRanges = [.. options.ServiceRanges.Select(static range => _ranges[range.Family].Services)],
            DnsServers = [.. options.DnsServers.Select(static server => _ranges[server.Family].Services.First.Plus(10))],
        };
        var cluster = ClusterView.Empty.With(Node(Home.Name, 1, options)).With(Node(Other, 2, options)).With(Services(options));
        var leases = options.ClusterRanges.Select(static range => new PodLease(PodAddress(range), Part(range, 1)));
        var limit = new RateLimit(1_000_000, 0);
        var node = NodeFacts.Create(Home.Name, Home, options, new Underlay(
                Wire, MacAddress.Parse("02:00:00:00:00:01"), 1500, [.. options.ClusterRanges.Select(static range => AddressOf(1, range.Family))], []))
            .With(new Sandbox(Pod, Inside, [.. leases]) { Bandwidth = new Bandwidth(limit, limit) })
            .With(new Mirror(0, Mirror.FirstVni, "probe", Other, "probe") { Source = Pod });
        return Planner.FromScratch(Layers.For(options), new NetworkView(cluster, node));
    }

    private static ClusterNode Node(string name, uint number, NetworkOptions options) => new(name)
    {
        Addresses = [.. options.ClusterRanges.Select(range => AddressOf(number, range.Family).Address)],
        PodRanges = [.. options.ClusterRanges.Select(range => Part(range, number))],
    };

    private static ClusterServices Services(NetworkOptions options)
    {
        if (options.Services == ServicesKind.None)
        {
            return ClusterServices.Empty;
        }
        var name = ServiceReading.SubjectOf("probe", "probe");
        var service = new ClusterService(name)
        {
            ClusterIPs = [.. options.ServiceRanges.Select(static range => range.First.Plus(1))],
            Ports = [new ClusterServicePort("", IpProtocol.Tcp, 80, NodePort)],
            AffinitySeconds = 60,
        };
        var slices = options.ClusterRanges.Select(range => (SliceReading.SubjectOf("probe", $"probe-{range.Family}"), range)).Select(one => (one.Item1, (ServiceSlice?)new ServiceSlice(one.Item1, name)
        {
            Family = one.range.Family,
            Ports = [new SlicePort("", IpProtocol.Tcp, 80)],
            Endpoints = [new SliceEndpoint(PodAddress(one.range), EndpointState.Ready | EndpointState.Serving, Home.Name, [], [])],
        }));
        return ClusterServices.Empty.With([(name, service)], slices, new List<Subject>());
    }

    // Ranges for documentation (RFC 5737, RFC 3849): nobody's.
    private static IpPrefix AddressOf(uint number, IpFamily family) =>
        new(family == IpFamily.V4 ? IpAddress.V4(192, 0, 2, (byte)number) : IpAddress.Parse($"2001:db8::{number}"), family == IpFamily.V4 ? 24 : 64);

    private static IpPrefix Part(IpPrefix range, uint number) => range.Part(range.Length + 8, number);

    private static IpAddress PodAddress(IpPrefix range) => Part(range, 1).First.Plus(2);
}
