using Plumb.Commands;
using Plumb.Diagnosis.Walk;

namespace Plumb.Tracing;

/// <summary>What `plumb trace` prints; docs/trace.md has the schema.</summary>
/// <param name="Dns">How the name was found; null where an address was typed.</param>
/// <param name="SourcePort">As it was asked for; null: any that nobody uses.</param>
/// <param name="Observed">What was seen of it; null: nothing was sent.</param>
internal sealed record TraceResult(
    TracedPlace Source, string Destination, DnsResult? Dns, TracedPacket Packet, IReadOnlyList<TracedOutcome> Outcomes, TracedObservation? Observed = null, int? SourcePort = null)
{
    /// <summary>Of a URL that was asked for: the connections that were opened, until it was answered, where the request had arrived.</summary>
    public IReadOnlyList<TracedOnward> Onward { get; init; } = [];
}

/// <param name="Seen">What became of it.</param>
/// <param name="Agrees">That is one of the outcomes.</param>
internal sealed record TracedOnward(TracedPlace Source, TracedPacket Packet, Diagnosis.Observe.ProbeAnswer Seen, bool Agrees, IReadOnlyList<TracedOutcome> Outcomes);

/// <param name="Title">For a person.</param>
/// <param name="Node">The node that it is on; of a machine, itself.</param>
internal sealed record TracedPlace(string Namespace, string Title, string Node);

/// <param name="Reason">One line, for a person.</param>
/// <param name="Killer">The place in <paramref name="There"/>, or else in <paramref name="Back"/>, of the hop that decided; null: none did.</param>
internal sealed record TracedOutcome(
    double Probability, Verdict Verdict, string Reason, TracedPlace End, TracedPacket Final, int? Killer, string? NearMiss, IReadOnlyList<TracedHop> There, IReadOnlyList<TracedHop> Back);

/// <param name="Entry">The natural key of the entry that decided; with the namespace and the kind, unique.</param>
/// <param name="Text">That entry, or the rule in it, in the words of ip, bridge, sysctl or nft.</param>
/// <param name="Causes">The objects behind it, where Plumb planned it.</param>
/// <param name="Owner">Whose it is and what for.</param>
internal sealed record TracedHop(
    TracedPlace Place,
    Stage Stage,
    string What,
    string? Device,
    string? Kind,
    string? Entry,
    string? Text,
    ulong? Handle,
    double? Chance,
    TracedPacket Before,
    TracedPacket After,
    IReadOnlyList<string> Causes,
    string Owner);

/// <param name="Protocol">tcp, udp, icmp, icmpv6, sctp, or the number.</param>
/// <param name="Inner">What a tunnel's packet carries, or an ICMP error quotes.</param>
internal sealed record TracedPacket(
    string Protocol, string Source, string Destination, int? SourcePort, int? DestinationPort, int TimeToLive, int Length, string? Mark, TracedPacket? Inner);
