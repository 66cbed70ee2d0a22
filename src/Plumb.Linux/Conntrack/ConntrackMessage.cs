using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Wire;

namespace Plumb.Linux.Conntrack;

/// <summary>Messages of nfnetlink's subsystem 1 (<c>linux/netfilter/nfnetlink_conntrack.h</c>): a list, an exact deletion, what is told of changes.</summary>
internal static class ConntrackMessage
{
    private const ushort NFNL_SUBSYS_CTNETLINK = 1;
    private const ushort IPCTNL_MSG_CT_NEW = 0;
    private const ushort IPCTNL_MSG_CT_GET = 1;
    private const ushort IPCTNL_MSG_CT_DELETE = 2;

    private const ushort CTA_TUPLE_ORIG = 1;
    private const ushort CTA_TUPLE_REPLY = 2;
    private const ushort CTA_STATUS = 3;
    private const ushort CTA_PROTOINFO = 4;
    private const ushort CTA_TIMEOUT = 7;
    private const ushort CTA_MARK = 8;
    private const ushort CTA_ID = 12;
    private const ushort CTA_ZONE = 18;
    private const ushort CTA_TIMESTAMP = 20;
    private const ushort CTA_MARK_MASK = 21;
    private const ushort CTA_TIMESTAMP_START = 1;

    private const ushort CTA_TUPLE_IP = 1;
    private const ushort CTA_TUPLE_PROTO = 2;
    private const ushort CTA_IP_V4_SRC = 1;
    private const ushort CTA_IP_V4_DST = 2;
    private const ushort CTA_IP_V6_SRC = 3;
    private const ushort CTA_IP_V6_DST = 4;
    private const ushort CTA_PROTOINFO_TCP = 1;
    private const ushort CTA_PROTOINFO_TCP_STATE = 1;
    private const ushort CTA_PROTO_NUM = 1;
    private const ushort CTA_PROTO_SRC_PORT = 2;
    private const ushort CTA_PROTO_DST_PORT = 3;

