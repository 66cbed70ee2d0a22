using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Observe;

/// <summary>A predicted hop, and what was seen of it.</summary>
/// <param name="IsSeen">Null: nothing that can be watched happens there.</param>
/// <param name="Nanoseconds">Since 1970; null: not seen, or of a rule, which has no time.</param>
/// <param name="Difference">In what it was otherwise than predicted; null: in nothing.</param>
public sealed record ComparedHop(Hop Hop, bool? IsSeen, long? Nanoseconds, string? Difference);

/// <summary>Something that was seen and not predicted.</summary>
/// <param name="After">Of the hops of its leg, the number of the last one before; -1: before all.</param>
public sealed record Stray(Leg Leg, int After, NamespaceId Space, string? Device, long? Nanoseconds, string What);

/// <summary>A prediction and what happened, side by side.</summary>
/// <param name="Outcome">Of all that were predicted, the one that is most like what happened.</param>
/// <param name="Differences">Each in a line; empty: prediction and kernel agree.</param>
public sealed record Comparison(
    Outcome Outcome, IReadOnlyList<ComparedHop> There, IReadOnlyList<ComparedHop> Back, IReadOnlyList<Stray> Strays, IReadOnlyList<string> Differences)
{
    public bool Agrees => Differences.Count == 0;

    /// <summary>Where the kernel chose, it chose one outcome: the best match is the one that is compared.</summary>
    public static Comparison Of(Trace trace, Observation observed, IWorld world)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(observed);
        Comparison? best = null;
        foreach (var outcome in trace.Outcomes)
        {
            var one = Of(outcome, observed, world);
            if (best is null || one.Differences.Count < best.Differences.Count)
            {
                best = one;
            }
        }
        return best!;
    }

    private static Comparison Of(Outcome outcome, Observation observed, IWorld world)
    {
        var there = new LegMatch(Leg.There, outcome.There, outcome.Killer, observed, world);
        var back = new LegMatch(Leg.Back, outcome.Back, outcome.Killer, observed, world);
        List<string> differences = [.. there.Differences, .. back.Differences];
        if (Verdict(outcome, observed.End) is { } other)
        {
            differences.Add(other);
        }
        return new Comparison(outcome, there.Hops, back.Hops, [.. there.Strays, .. back.Strays], differences);
    }

    private static string? Verdict(Outcome outcome, ProbeEnd end)
    {
        var agrees = outcome.Verdict switch
        {
            Walk.Verdict.Delivered => end.Answer == ProbeAnswer.Answered || (end.Answer == ProbeAnswer.Silence && outcome.There[0].After.Protocol == Packets.Packet.Udp),
            Walk.Verdict.Refused => end.Answer == ProbeAnswer.Refused,
            Walk.Verdict.Lost => end.Answer == ProbeAnswer.Silence,
            // The TTL ends it; whether the sender hears of that is another question.
            Walk.Verdict.Loop => end.Answer != ProbeAnswer.Answered,
            _ => true,
        };
        return agrees ? null : $"predicted: {outcome.Verdict.ToString().ToLowerInvariant()}; and the sender {Told(end)}";
    }

    private static string Told(ProbeEnd end) => end.Answer switch
    {
        ProbeAnswer.Answered => "had an answer",
        ProbeAnswer.Refused => $"was told: {end.Error}",
        _ => "heard nothing",
    };
}
