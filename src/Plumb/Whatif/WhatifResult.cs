namespace Plumb.Whatif;

/// <summary>What `plumb whatif` prints; docs/whatif.md has the schema.</summary>
/// <param name="Objects">What changes of the objects, controllers' answer included.</param>
/// <param name="Walked">How many pairs were walked, each before and after.</param>
/// <param name="Notes">What was assumed, or not looked at; a line each.</param>
internal sealed record WhatifResult(
    IReadOnlyList<string> Objects,
    IReadOnlyList<ChangedNode> Nodes,
    IReadOnlyList<ChangedConnection> Connections,
    IReadOnlyList<ChangedPair> Pairs,
    WalkedCount Walked,
    IReadOnlyList<string> Notes)
{
    /// <summary>Whether something that works now would not work any more.</summary>
    public bool Breaks => Connections.Any(static one => one.Effect == Effect.Breaks) || Pairs.Any(static one => one.Effect == Effect.Breaks);
}

internal sealed record WalkedCount(int Pairs, int Connections);

internal enum Effect
{
    Breaks = 1,
    Opens,

    /// <summary>It works before and after, and ends elsewhere, or not always.</summary>
    Moves,
}

/// <summary>What a node's kernels would hold otherwise.</summary>
internal sealed record ChangedNode(string Node, IReadOnlyList<ChangedEntry> Entries);

/// <param name="Change"><c>+</c>, <c>-</c> or <c>~</c></param>
/// <param name="Text">As ip, bridge, sysctl or nft show it; of what changes, as it would be.</param>
/// <param name="Was">Of what changes, as it is.</param>
internal sealed record ChangedEntry(string Change, string Namespace, string Kind, string Key, string Text, string? Was, IReadOnlyList<string> Causes);

/// <summary>A connection that kernels remember.</summary>
/// <param name="Connection">As the first packet went: <c>tcp 10.244.1.2:40112 → 10.96.14.7:80</c>.</param>
/// <param name="Before">Where it leads.</param>
/// <param name="After">Where it would lead, or why nowhere.</param>
/// <param name="Cause">The object behind the entry that decides.</param>
internal sealed record ChangedConnection(Effect Effect, string Connection, string Source, string Before, string After, string? Cause);

/// <summary>Who could, or could not, reach something that it can, or cannot, reach now.</summary>
/// <param name="Target">A Service's port, or a pod.</param>
/// <param name="NearMiss">The smallest thing that would have to be otherwise.</param>
internal sealed record ChangedPair(Effect Effect, string Target, string Address, IReadOnlyList<string> Sources, string Before, string After, string? Cause, string? NearMiss);
