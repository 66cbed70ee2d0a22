using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>Two causes want one entry to be two different things. The plan holds the first; this says so.</summary>
public sealed record PlanConflict(Entry Holds, Origin HoldsCause, Entry Refused, Origin RefusedCause)
{
    public override string ToString() =>
        $"{Holds.Namespace}: {HoldsCause} wants '{Holds.Print()}' and {RefusedCause} wants '{Refused.Print()}': the first is kept; change one of the two";
}

/// <summary>Something that a layer could not plan, in one line.</summary>
public sealed record Refusal(string Line, Origin Cause)
{
    public override string ToString() => $"{Cause}: {Line}";
}
