using Plumb.Linux.Addresses;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Between links as entries and as messages.</summary>
internal static class LinkConversion
{
    public static LinkEntry ToEntry(NamespaceId id, LinkMessage link, LinkTable links, VethPeer peer) =>
        new(id, link.Name ?? "", ToType(link, links, peer))
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

    private static LinkType ToType(LinkMessage link, LinkTable links, VethPeer peer)
    {
        if ((link.Flags & LinkMessage.IFF_LOOPBACK) != 0)
        {
            return new LinkType.Loopback();
        }
        return link.Info switch
        {
            { Kind: "veth" } => new LinkType.Veth(peer.Namespace.Name is null ? null : peer.Namespace, peer.Link?.Name),
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
                Device = vxlan.Link is { } device and not 0 ? links.NameOf((int)device) : null,
            },
            { Kind: { Length: > 0 } kind } => new LinkType.Other(kind),
            _ => new LinkType.Other("device"),
        };
    }
}
