using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>What a host sends back.</summary>
internal static class Answers
{
    private const byte EchoReply = 0;
    private const byte EchoReplyV6 = 129;
    private const int ShortBytes = 60;

    // A quoted packet: IP header and as much as fits 576 bytes (RFC 1812), 1280 for IPv6 (RFC 4443).
    private const int IcmpHeaderBytes = 8;

    public static IcmpKind NetworkUnreachable(IpFamily family) => family == IpFamily.V4 ? new(3, 0) : new(1, 0);

    public static IcmpKind HostUnreachable(IpFamily family) => family == IpFamily.V4 ? new(3, 1) : new(1, 3);

    public static IcmpKind PortUnreachable(IpFamily family) => family == IpFamily.V4 ? new(3, 3) : new(1, 4);

    public static IcmpKind Prohibited(IpFamily family) => family == IpFamily.V4 ? new(3, 13) : new(1, 1);

    public static IcmpKind TooBig(IpFamily family) => family == IpFamily.V4 ? new(3, 4) : new(2, 0);

    public static IcmpKind TimeExceeded(IpFamily family) => family == IpFamily.V4 ? new(11, 0) : new(3, 0);

    /// <summary>What a rule's <c>reject</c> sends.</summary>
    public static Packet? To(Packet packet, RejectAnswer answer) =>
        answer.Reset ? Reset(packet) : answer.Message is { } message ? Error(packet, message) : null;

    /// <summary>RFC 9293, 3.5.2. Never to a reset.</summary>
    public static Packet? Reset(Packet packet) =>
        packet.Protocol != Packet.Tcp || (packet.Flags & TcpFlags.Rst) != 0 ? null : Turned(packet) with { Flags = TcpFlags.Rst | TcpFlags.Ack };

    /// <summary>An ICMP error; none about errors, nor to nobody in particular (RFC 1122, 3.2.2).</summary>
    /// <param name="from">Null: the address is chosen by the way back.</param>
    public static Packet? Error(Packet packet, IcmpKind kind, IpAddress? from = null)
    {
        if (Tuples.IsError(packet) || packet.Source.IsMulticast || packet.Source.IsUnspecified)
        {
            return null;
        }
        var header = packet.Family == IpFamily.V4 ? 20 : 40;
        return new Packet(from ?? IpAddress.Unspecified(packet.Family), packet.Source, packet.Family == IpFamily.V4 ? Packet.Icmp : Packet.IcmpV6)
        {
            Message = kind,
            DontFragment = false,
            Length = header + IcmpHeaderBytes + Math.Min(packet.Length, packet.Family == IpFamily.V4 ? 548 : 1232),
            Inner = new Encapsulated(packet with { Inner = null }),
        };
    }

    /// <summary>What a socket, or the kernel to an echo, says; null to what is an answer itself. How long a program's datagram is nobody knows: it is taken to be short.</summary>
    public static Packet? Reply(Packet packet) => packet.Protocol switch
    {
        Packet.Tcp => (packet.Flags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Syn ? Turned(packet) with { Flags = TcpFlags.Syn | TcpFlags.Ack } : null,
        Packet.Icmp => packet.Message is { Type: 8 } ? Turned(packet) with { Message = new IcmpKind(EchoReply, 0) } : null,
        Packet.IcmpV6 => packet.Message is { Type: 128 } ? Turned(packet) with { Message = new IcmpKind(EchoReplyV6, 0) } : null,
        _ => Turned(packet) with { Length = Math.Min(packet.Length, ShortBytes) },
    };

    /// <summary>What a segment within a connection is answered with.</summary>
    public static Packet Acknowledgement(Packet packet) => Turned(packet) with { Flags = TcpFlags.Ack };

    private static Packet Turned(Packet packet) => packet with
    {
        Source = packet.Destination,
        Destination = packet.Source,
        SourcePort = packet.DestinationPort,
        DestinationPort = packet.SourcePort,
        TimeToLive = 64,
        Mark = 0,
        Priority = 0,
        Inner = null,
        FragmentLength = 0,
    };
}
