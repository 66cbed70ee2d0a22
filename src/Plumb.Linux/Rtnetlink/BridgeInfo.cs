using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A bridge's own settings (IFLA_BR_* of <c>linux/if_link.h</c>); null: not stated.</summary>
public sealed record BridgeInfo
{
    internal const ushort IFLA_BR_STP_STATE = 5;
    internal const ushort IFLA_BR_VLAN_FILTERING = 7;
    internal const ushort IFLA_BR_MCAST_SNOOPING = 23;

    public bool? SpanningTree { get; init; }

    public bool? VlanFiltering { get; init; }

    public bool? MulticastSnooping { get; init; }

    public UnknownAttributes Unknown { get; init; }

    internal static BridgeInfo Parse(NetlinkAttribute nest, bool keepUnknown)
    {
        bool? spanningTree = null;
        bool? vlanFiltering = null;
        bool? snooping = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in nest.Nested("IFLA_INFO_DATA (bridge)"))
        {
            switch (a.Type)
            {
                case IFLA_BR_STP_STATE:
                    spanningTree = a.U32(nameof(IFLA_BR_STP_STATE)) != 0;
                    break;
                case IFLA_BR_VLAN_FILTERING:
                    vlanFiltering = a.Bool(nameof(IFLA_BR_VLAN_FILTERING));
                    break;
                case IFLA_BR_MCAST_SNOOPING:
                    snooping = a.Bool(nameof(IFLA_BR_MCAST_SNOOPING));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return new BridgeInfo
        {
            SpanningTree = spanningTree, VlanFiltering = vlanFiltering, MulticastSnooping = snooping, Unknown = unknown?.Take() ?? default,
        };
    }

    internal void Emit(NetlinkWriter writer)
    {
        using var nest = writer.Nest(LinkInfo.IFLA_INFO_DATA);
        if (SpanningTree is { } spanningTree)
        {
            writer.U32(IFLA_BR_STP_STATE, spanningTree ? 1u : 0);
        }
        if (VlanFiltering is { } vlanFiltering)
        {
            writer.Bool(IFLA_BR_VLAN_FILTERING, vlanFiltering);
        }
        if (MulticastSnooping is { } snooping)
        {
            writer.Bool(IFLA_BR_MCAST_SNOOPING, snooping);
        }
        Unknown.Emit(writer);
    }
}
