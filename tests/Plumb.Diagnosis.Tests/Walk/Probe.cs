using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>A packet to be predicted, and to be sent.</summary>
internal sealed record Probe(NamespaceId From, IpAddress To, ushort Port, byte Protocol)
{
    public byte TimeToLive { get; init; } = 64;

    /// <summary>Of a datagram.</summary>
    public int PayloadBytes { get; init; } = 16;

    public bool DontFragment { get; init; } = true;

    private int HeaderBytes => To.Family == IpFamily.V4 ? 20 : 40;

    public Packet Packet(ushort sourcePort) => new(IpAddress.Unspecified(To.Family), To, Protocol)
    {
        SourcePort = sourcePort,
        DestinationPort = Port,
        Flags = Protocol == Packets.Packet.Tcp ? TcpFlags.Syn : TcpFlags.None,
        TimeToLive = TimeToLive,
        Length = Protocol == Packets.Packet.Tcp ? HeaderBytes + 40 : HeaderBytes + 8 + PayloadBytes,
        DontFragment = Protocol == Packets.Packet.Tcp || DontFragment,
    };
}

/// <summary>What became of it.</summary>
internal enum Seen
{
    Silence,
    Answered,
    Refused,
}

/// <param name="Arrived">Where, and from whom, a datagram came in; null: nowhere.</param>
internal sealed record Result(Seen Seen, string? Error, (NamespaceId Space, IpAddress Source, ushort Port)? Arrived);
