using Plumb.Diagnosis.Packets;
using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>Packets as connection tracking tells them apart.</summary>
internal static class Tuples
{
    public static ConntrackTuple Of(Packet packet) => new(packet.Source, packet.Destination, packet.Protocol, packet.SourcePort, packet.DestinationPort);

    public static ConntrackTuple Inverse(ConntrackTuple tuple) =>
        new(tuple.Destination, tuple.Source, tuple.Protocol, tuple.DestinationPort, tuple.SourcePort);

    public static bool HasPorts(byte protocol) => protocol is Packet.Tcp or Packet.Udp or Packet.Sctp;

    /// <summary>An ICMP message about another packet, which it quotes (RFC 792, RFC 4443).</summary>
    public static bool IsError(Packet packet) => packet.Protocol switch
    {
        Packet.Icmp => packet.Message is { Type: 3 or 4 or 5 or 11 or 12 },
        Packet.IcmpV6 => packet.Message is { Type: < 128 },
        _ => false,
    };
}
