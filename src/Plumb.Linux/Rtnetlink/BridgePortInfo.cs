using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A bridge port's switches (IFLA_BRPORT_* of <c>linux/if_link.h</c>), each one byte; null: not stated.</summary>
public sealed record BridgePortInfo
{
    internal const ushort IFLA_BRPORT_MODE = 4;
    internal const ushort IFLA_BRPORT_LEARNING = 8;
    internal const ushort IFLA_BRPORT_UNICAST_FLOOD = 9;
    internal const ushort IFLA_BRPORT_MCAST_FLOOD = 27;
    internal const ushort IFLA_BRPORT_BCAST_FLOOD = 30;
    internal const ushort IFLA_BRPORT_NEIGH_SUPPRESS = 32;
    internal const ushort IFLA_BRPORT_ISOLATED = 33;

    /// <summary>IFLA_BRPORT_MODE</summary>
    public bool? Hairpin { get; init; }

    public bool? Learning { get; init; }

    public bool? Flood { get; init; }

    public bool? MulticastFlood { get; init; }

    public bool? BroadcastFlood { get; init; }

    public bool? NeighbourSuppression { get; init; }

    public bool? Isolated { get; init; }

    public UnknownAttributes Unknown { get; init; }

    internal static BridgePortInfo Parse(NetlinkAttribute nest, bool keepUnknown)
    {
        var port = new BridgePortInfo();
        bool? hairpin = null, learning = null, flood = null, multicast = null, broadcast = null, suppression = null, isolated = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in nest.Nested("IFLA_INFO_SLAVE_DATA (bridge)"))
        {
            switch (a.Type)
            {
                case IFLA_BRPORT_MODE:
                    hairpin = a.Bool(nameof(IFLA_BRPORT_MODE));
                    break;
                case IFLA_BRPORT_LEARNING:
                    learning = a.Bool(nameof(IFLA_BRPORT_LEARNING));
                    break;
                case IFLA_BRPORT_UNICAST_FLOOD:
                    flood = a.Bool(nameof(IFLA_BRPORT_UNICAST_FLOOD));
                    break;
                case IFLA_BRPORT_MCAST_FLOOD:
                    multicast = a.Bool(nameof(IFLA_BRPORT_MCAST_FLOOD));
                    break;
                case IFLA_BRPORT_BCAST_FLOOD:
                    broadcast = a.Bool(nameof(IFLA_BRPORT_BCAST_FLOOD));
                    break;
                case IFLA_BRPORT_NEIGH_SUPPRESS:
                    suppression = a.Bool(nameof(IFLA_BRPORT_NEIGH_SUPPRESS));
                    break;
                case IFLA_BRPORT_ISOLATED:
                    isolated = a.Bool(nameof(IFLA_BRPORT_ISOLATED));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return port with
        {
            Hairpin = hairpin, Learning = learning, Flood = flood, MulticastFlood = multicast, BroadcastFlood = broadcast,
            NeighbourSuppression = suppression, Isolated = isolated, Unknown = unknown?.Take() ?? default,
        };
    }

    internal void Emit(NetlinkWriter writer)
    {
        using var nest = writer.Nest(LinkInfo.IFLA_INFO_SLAVE_DATA);
        Emit(writer, IFLA_BRPORT_MODE, Hairpin);
        Emit(writer, IFLA_BRPORT_LEARNING, Learning);
        Emit(writer, IFLA_BRPORT_UNICAST_FLOOD, Flood);
        Emit(writer, IFLA_BRPORT_MCAST_FLOOD, MulticastFlood);
        Emit(writer, IFLA_BRPORT_BCAST_FLOOD, BroadcastFlood);
        Emit(writer, IFLA_BRPORT_NEIGH_SUPPRESS, NeighbourSuppression);
        Emit(writer, IFLA_BRPORT_ISOLATED, Isolated);
        Unknown.Emit(writer);
    }

    private static void Emit(NetlinkWriter writer, ushort type, bool? value)
    {
        if (value is { } stated)
        {
            writer.Bool(type, stated);
        }
    }
}
