using Plumb.Diagnosis.Packets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk;

/// <summary>What becomes of a packet in the end.</summary>
public enum Verdict
{
    /// <summary>It arrives, somebody takes it, and the answer comes home.</summary>
    Delivered = 1,

    /// <summary>The sender is told that it will not be: a reset, an ICMP error, an error of the system call.</summary>
    Refused,

    /// <summary>Silence: it, or the answer, is lost on the way.</summary>
    Lost,

    /// <summary>It goes round in circles until its TTL, or the bridge, has had enough.</summary>
    Loop,

    /// <summary>Something on the way decides that is not modelled, or cannot be seen from here; the last hop names it.</summary>
    Undecided,
}

/// <summary>A way that the packet may take, to its end and back.</summary>
/// <param name="Probability">Of this outcome among all; they add up to 1.</param>
/// <param name="Reason">In one line, for a person.</param>
/// <param name="There">From the sender on.</param>
/// <param name="Back">The way of the answer; empty where nobody answers.</param>
public sealed record Outcome(double Probability, Verdict Verdict, string Reason, IReadOnlyList<Hop> There, IReadOnlyList<Hop> Back)
{
    /// <summary>The hop with the entry that killed the packet, or its answer; null where none did.</summary>
    public Hop? Killer { get; init; }

    /// <summary>The packet where its way ended.</summary>
    public required Packet Final { get; init; }

    /// <summary>Where that was.</summary>
    public required NamespaceId End { get; init; }

    /// <summary>Whether it came to a socket, or to a kernel that answers echoes.</summary>
    public bool Arrived { get; init; }

    /// <summary>What came, or was to come, back; null: nothing.</summary>
    public Packet? Answer { get; init; }
}

/// <summary>What happens to a packet, hop by hop.</summary>
/// <param name="Outcomes">The likeliest first.</param>
public sealed record Trace(Packet Packet, NamespaceId From, IReadOnlyList<Outcome> Outcomes);
