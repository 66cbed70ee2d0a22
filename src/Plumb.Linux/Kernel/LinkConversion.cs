using Plumb.Linux.Addresses;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Between links as entries and as messages.</summary>
internal static class LinkConversion
{
    public static LinkEntry ToEntry(NamespaceId id, LinkMessage link, LinkTable links, OtherEnd other) =>
        new(id, link.Name ?? "", ToType(link, links, other))
        {
            Mac = link.Mac,
            MtuBytes = (int?)link.MtuBytes,
            Up = link.IsUp,
            Master = link.Master is { } master and not 0 ? links.NameOf((int)master) ?? "" : "",
            Port = link.Info?.BridgePort is { } port ? ToPort(port) : null,
            // Without IPv6 on the link there is no mode, and no automatic address.
            NoAutomaticAddress = link.AddressGeneration is null or LinkMessage.IN6_ADDR_GEN_MODE_NONE,
        };

    /// <summary>What makes the link, without what is set afterwards.</summary>
    /// <param name="vxlanDevice">ifindex of the device that a VXLAN device's packets leave by; 0: none stated.</param>
    public static LinkInfo ToInfo(LinkType type, int vxlanDevice) => type switch
    {
        // A new bridge filters no VLANs, and a kernel without that feature refuses even to be told so.
        LinkType.Bridge bridge => new LinkInfo("bridge") { Bridge = ToBridge(bridge.VlanFiltering == false ? bridge with { VlanFiltering = null } : bridge) },
        LinkType.Vxlan vxlan => new LinkInfo("vxlan")
        {
            Vxlan = new VxlanInfo
            {
                Id = (uint)vxlan.Vni,
                Port = (ushort?)vxlan.Port,
                Local = vxlan.Local,
                Learning = vxlan.Learning,
                Link = vxlanDevice == 0 ? null : (uint)vxlanDevice,
            },
        },
        _ => new LinkInfo(type.KindName),
    };

    public static BridgeInfo ToBridge(LinkType.Bridge bridge) => new()
    {
        SpanningTree = bridge.SpanningTree, VlanFiltering = bridge.VlanFiltering, MulticastSnooping = bridge.MulticastSnooping,
    };

    public static BridgePortInfo ToPort(BridgePort port) => new()
    {
        Learning = port.Learning,
        Flood = port.Flood,
        MulticastFlood = port.MulticastFlood,
        BroadcastFlood = port.BroadcastFlood,
        Hairpin = port.Hairpin,
        Isolated = port.Isolated,
        NeighbourSuppression = port.NeighbourSuppression,
    };

    private static BridgePort ToPort(BridgePortInfo port) => new()
    {
        Learning = port.Learning,
        Flood = port.Flood,
        MulticastFlood = port.MulticastFlood,
        BroadcastFlood = port.BroadcastFlood,
        Hairpin = port.Hairpin,
        Isolated = port.Isolated,
        NeighbourSuppression = port.NeighbourSuppression,
    };

    private static LinkType ToType(LinkMessage link, LinkTable links, OtherEnd other)
    {
        if ((link.Flags & LinkMessage.IFF_LOOPBACK) != 0)
        {
            return new LinkType.Loopback();
        }
        NamespaceId? there = other.Namespace.Name is null ? null : other.Namespace;
        return link.Info switch
        {
            { Kind: "veth" } => new LinkType.Veth(there, other.Link?.Name),
            { Kind: "bridge", Bridge: { } bridge } => new LinkType.Bridge
            {
                // What a kernel does not mention, it does not have, and does not do.
                SpanningTree = bridge.SpanningTree ?? false,
                MulticastSnooping = bridge.MulticastSnooping ?? false,
                VlanFiltering = bridge.VlanFiltering ?? false,
            },
            { Kind: "vxlan", Vxlan: { Id: { } vni } vxlan } => new LinkType.Vxlan((int)vni)
            {
                Port = vxlan.Port,
                Local = vxlan.Local,
                Learning = vxlan.Learning,
                GsoMaxSegments = link.GsoMaxSegments is { } segments and not LinkMessage.DefaultGsoSegments ? (int)segments : null,
                Device = vxlan.Link is { } device and not 0 ? links.NameOf((int)device) : null,
            },
            { Kind: "ifb" } => new LinkType.Ifb(),
            { Stacked.MacvlanMode: { } mode } => new LinkType.Macvlan((MacvlanMode)mode, there, other.Link?.Name),
            { Stacked: { IpvlanMode: { } mode } ipvlan } => new LinkType.Ipvlan((IpvlanMode)mode, (IpvlanFlags)(ipvlan.IpvlanFlags ?? 0), there, other.Link?.Name),
            { Stacked.VlanId: { } vlan } => new LinkType.Vlan(vlan, there, other.Link?.Name),
            { Tunnel: { } tunnel } => new LinkType.IpTunnel(link.Info.Kind switch { "ipip" => IpTunnelProtocol.Ipip, "sit" => IpTunnelProtocol.Sit, _ => IpTunnelProtocol.Gre })
            {
                Local = tunnel.Local,
                Remote = tunnel.Remote,
                Device = tunnel.Link == 0 ? null : links.NameOf((int)tunnel.Link),
                TimeToLive = tunnel.TimeToLive == 0 ? null : tunnel.TimeToLive,
                PathMtuDiscovery = tunnel.PathMtuDiscovery,
                Key = tunnel.Key,
            },
            { Kind: { Length: > 0 } kind } => new LinkType.Other(kind),
            _ => new LinkType.Other("device"),
        };
    }
}
