using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Diagnosis.Explain;

/// <summary>What is known about why an entry is in a kernel.</summary>
public enum Standing
{
    /// <summary>Plumb planned it and the kernel holds it.</summary>
    Planned = 1,

    /// <summary>Plumb planned it and the kernel does not hold it: a repair is due.</summary>
    Missing,

    /// <summary>It bears Plumb's mark and no plan wants it: left by an agent that was ended, or about to go.</summary>
    LeftOver,

    /// <summary>The kernel made it by itself.</summary>
    Kernel,

    /// <summary>Another program's, which is known.</summary>
    Known,

    /// <summary>Nobody known to Plumb.</summary>
    Unexplained,
}

/// <summary>One entry with its reason.</summary>
/// <param name="Text">In the words of ip, bridge, sysctl or nft.</param>
/// <param name="Reason">Whose it is and what for, for a person.</param>
/// <param name="Causes">The objects behind it, where Plumb planned it.</param>
public sealed record Explanation(EntryKey Key, string Text, Standing Standing, string Reason, IReadOnlyList<Origin> Causes)
{
    /// <summary>Of another program's chain: its rules, each with what it does.</summary>
    public IReadOnlyList<ExplainedRule> Rules { get; init; } = [];
}
