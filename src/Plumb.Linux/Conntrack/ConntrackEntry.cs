using System.Globalization;
using System.Text.Json.Serialization;
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

    /// <summary>How long the kernel goes on to remember it when nothing more comes; null where it does not say.</summary>
    public uint? TimeoutSeconds { get; init; }

    /// <summary>When its first packet came; null where the kernel does not keep that in mind (<c>net.netfilter.nf_conntrack_timestamp</c>).</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>IPS_SEEN_REPLY: packets have come both ways.</summary>
    [JsonIgnore]
    public bool IsAnswered => (Status & IPS_SEEN_REPLY) != 0;

    /// <summary>IPS_EXPECTED: another connection has announced it.</summary>
    [JsonIgnore]
    public bool IsExpected => (Status & IPS_EXPECTED) != 0;

    /// <summary>Answers come from elsewhere than the first packet was sent to.</summary>
    [JsonIgnore]
    public bool IsDestinationTranslated => (Original.Destination, Original.DestinationPort) != (Reply.Source, Reply.SourcePort);

    /// <summary>Answers go elsewhere than the first packet came from.</summary>
    [JsonIgnore]
    public bool IsSourceTranslated => (Original.Source, Original.SourcePort) != (Reply.Destination, Reply.DestinationPort);

    /// <summary>Both ends have said that they are done, or one has refused: nothing more is to come.</summary>
    public bool IsOver => TcpState is TCP_CONNTRACK_LAST_ACK or TCP_CONNTRACK_TIME_WAIT or TCP_CONNTRACK_CLOSE;

    /// <summary>A SYN of the same tuple begins another: the kernel forgets this one then (RFC 1122, 4.2.2.13).</summary>
    [JsonIgnore]
    public bool MayBeginAnew => TcpState is TCP_CONNTRACK_TIME_WAIT or TCP_CONNTRACK_CLOSE;

    /// <summary>Nobody has answered the first SYN.</summary>
    [JsonIgnore]
    public bool IsBeginning => TcpState == TCP_CONNTRACK_SYN_SENT;

    /// <summary>As <c>conntrack -L</c> prints it, but for the time that is left.</summary>
    public string Print()
    {
        var protocol = Original.Protocol switch { 1 => "icmp", 6 => "tcp", 17 => "udp", 58 => "icmpv6", 132 => "sctp", var other => other.ToString(CultureInfo.InvariantCulture) };
        var state = TcpState < TcpStates.Length ? TcpStates[TcpState] : "";
        return $"{protocol} {state}{Of(Original)} {(IsAnswered ? "" : "[UNREPLIED] ")}{Of(Reply)}{((Status & IPS_ASSURED) == 0 ? "" : " [ASSURED]")} mark={Mark.Value}{(Zone == 0 ? "" : $" zone={Zone}")}";

        static string Of(ConntrackTuple tuple) =>
            $"src={tuple.Source} dst={tuple.Destination}{(tuple.Protocol is 6 or 17 or 132 ? $" sport={tuple.SourcePort} dport={tuple.DestinationPort}" : "")}";
    }

    private const uint IPS_EXPECTED = 1 << 0;
    private const uint IPS_SEEN_REPLY = 1 << 1;
    private const uint IPS_ASSURED = 1 << 2;

    private static readonly string[] TcpStates = ["", "SYN_SENT ", "SYN_RECV ", "ESTABLISHED ", "FIN_WAIT ", "CLOSE_WAIT ", "LAST_ACK ", "TIME_WAIT ", "CLOSE ", "SYN_SENT2 "];

    private const byte TCP_CONNTRACK_SYN_SENT = 1;
    private const byte TCP_CONNTRACK_LAST_ACK = 6;
    private const byte TCP_CONNTRACK_TIME_WAIT = 7;
    private const byte TCP_CONNTRACK_CLOSE = 8;
}
