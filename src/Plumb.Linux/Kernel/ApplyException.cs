using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>One change that a kernel refused, with its reason.</summary>
public sealed record Refusal(DeltaItem Item, string Reason)
{
    public override string ToString() =>
        $"{(Item.Want is null ? "removing " : "")}{Item.Want?.Entry ?? Item.Was}: {Reason}";
}

/// <summary>A kernel refused some changes. Each is named; what came before them has been done, and applying again goes on from there.</summary>
public sealed class ApplyException(IReadOnlyList<Refusal> refusals)
    : IOException(refusals[0] + (refusals.Count > 1 ? $" (and {refusals.Count - 1} more)" : ""))
{
    public IReadOnlyList<Refusal> Refusals { get; } = refusals;
}
