namespace Plumb.Tracing;

/// <summary>What was seen of the probe, beside what was predicted.</summary>
/// <param name="Answer">Of the sender's socket: Answered, Refused, Silence.</param>
/// <param name="Tls">Of an https URL; absent else.</param>
/// <param name="Outcome">Which of the predicted outcomes it is compared with: the one that is most like it.</param>
/// <param name="There">For each hop of that outcome's <c>there</c>, what was seen of it.</param>
/// <param name="Strays">Seen, and not predicted.</param>
/// <param name="Differences">Each in a line; none: prediction and kernel agree.</param>
/// <param name="Blind">What could not be watched.</param>
/// <param name="Drops">Where the kernel dropped it, and why; for real root alone.</param>
internal sealed record TracedObservation(
    Diagnosis.Observe.ProbeAnswer Answer,
    string? Error,
    int? HttpStatus,
    Diagnosis.Observe.TlsReport? Tls,
    bool Agrees,
    int Outcome,
    IReadOnlyList<TracedSight> There,
    IReadOnlyList<TracedSight> Back,
    IReadOnlyList<TracedStray> Strays,
    IReadOnlyList<string> Differences,
    IReadOnlyList<string> Blind,
    IReadOnlyList<TracedDrop> Drops,
    IReadOnlyList<TracedEvent> Events);

/// <param name="Seen">Absent: nothing that can be watched happens there.</param>
/// <param name="Microseconds">Since the probe was first seen; absent for rules, to which the kernel gives no time.</param>
/// <param name="Difference">In what it was otherwise than predicted.</param>
internal sealed record TracedSight(bool? Seen, double? Microseconds, string? Difference);

/// <param name="Leg">There or Back.</param>
/// <param name="After">Of that way's hops, the number of the last one before it; -1: before all.</param>
internal sealed record TracedStray(Diagnosis.Observe.Leg Leg, int After, TracedPlace Place, string? Device, double? Microseconds, string What);

/// <summary>One thing that was seen: a frame at a device, a rule, a change of a connection. Frames are in order of time, the others within their place.</summary>
/// <param name="Place">Absent: of a namespace that is not watched.</param>
internal sealed record TracedEvent(TracedPlace? Place, Diagnosis.Observe.Leg? Leg, double? Microseconds, string? Device, bool? Outgoing, string What);

/// <param name="Place">Absent: it had no device any more.</param>
/// <param name="Reason">The kernel's name for it (<c>enum skb_drop_reason</c>).</param>
internal sealed record TracedDrop(Diagnosis.Observe.Leg Leg, TracedPlace? Place, string? Device, double? Microseconds, string Reason);