    /// <summary>Asks for all connections of a family.</summary>
    /// <param name="mark">Only those with this mark. A kernel that does not know the question answers with all.</param>
    public static void WriteList(NetlinkWriter wire, IpFamily family, ConnectionMark? mark)
    {
        using (wire.Message((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, NetlinkFlags.Dump))
        {
            wire.Structure(new NetfilterHeader((byte)family, 0));
            if (mark is { } only)
            {
                wire.U32BigEndian(CTA_MARK, only.Value);
                wire.U32BigEndian(CTA_MARK_MASK, uint.MaxValue);
            }
        }
    }

    /// <summary>Asks for the connection of which this is one direction.</summary>
    public static void WriteGet(NetlinkWriter wire, ConntrackTuple tuple, ushort zone)
    {
        using (wire.Message((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET))
        {
            wire.Structure(new NetfilterHeader((byte)tuple.Source.Family, 0));
            WriteTuple(wire, CTA_TUPLE_ORIG, tuple);
            WriteZone(wire, zone);
        }
    }

    /// <summary>Deletes exactly this one. (A deletion without a tuple would be one of everything: the tuple is always there.)</summary>
    public static void WriteDelete(NetlinkWriter wire, ConntrackEntry entry)
    {
        using (wire.Message((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE))
        {
            wire.Structure(new NetfilterHeader((byte)entry.Original.Source.Family, 0));
            WriteTuple(wire, CTA_TUPLE_ORIG, entry.Original);
            wire.U32BigEndian(CTA_ID, entry.Id);
            WriteZone(wire, entry.Zone);
        }
    }

    /// <summary>What a notification tells; null: nothing of a connection.</summary>
    public static ConntrackChange? ChangeOf(NetlinkMessage message) => message.Type switch
    {
        (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW => (message.Flags & NetlinkFlags.Create) == 0 ? ConntrackChange.Update : ConntrackChange.New,
        (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE => ConntrackChange.Destroy,
        _ => null,
    };

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static ConntrackEntry? Read(NetlinkMessage message)
    {
        ConntrackTuple original = default, reply = default;
        uint mark = 0, status = 0, id = 0;
        ushort zone = 0;
        byte tcpState = 0;
        uint? timeoutSeconds = null;
        DateTimeOffset? since = null;
        foreach (var attribute in NftWire.Attributes(message, "IPCTNL_MSG_CT_NEW", out _))
        {
            switch (attribute.Type)
            {
                case CTA_TUPLE_ORIG:
                    original = ReadTuple(attribute, "CTA_TUPLE_ORIG");
                    break;
                case CTA_TUPLE_REPLY:
                    reply = ReadTuple(attribute, "CTA_TUPLE_REPLY");
                    break;
                case CTA_STATUS:
                    status = attribute.U32BigEndian("CTA_STATUS");
                    break;
                case CTA_PROTOINFO:
                    tcpState = ReadTcpState(attribute);
                    break;
                case CTA_TIMEOUT:
                    timeoutSeconds = attribute.U32BigEndian("CTA_TIMEOUT");
                    break;
                case CTA_TIMESTAMP:
                    since = ReadStart(attribute);
                    break;
                case CTA_MARK:
                    mark = attribute.U32BigEndian("CTA_MARK");
                    break;
                case CTA_ID:
                    id = attribute.U32BigEndian("CTA_ID");
                    break;
                case CTA_ZONE:
                    zone = attribute.U16BigEndian("CTA_ZONE");
                    break;
                default:
                    break;
            }
        }
        return new ConntrackEntry(original, reply, new ConnectionMark(mark), status, id, zone) { TcpState = tcpState, TimeoutSeconds = timeoutSeconds, Since = since };
    }

    private static DateTimeOffset? ReadStart(NetlinkAttribute times)
    {
        foreach (var attribute in times.Nested("CTA_TIMESTAMP"))
        {
            if (attribute.Type == CTA_TIMESTAMP_START)
            {
                // Nanoseconds since 1970; what no calendar has comes from no kernel.
                var ticks = attribute.U64BigEndian("CTA_TIMESTAMP_START") / 100;
                return ticks < (ulong)(DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks ? DateTimeOffset.UnixEpoch.AddTicks((long)ticks) : null;
            }
        }
        return null;
    }

    private static byte ReadTcpState(NetlinkAttribute information)
    {
        foreach (var protocol in information.Nested("CTA_PROTOINFO"))
        {
            if (protocol.Type != CTA_PROTOINFO_TCP)
            {
                continue;
            }
            foreach (var attribute in protocol.Nested("CTA_PROTOINFO_TCP"))
            {
                if (attribute.Type == CTA_PROTOINFO_TCP_STATE)
                {
                    return attribute.U8("CTA_PROTOINFO_TCP_STATE");
                }
            }
        }
        return 0;
    }

    private static void WriteZone(NetlinkWriter wire, ushort zone)
    {
        if (zone != 0)
        {
            wire.U16BigEndian(CTA_ZONE, zone);
        }
    }

    private static void WriteTuple(NetlinkWriter wire, ushort type, ConntrackTuple tuple)
    {
        var isV4 = tuple.Source.Family == IpFamily.V4;
        using (wire.Nest(type))
        {
            using (wire.Nest(CTA_TUPLE_IP))
            {
                wire.Ip(isV4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.Source);
                wire.Ip(isV4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.Destination);
            }
            using (wire.Nest(CTA_TUPLE_PROTO))
            {
                wire.U8(CTA_PROTO_NUM, tuple.Protocol);
                wire.U16BigEndian(CTA_PROTO_SRC_PORT, tuple.SourcePort);
                wire.U16BigEndian(CTA_PROTO_DST_PORT, tuple.DestinationPort);
            }
        }
    }

    private static ConntrackTuple ReadTuple(NetlinkAttribute tuple, string name)
    {
        IpAddress source = default, destination = default;
        byte protocol = 0;
        ushort sourcePort = 0, destinationPort = 0;
        foreach (var part in tuple.Nested(name))
        {
            if (part.Type == CTA_TUPLE_IP)
            {
                foreach (var attribute in part.Nested("CTA_TUPLE_IP"))
                {
                    switch (attribute.Type)
                    {
                        case CTA_IP_V4_SRC or CTA_IP_V6_SRC:
                            source = attribute.Ip("CTA_IP_SRC");
                            break;
                        case CTA_IP_V4_DST or CTA_IP_V6_DST:
                            destination = attribute.Ip("CTA_IP_DST");
                            break;
                        default:
                            break;
                    }
                }
            }
            else if (part.Type == CTA_TUPLE_PROTO)
            {
                foreach (var attribute in part.Nested("CTA_TUPLE_PROTO"))
                {
                    switch (attribute.Type)
                    {
                        case CTA_PROTO_NUM:
                            protocol = attribute.U8("CTA_PROTO_NUM");
                            break;
                        case CTA_PROTO_SRC_PORT:
                            sourcePort = attribute.U16BigEndian("CTA_PROTO_SRC_PORT");
                            break;
                        case CTA_PROTO_DST_PORT:
                            destinationPort = attribute.U16BigEndian("CTA_PROTO_DST_PORT");
                            break;
                        default:
                            break;
                    }
                }
            }
        }
        return new ConntrackTuple(source, destination, protocol, sourcePort, destinationPort);
    }
}
