namespace Plumb.Api.Cel;

/// <summary>A part of a rule.</summary>
/// <param name="At">Its place in the rule: of a member or a call that of its dot.</param>
internal abstract record CelNode(int At);

internal sealed record CelLiteral(object? Value, int At) : CelNode(At);

internal sealed record CelName(string Name, int At) : CelNode(At);

/// <param name="IsOptional">`a.?b`: none where there is no such member.</param>
internal sealed record CelMember(CelNode Of, string Name, int At, bool IsOptional = false) : CelNode(At);

/// <summary>`has(a.b)`.</summary>
internal sealed record CelHas(CelMember Member, int At) : CelNode(At);

/// <param name="IsOptional">`a[?b]`.</param>
internal sealed record CelIndex(CelNode Of, CelNode Key, int At, bool IsOptional = false) : CelNode(At);

internal sealed record CelList(IReadOnlyList<CelNode> Items, int At) : CelNode(At);

internal sealed record CelMap(IReadOnlyList<(CelNode Key, CelNode Value)> Entries, int At) : CelNode(At);

/// <summary>`[?a]`, `{?'k': a}`: there when the optional value is.</summary>
internal sealed record CelOptionalItem(CelNode Of, int At) : CelNode(At);

internal sealed record CelOperator(string Sign, CelNode Left, CelNode Right, int At) : CelNode(At);

internal sealed record CelPrefix(string Sign, CelNode Of, int At) : CelNode(At);

internal sealed record CelChoice(CelNode If, CelNode Then, CelNode Else, int At) : CelNode(At);

/// <param name="Of">Null: a function of its own.</param>
internal sealed record CelCall(CelNode? Of, string Name, IReadOnlyList<CelNode> Arguments, int At) : CelNode(At);

/// <summary>`list.all(name, condition)` and its like.</summary>
/// <param name="Second">The name of an item where <paramref name="Name"/> is that of its index or key: `list.all(i, item, condition)`; else null.</param>
/// <param name="Filter">Of `map` with three arguments and its like; else null.</param>
internal sealed record CelMacro(CelNode Of, string Kind, string Name, string? Second, CelNode? Filter, CelNode Body, int At) : CelNode(At);
