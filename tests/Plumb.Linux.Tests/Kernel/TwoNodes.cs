using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Kernel;

/// <summary>A node and a pod, empty, and the state that Plumb plans for a pod on a bridge.</summary>
internal sealed class TwoNodes : IDisposable
{
    public static readonly NamespaceId Node = new("node-1");
    public static readonly NamespaceId Pod = new("pod");
    public static readonly MacAddress BridgeMac = MacAddress.Parse("0a:58:0a:f4:01:01");
    public static readonly MacAddress PodMac = MacAddress.Parse("0a:58:0a:f4:01:05");

    public TwoNodes(IWriteSeam? seam = null)
    {
        Kernels = new Kernels(seam);
        Node1 = NetworkNamespace.Create();
        Pod1 = NetworkNamespace.Create();
        Kernels.Add(Node, Node1);
        Kernels.Add(Pod, Pod1);
    }

    public Kernels Kernels { get; }

    public NetworkNamespace Node1 { get; }

    public NetworkNamespace Pod1 { get; }

    public static IReadOnlyCollection<NamespaceId> Both => [Node, Pod];

    public static DesiredState PodOnBridge()
    {
        var gateway = IpAddress.Parse("10.244.1.1");
        var address = IpAddress.Parse("10.244.1.5");
        var stamp = new Stamp("plumb:test");
        var state = new DesiredState();
        state.Set(new LinkEntry(Node, "cni0", new LinkType.Bridge { SpanningTree = false, MulticastSnooping = false, VlanFiltering = false })
            { Mac = BridgeMac, MtuBytes = 1450, Up = true, NoAutomaticAddress = true }, stamp);
        state.Set(new AddressEntry(Node, "cni0", new IpPrefix(gateway, 32)) { NoPrefixRoute = true, Protocol = RouteProtocol.Plumb });
        state.Set(new LinkEntry(Pod, "lo", new LinkType.Loopback()) { Up = true });
        state.Set(new LinkEntry(Pod, "eth0", new LinkType.Veth(Node, "veth0")) { Mac = PodMac, MtuBytes = 1450, Up = true, NoAutomaticAddress = true }, stamp);
        state.Set(new LinkEntry(Node, "veth0", new LinkType.Veth(Pod, "eth0"))
        {
            MtuBytes = 1450, Up = true, Master = "cni0", NoAutomaticAddress = true,
            Port = new BridgePort { Learning = false, Flood = false, MulticastFlood = false, BroadcastFlood = false, Hairpin = true },
        }, stamp);
        state.Set(new AddressEntry(Pod, "eth0", IpPrefix.Host(address)) { Protocol = RouteProtocol.Plumb });
        state.Set(new RouteEntry(Pod, IpPrefix.Host(gateway)) { Scope = RouteScope.Link, NextHops = [new NextHop("eth0", null)] });
        state.Set(new RouteEntry(Pod, IpPrefix.Everything(IpFamily.V4)) { NextHops = [new NextHop("eth0", gateway)] });
        state.Set(new NeighbourEntry(Pod, "eth0", gateway) { Mac = BridgeMac });
        state.Set(new RouteEntry(Node, IpPrefix.Host(address)) { Scope = RouteScope.Link, NextHops = [new NextHop("cni0", null)] });
        state.Set(new NeighbourEntry(Node, "cni0", address) { Mac = PodMac });
        state.Set(new FdbEntry(Node, "veth0", PodMac) { OfMaster = true });
        state.Set(new SysctlEntry(Node, "net/ipv4/ip_forward", "1"));
        state.Set(new SysctlEntry(Node, "net/ipv4/conf/cni0/rp_filter", "2"));
        return state;
    }

    public Delta Difference(DesiredState desired) =>
        Plumb.Linux.State.Difference.Between(desired, Kernels.Observe(Both, parameters: desired.Entries.Keys));

    public void Apply(DesiredState desired)
    {
        var delta = Difference(desired);
        Assert.Empty(delta.Conflicts);
        Kernels.Apply(delta.Items);
    }

    public void Dispose() => Kernels.Dispose();
}
