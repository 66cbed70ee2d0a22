using Plumb.Diagnosis.Packets;

namespace Plumb.Diagnosis.Rules;

/// <summary>Steps so far, newest first. Ways that part share what came before.</summary>
internal sealed record Steps(RuleStep Step, Steps? Before)
{
    /// <summary>It only led into another chain: if nothing happens there, it is not worth telling.</summary>
    public bool OnlyLeads { get; init; }

    public static IReadOnlyList<RuleStep> InOrder(Steps? last)
    {
        var all = new List<RuleStep>();
        for (var at = last; at is not null; at = at.Before)
        {
            all.Add(at.Step);
        }
        all.Reverse();
        return all;
    }

    /// <summary>Without the newest steps that led nowhere.</summary>
    /// <param name="since">How far back; null: to the beginning.</param>
    public static Steps? WithoutIdle(Steps? last, Steps? since)
    {
        while (last is { OnlyLeads: true } && !ReferenceEquals(last, since))
        {
            last = last.Before;
        }
        return last;
    }
}
