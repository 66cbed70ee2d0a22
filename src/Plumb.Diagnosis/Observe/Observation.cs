using Plumb.Linux.Bpf;
using Plumb.Linux.Capture;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Native;
using Plumb.Linux.Nftables.Tracing;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Observe;

/// <summary>The probe, or an answer to it, at a device.</summary>
/// <param name="IsOutgoing">As the device sees it.</param>
/// <param name="Nanoseconds">Since 1970, by the kernel.</param>
/// <param name="Packet">Of what a tunnel carries, too.</param>
/// <param name="Tunnel">What carries it here; null: nothing does.</param>
public sealed record Sighting(NamespaceId Space, string Device, bool IsOutgoing, long Nanoseconds, Leg Leg, PacketHeaders Packet, PacketHeaders? Tunnel);

/// <summary>A rule of nf_tables that it met. The kernel gives them no time: they are in order within their namespace.</summary>
/// <param name="IsTunnel">The rule saw the packet that carries it.</param>
public sealed record RuleSighting(NamespaceId Space, Leg Leg, bool IsTunnel, TraceEvent Event);

/// <summary>What connection tracking told of its connection.</summary>
public sealed record ConnectionSighting(NamespaceId Space, ConntrackEvent Event);

/// <summary>The kernel's own trace points met it; for real root alone.</summary>
/// <param name="Space">Null: it belongs to no device any more, or to a namespace that is not watched.</param>
/// <param name="Reason">Why it was dropped; null: it was not.</param>
public sealed record KernelSighting(NamespaceId? Space, string? Device, TracePoint At, long Nanoseconds, Leg Leg, string? Reason);

/// <summary>A table of routes was asked for the probe's way, or whether its source is to be believed; as real root, and of IPv4.</summary>
/// <param name="Space">Null: nothing was found there, or the namespace is not watched.</param>
/// <param name="IsCheck">The way back to the source was asked for (<c>fib_validate_source</c>).</param>
public sealed record RouteSighting(NamespaceId? Space, string? Device, long Nanoseconds, Leg Leg, bool IsCheck, TracedRoute Answer)
{
    public override string ToString() =>
        $"{(IsCheck ? $"the way back to {Answer.Destination}" : $"route to {Answer.Destination}")} in table {new RouteTable(Answer.Table)}: "
        + (Answer.Error != 0 ? ((Errno)Answer.Error).ToString() : $"{(Answer.Gateway is { } gateway ? $"via {gateway} " : "")}dev {Device ?? $"{Answer.Device}"}");
}

/// <summary>All that was seen of a probe, in every namespace where somebody watched, on one time line.</summary>
/// <param name="Blind">What could not be watched, each in a line for a person.</param>
public sealed record Observation(
    ProbeEnd End,
    IReadOnlyList<Sighting> Sightings,
    IReadOnlyList<RuleSighting> Rules,
    IReadOnlyList<ConnectionSighting> Connections,
    IReadOnlyList<KernelSighting> Kernel,
    IReadOnlyList<RouteSighting> Routes,
    IReadOnlyList<string> Blind)
{
    /// <summary>What was opened where a request for a URL had arrived, until it was answered.</summary>
    public IReadOnlyList<OnwardConnection> Onward { get; init; } = [];

    /// <summary>When it was first seen; null: it never left.</summary>
    public long? Sent => Sightings.Count > 0 ? Sightings[0].Nanoseconds : null;

    /// <summary>TCP sends its SYN again after a second: only the first time counts.</summary>
    public bool IsRepetition(long nanoseconds)
    {
        const long retransmission = 900_000_000;
        return Sightings.Count > 0 && Sightings[0].Packet.Protocol == PacketHeaders.Tcp && nanoseconds > Sightings[0].Nanoseconds + retransmission;
    }
}
