using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Network;

/// <summary>
/// The one table of hooks, priorities, chain names and mark bits through which layers meet. Each layer has chains of its own at
/// a place of its own: where two look at one packet, the table says who is first. What stands here leaves the process and is
/// frozen: numbers and names may be added, never changed.
/// </summary>
public static class Stages
{
    // Not plain `masquerade`: that is a word of nft's language, and `nft` could neither load nor delete a chain of that name.
    /// <summary>After Services (<c>srcnat</c>): of several source translations the first that matches is the one that is done.</summary>
    public static Stage Masquerade { get; } = new("masquerade-pods", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat + 10);

    /// <summary>Every stage, in the order in which packets meet them within a hook.</summary>
    public static IReadOnlyList<Stage> All { get; } = [Masquerade];
}

/// <summary>A place in the packet's way: the base chain of one layer.</summary>
/// <param name="Chain">The chain's name, in table <c>plumb</c> of each family.</param>
/// <param name="Priority">Lower is earlier.</param>
public sealed record Stage(string Chain, ChainType Type, ChainHook Hook, int Priority)
{
    internal ChainEntry In(NamespaceId node, TableId table, params ReadOnlySpan<Rule> rules) =>
        new(node, table, Chain) { Base = new BaseChain(Type, Hook, Priority), Rules = [.. rules] };
}
