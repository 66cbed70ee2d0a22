using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A route (RTM_NEWROUTE, _DELROUTE): <c>struct rtmsg</c> and RTA_* of <c>linux/rtnetlink.h</c>.</summary>
public sealed record RouteMessage
{
    internal const ushort RTA_DST = 1;
    internal const ushort RTA_OIF = 4;
    internal const ushort RTA_GATEWAY = 5;
    internal const ushort RTA_PRIORITY = 6;
    internal const ushort RTA_PREFSRC = 7;
    internal const ushort RTA_METRICS = 8;
    internal const ushort RTA_MULTIPATH = 9;
    internal const ushort RTA_TABLE = 15;
    internal const ushort RTA_VIA = 18;
    internal const ushort RTAX_MTU = 2;
    internal const uint RTM_F_CLONED = 0x200;

    /// <summary>Flags that the kernel computes and that no request states (dead, linkdown, offload, trap …).</summary>
    private const uint StatedFlags = RouteHop.RTNH_F_ONLINK;

    public IpFamily Family { get; init; }

    /// <summary>Host bits are zero.</summary>
    public IpPrefix Destination { get; init; }

    public byte Tos { get; init; }

    public RouteTable Table { get; init; }

    public RouteProtocol Protocol { get; init; }

    public RouteScope Scope { get; init; }

    public RouteType Type { get; init; }

    /// <summary>RTM_F_*, RTNH_F_*</summary>
    public uint Flags { get; init; }

    public uint? Priority { get; init; }

    public IpAddress? PreferredSource { get; init; }

    public uint? MtuBytes { get; init; }

    public ValueList<RouteHop> Hops { get; init; }

    public UnknownAttributes Unknown { get; init; }

    public static RouteMessage Parse(ReadOnlySpan<byte> payload, bool keepUnknown = false)
    {
        var header = WireHeader.Read<Header>(payload, "struct rtmsg", out var attributes);
        var family = (IpFamily)header.Family;
        IpAddress? destination = null;
        IpAddress? preferred = null;
        uint? priority = null;
        uint? mtu = null;
        uint table = header.Table;
        var single = default(RouteHop);
        ValueList<RouteHop>? several = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in new AttributeReader(attributes, "RTM_NEWROUTE"))
        {
            switch (a.Type)
            {
                case RTA_DST:
                    destination = a.Ip(nameof(RTA_DST));
                    break;
                case RTA_PREFSRC:
                    preferred = a.Ip(nameof(RTA_PREFSRC));
                    break;
                case RTA_PRIORITY:
                    priority = a.U32(nameof(RTA_PRIORITY));
                    break;
                case RTA_TABLE:
                    table = a.U32(nameof(RTA_TABLE));
                    break;
                case RTA_METRICS:
                    mtu = ParseMtu(a);
                    break;
                case RTA_OIF:
                    single = single with { Index = a.S32(nameof(RTA_OIF)) };
                    break;
                case RTA_GATEWAY:
                    single = single with { Gateway = a.Ip(nameof(RTA_GATEWAY)) };
                    break;
                case RTA_VIA:
                    single = single with { Gateway = RouteHop.ParseVia(a) };
                    break;
                case RTA_MULTIPATH:
                    several = RouteHop.ParseMany(a);
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        var length = header.DestinationLength;
        var to = destination ?? (family is IpFamily.V4 or IpFamily.V6 ? IpAddress.Unspecified(family) : default);
        if (length > (to.IsNone ? 0 : to.BitLength))
        {
            throw new NetlinkDecodeException("rtm_dst_len", $"is {length}", payload);
        }
        if (single != default)
        {
            single = single with { Weight = 1, Flags = header.Flags & StatedFlags };
        }
        return new RouteMessage
        {
            Family = family,
            Destination = to.IsNone ? default : new IpPrefix(to, length).Network,
            Tos = header.Tos,
            Table = new RouteTable(table),
            Protocol = new RouteProtocol(header.Protocol),
            Scope = (RouteScope)header.Scope,
            Type = (RouteType)header.Type,
            Flags = header.Flags,
            Priority = priority,
            PreferredSource = preferred,
            MtuBytes = mtu,
            Hops = several ?? (single == default ? [] : [single]),
            Unknown = unknown?.Take() ?? default,
        };
    }

    internal void Emit(NetlinkWriter writer, ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        using (writer.Message(type, flags))
        {
            writer.Structure(new Header
            {
                Family = (byte)Family,
                DestinationLength = Destination.Length,
                Tos = Tos,
                Table = Table.Number < 256 ? (byte)Table.Number : (byte)0,
                Protocol = Protocol.Number,
                Scope = (byte)Scope,
                Type = (byte)Type,
                Flags = Flags | (Hops.Count == 1 ? Hops[0].Flags : 0),
            });
            if (Destination.Length > 0)
            {
                writer.Ip(RTA_DST, Destination.Address);
            }
            if (Table.Number > byte.MaxValue)
            {
                writer.U32(RTA_TABLE, Table.Number);
            }
            if (Priority is { } priority)
            {
                writer.U32(RTA_PRIORITY, priority);
            }
            if (PreferredSource is { } preferred)
            {
                writer.Ip(RTA_PREFSRC, preferred);
            }
            if (MtuBytes is { } mtu)
            {
                using (writer.Nest(RTA_METRICS))
                {
                    writer.U32(RTAX_MTU, mtu);
                }
            }
            if (Hops.Count == 1)
            {
                Hops[0].EmitSingle(writer, Family);
            }
            else if (Hops.Count > 1)
            {
                RouteHop.EmitMany(writer, Family, Hops);
            }
            Unknown.Emit(writer);
        }
    }

    internal static void EmitDump(NetlinkWriter writer, IpFamily family)
    {
        using (writer.Message(RTM_GETROUTE, NetlinkFlags.Dump))
        {
            writer.Structure(new Header { Family = (byte)family });
        }
    }

    private static uint? ParseMtu(NetlinkAttribute metrics)
    {
        foreach (var a in metrics.Nested(nameof(RTA_METRICS)))
        {
            if (a.Type == RTAX_MTU)
            {
                return a.U32(nameof(RTAX_MTU));
            }
        }
        return null;
    }

    /// <summary><c>struct rtmsg</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Family;
        public byte DestinationLength;
        public byte SourceLength;
        public byte Tos;
        public byte Table;
        public byte Protocol;
        public byte Scope;
        public byte Type;
        public uint Flags;
    }
}
