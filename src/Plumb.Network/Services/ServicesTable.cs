using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>
/// The layer's sets and maps in table <c>plumb</c> of one family: the only thing that grows with Services. Rules look up
/// an address or node port in <see cref="Frontends"/> or <see cref="NodePorts"/>, which gives a pool; a pool in <see cref="Pools"/>, which gives
/// a program; and the program spreads over the pool's <see cref="Backends"/>.
/// </summary>
internal sealed class ServicesTable
{
    private const uint MostClients = 65_536;

    public ServicesTable(NamespaceId node, IpFamily family)
    {
        Family = family;
        Builder = AddressSets.Table(node, family);
        (Source, Destination) = family == IpFamily.V4 ? (Ip.Source, Ip.Destination) : (Ip6.Source, Ip6.Destination);
        SetField[] frontend = [Destination, Meta.L4Protocol, Th.DestinationPort];
        SetField[] port = [Meta.L4Protocol, Th.DestinationPort];
        SetField[] slot = [Ct.Mark, Number.Random(1)];
        SetField[] backend = [Destination, Th.DestinationPort];
        var address = DataType.Address(family);

        Inside = AddressSets.Inside(Builder, family);
        ServiceRange = Builder.Set("service_range", SetFlags.Interval, address);
        LocalPods = Builder.Set("local_pods", SetFlags.Interval, address);
        NodePortAddresses = Builder.Set("nodeport_addresses", address);
        OwnAddresses = AddressSets.OwnAddresses(Builder, family);
        OwnAnswers = AddressSets.OwnAnswers(Builder, family);
        Hairpin = Builder.Set("hairpin", address, address);
        Frontends = Builder.Map("frontends", frontend, [Ct.Mark]);
        FrontendsInside = Builder.Map("frontends_inside", frontend, [Ct.Mark]);
        NodePorts = Builder.Map("nodeports", port, [Ct.Mark]);
        NodePortsInside = Builder.Map("nodeports_inside", port, [Ct.Mark]);
        Guarded = Builder.Set("guarded", frontend);
        GuardedAllow = Builder.Set("guarded_allow", SetFlags.Interval, [.. frontend, Source]);
        Pools = Builder.Map("pools", [Ct.Mark], [Meta.Priority]);
        Programs = Builder.VerdictMap("programs", [Meta.Priority]);
        Backends = Builder.Map("backends", slot, backend);
        Sticky = Builder.Map("sticky", [Ct.Mark, Source], [Meta.Priority], SetFlags.Dynamic | SetFlags.Timeout)
            with { Size = MostClients, TimeoutMilliseconds = 3 * 3600 * 1000 };
        StickySlots = Builder.Map("sticky_slots", slot, [Meta.Priority]);
        StickyBackends = Builder.Map("sticky_backends", [Ct.Mark, Meta.Priority], backend);
        Raced = Builder.Counter("raced");
    }

    public IpFamily Family { get; }

    public TableBuilder Builder { get; }

    public HeaderField Source { get; }

    public HeaderField Destination { get; }

    /// <summary>All pods' addresses.</summary>
    public SetEntry Inside { get; }

    /// <summary>Where ClusterIPs are from: what is not translated there is refused.</summary>
    public SetEntry ServiceRange { get; }

    /// <summary>Addresses of this node's pods: they keep them, because the answer comes back through this node by itself.</summary>
    public SetEntry LocalPods { get; }

    /// <summary>Where node ports are open.</summary>
    public SetEntry NodePortAddresses { get; }

    /// <summary>Service addresses that the node itself has: it answers there.</summary>
    public SetEntry OwnAddresses { get; }

    /// <summary>The ports there that the node itself serves at this moment.</summary>
    public SetEntry OwnAnswers { get; }

    /// <summary>Endpoints of this node, each with itself: one that reaches itself through its Service would answer itself without the way back.</summary>
    public SetEntry Hairpin { get; }

    public SetEntry Frontends { get; }

    /// <summary>Where those who are inside the cluster are sent elsewhere than others: external addresses with the policy Local.</summary>
    public SetEntry FrontendsInside { get; }

    public SetEntry NodePorts { get; }

    public SetEntry NodePortsInside { get; }

    /// <summary>Balancer addresses that only some may use, and who.</summary>
    public SetEntry Guarded { get; }

    public SetEntry GuardedAllow { get; }

    public SetEntry Pools { get; }

    public SetEntry Programs { get; }

    public SetEntry Backends { get; }

    /// <summary>Which client has which endpoint; packets write it.</summary>
    public SetEntry Sticky { get; }

    public SetEntry StickySlots { get; }

    public SetEntry StickyBackends { get; }

    /// <summary>Counts connections that came between two look-ups while endpoints changed.</summary>
    public ObjectEntry Raced { get; }

    public IReadOnlyList<Entry> Sets =>
    [
        Raced, ServiceRange, LocalPods, NodePortAddresses, OwnAddresses, OwnAnswers, Hairpin, Frontends, FrontendsInside, NodePorts, NodePortsInside,
        Guarded, GuardedAllow, Pools, Programs, Backends, Sticky, StickySlots, StickyBackends,
    ];
}
