using Plumb.Diagnosis.Packets;

namespace Plumb.Diagnosis.Rules;

/// <summary>Steps so far, newest first. Ways that part share what came before.</summary>
internal sealed record Steps(RuleStep Step, Steps? Before)
{
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
}
