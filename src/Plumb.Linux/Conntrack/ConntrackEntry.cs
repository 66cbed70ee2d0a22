using Plumb.Linux.Addresses;

namespace Plumb.Linux.Conntrack;

/// <summary>One direction of a connection, as its packets carry it.</summary>
/// <param name="Protocol">IPPROTO_*.</param>
/// <param name="SourcePort">Host order; 0 for protocols without ports.</param>
public readonly record struct ConntrackTuple(
    IpAddress Source, IpAddress Destination, byte Protocol, ushort SourcePort, ushort DestinationPort)
{
    public override string ToString() => $"{Protocol} {Source}:{SourcePort} -> {Destination}:{DestinationPort}";
}

/// <summary>A connection's mark (<c>ct mark</c>).</summary>
public readonly record struct ConnectionMark(uint Value)
{
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A connection that the kernel remembers.</summary>
/// <param name="Original">As the first packet came.</param>
/// <param name="Reply">As answers come: their source is where the connection really leads.</param>
/// <param name="Status">IPS_* of <c>linux/netfilter/nf_conntrack_common.h</c>.</param>
/// <param name="Id">CTA_ID: another connection with the same tuple has another.</param>
public sealed record ConntrackEntry(
    ConntrackTuple Original, ConntrackTuple Reply, ConnectionMark Mark, uint Status, uint Id, ushort Zone)
{
    /// <summary>TCP_CONNTRACK_* of <c>linux/netfilter/nf_conntrack_tcp.h</c>; 0 for other protocols, and where the kernel does not say.</summary>
    public byte TcpState { get; init; }

    /// <summary>Both ends have said that they are done, or one has refused: nothing more is to come.</summary>
    public bool IsOver => TcpState is TCP_CONNTRACK_LAST_ACK or TCP_CONNTRACK_TIME_WAIT or TCP_CONNTRACK_CLOSE;

    private const byte TCP_CONNTRACK_LAST_ACK = 6;
    private const byte TCP_CONNTRACK_TIME_WAIT = 7;
    private const byte TCP_CONNTRACK_CLOSE = 8;
}
