using Plumb.Diagnosis.Packets;
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

    /// <summary>Finds the packet's connection, or begins one.</summary>
    public static Traveller Track(Traveller traveller)
    {
        // What comes in by lo, and what answers on behalf of another packet, brings its connection along (nf_ct_attach).
        if (traveller.Connection is not null)
        {
            return traveller;
        }
        var packet = traveller.Packet;
        return traveller with { Connection = Known(traveller, packet) ?? Begun(packet) };
    }

    /// <summary>What an answer to a packet is to that packet's connection: <c>nf_conntrack_attach</c>.</summary>
    public static Connection? Attached(Connection? connection) =>
        connection is null or { State: ConnectionState.Untracked or ConnectionState.Invalid }
            ? null
            : connection with { State = ConnectionState.Related, IsReply = !connection.IsReply };

    /// <summary>The packet as the connection's translation makes it at one side of a hook.</summary>
    /// <param name="destination">True where destinations are translated: prerouting and output.</param>
    public static Packet Translate(Packet packet, Connection connection, bool destination)
    {
        var translated = destination != connection.IsReply ? connection.DestinationTranslated : connection.SourceTranslated;
        if (!translated || connection.State is ConnectionState.Untracked or ConnectionState.Invalid)
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

    private static Connection? Known(Traveller traveller, Packet packet)
    {
        if (Tuples.IsError(packet) && packet.Inner is { } quoted)
        {
            // The quoted packet as it went on from here, turned round: that is how answers to it come (nf_conntrack_inet_error).
            var expected = Tuples.Inverse(Tuples.Of(quoted.Packet));
            return traveller.Memory.Find(traveller.Space.Id, expected)?.Connection is { } about
                ? about with { State = ConnectionState.Related, IsReply = expected == about.Reply, IsKnown = true }
                : null;
        }
        var tuple = Tuples.Of(packet);
        if (traveller.Memory.Find(traveller.Space.Id, tuple)?.Connection is not { } known)
        {
            return null;
        }
        // Where both directions look alike (a packet to oneself) it is the first.
        var isReply = tuple == known.Reply && tuple != known.Original;
        return known with { State = isReply || known.State == ConnectionState.Established ? ConnectionState.Established : known.State, IsReply = isReply, IsKnown = true };
    }

    private static Connection Begun(Packet packet)
    {
        var tuple = Tuples.Of(packet);
        return new Connection(CanBegin(packet) ? ConnectionState.New : ConnectionState.Invalid, tuple, Tuples.Inverse(tuple));
    }

    // nf_conntrack_proto_tcp.c: tcp_new; nf_conntrack_proto_icmp.c: what is no question begins nothing.
    private static bool CanBegin(Packet packet) => packet.Protocol switch
    {
        Packet.Tcp => (packet.Flags & TcpFlags.Rst) == 0 && (packet.Flags & (TcpFlags.Syn | TcpFlags.Ack)) != (TcpFlags.Syn | TcpFlags.Ack),
        Packet.Icmp => packet.Message is { Type: 8 or 13 or 15 or 17 },
        Packet.IcmpV6 => packet.Message is { Type: 128 or 139 },
        _ => true,
    };
}
