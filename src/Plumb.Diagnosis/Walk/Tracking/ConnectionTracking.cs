using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary><c>nf_conntrack_in</c> and <c>nf_nat_packet</c>: which connection a packet belongs to, and what that makes of its addresses.</summary>
internal static class ConnectionTracking
{
    /// <summary>NF_IP_PRI_CONNTRACK</summary>
    public const int Priority = -200;

    /// <summary>NF_IP_PRI_NAT_DST and _SRC: all nat chains of a hook are asked there, in their own order.</summary>
    public const int DestinationNat = -100;
    public const int SourceNat = 100;

    // nf_conntrack_proto_icmpv6.c, noct_valid_new: what hosts of one link say to one another (multicast listeners, routers, neighbours).
    private const byte FirstUntracked = 130;
    private const byte LastUntracked = 137;

    /// <summary>Finds the packet's connection, or begins one.</summary>
    public static Traveller Track(Traveller traveller)
    {
        // What comes in by lo, and what answers on behalf of another packet, brings its connection along (nf_ct_attach).
        if (traveller.Connection is { State: not ConnectionState.Template })
        {
            return traveller;
        }
        if (traveller.Packet is { Protocol: Packet.IcmpV6, Message.Type: >= FirstUntracked and <= LastUntracked })
        {
            return traveller with { Connection = Translation.Unseen(ConnectionState.Untracked, traveller.Packet) };
        }
        var (packet, zone) = (traveller.Packet, traveller.Connection?.Zone ?? 0);
        var connection = Known(traveller, packet, zone) ?? Begun(packet, zone);
        return (traveller with { Connection = connection }) is { IsAnswer: false, Connection.Entry: { } entry } known
            ? known with { Hops = known.Hops.Add(known.Note(EntryWords.Of(entry, connection.IsReply)) with { Connection = entry, Text = entry.Print() }) }
            : traveller with { Connection = connection };
    }

    /// <summary>A source that nobody else has, towards this destination: where another connection would have the same answers, the kernel takes another port (<c>get_unique_tuple</c>).</summary>
    public static Connection Unique(Traveller traveller, Connection connection)
    {
        if (connection.HasRandomSourcePort || !IsTaken(traveller, connection, connection.Reply))
        {
            return connection;
        }
        // nf_nat_l4proto_unique_tuple: any of the same kind, at random. Which one no rule can know; here the next that is free stands for it.
        var (least, most) = connection.Reply.DestinationPort switch { < 512 => (1, 511), < 1024 => (600, 1023), _ => (1024, 65_535) };
        for (int i = 1, count = most - least + 1; i < count; i++)
        {
            var other = connection.Reply with { DestinationPort = (ushort)(least + ((connection.Reply.DestinationPort - least + i) % count)) };
            if (!IsTaken(traveller, connection, other))
            {
                return connection with { Reply = other, HasRandomSourcePort = true };
            }
        }
        return connection;
    }

    /// <summary>Whether another connection has these packets for its own, in either direction.</summary>
    public static bool IsTaken(Traveller traveller, Connection connection, ConntrackTuple reply) =>
        Tuples.HasPorts(reply.Protocol) && traveller.Memory.Find(traveller.Space, connection.Zone, reply) is { } other && other.Connection.Original != connection.Original;

    /// <summary>What an answer to a packet is to that packet's connection: <c>nf_conntrack_attach</c>.</summary>
    public static Connection? Attached(Connection? connection) =>
        connection is not { IsTracked: true }
            ? null
            : connection with { State = ConnectionState.Related, IsReply = !connection.IsReply };

    /// <summary>The packet as the connection's translation makes it at one side of a hook.</summary>
    /// <param name="destination">True where destinations are translated: prerouting and output.</param>
    public static Packet Translate(Packet packet, Connection connection, bool destination)
    {
        var translated = destination != connection.IsReply ? connection.DestinationTranslated : connection.SourceTranslated;
        if (!translated || !connection.IsTracked)
        {
            return packet;
        }
        var target = Tuples.Inverse(connection.IsReply ? connection.Original : connection.Reply);
        var result = With(packet, target, destination);
        // The packet that an error quotes goes the other way (nf_nat_icmp_reply_translation).
        return Tuples.IsError(packet) && packet.Inner is { } quoted
            ? result with { Inner = quoted with { Packet = With(quoted.Packet, Tuples.Inverse(target), !destination) } }
            : result;
    }

    private static Packet With(Packet packet, ConntrackTuple target, bool destination)
    {
        var ports = Tuples.HasPorts(packet.Protocol);
        return destination
            ? packet with { Destination = target.Destination, DestinationPort = ports ? target.DestinationPort : packet.DestinationPort }
            : packet with { Source = target.Source, SourcePort = ports ? target.SourcePort : packet.SourcePort };
    }

    private static Connection? Known(Traveller traveller, Packet packet, ushort zone)
    {
        if (Tuples.IsError(packet) && packet.Inner is { } quoted)
        {
            // The quoted packet as it went on from here, turned round: that is how answers to it come (nf_conntrack_inet_error).
            var expected = Tuples.Inverse(Tuples.Of(quoted.Packet));
            return traveller.Memory.Find(traveller.Space, zone, expected)?.Connection is { } about
                ? about with { State = ConnectionState.Related, IsReply = expected == about.Reply, IsKnown = true }
                : null;
        }
        var tuple = Tuples.Of(packet);
        if (traveller.Memory.Find(traveller.Space, zone, tuple)?.Connection is not { } known)
        {
            return null;
        }
        // Where both directions look alike (a packet to oneself) it is the first.
        var isReply = tuple == known.Reply && tuple != known.Original;
        if (packet.Protocol == Packet.Tcp && known.Entry is { TcpState: not 0 } entry)
        {
            // nf_conntrack_proto_tcp.c, tcp_conntracks: what a segment without data means where its connection is.
            switch (packet.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst))
            {
                case TcpFlags.Syn when entry.MayBeginAnew:
                    return null;
                case TcpFlags.Syn when isReply && !entry.IsBeginning:
                case TcpFlags.Syn | TcpFlags.Ack when !isReply:
                case TcpFlags.Ack when !isReply && entry.IsBeginning:
                    return Unplaced(packet, zone);
                default:
                    break;
            }
        }
        return known with { State = isReply || known.State == ConnectionState.Established ? ConnectionState.Established : known.State, IsReply = isReply, IsKnown = true };
    }

    private static Connection Begun(Packet packet, ushort zone) => CanBegin(packet) ? Unplaced(packet, zone) with { State = ConnectionState.New } : Unplaced(packet, zone);

    private static Connection Unplaced(Packet packet, ushort zone) => Translation.Unseen(ConnectionState.Invalid, packet) with { Zone = zone };

    // nf_conntrack_proto_tcp.c: tcp_new; nf_conntrack_proto_icmp.c: what is no question begins nothing.
    private static bool CanBegin(Packet packet) => packet.Protocol switch
    {
        Packet.Tcp => (packet.Flags & TcpFlags.Rst) == 0 && (packet.Flags & (TcpFlags.Syn | TcpFlags.Ack)) != (TcpFlags.Syn | TcpFlags.Ack),
        Packet.Icmp => packet.Message is { Type: 8 or 13 or 15 or 17 },
        Packet.IcmpV6 => packet.Message is { Type: 128 or 139 },
        _ => true,
    };
}
