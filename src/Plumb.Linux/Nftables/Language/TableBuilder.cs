using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Language;

/// <summary>
/// Makes the entries of one table, so that neither table nor namespace has to be said again:
/// <code>
/// var table = TableBuilder.Plumb(node, TableFamily.Ip);
/// var inside = table.Set("inside", SetFlags.Interval, DataType.Ipv4Address);
/// var postrouting = table.Base("nat-postrouting", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat,
///     table.Rule(Ip.Source.In(inside), Ip.Destination.NotIn(inside), Masquerade(NatFlags.FullyRandom)));
/// </code>
/// Nothing is remembered: each call makes a value.
/// </summary>
public sealed class TableBuilder(NamespaceId space, TableId table)
{
    public NamespaceId Namespace { get; } = space;

    public TableId Id { get; } = table;

    /// <summary>Plumb's own table of a family.</summary>
    public static TableBuilder Plumb(NamespaceId space, TableFamily family) => new(space, TableId.Plumb(family));

    public TableEntry Table() => new(Namespace, Id);

    /// <summary>A rule of these steps, in this order.</summary>
    public Rule Rule(params ReadOnlySpan<Statement> steps) => RuleCompiler.Compile(Id.Family, steps, comment: null);

    /// <summary>A rule with a comment: its stamp.</summary>
    public Rule Rule(Stamp stamp, params ReadOnlySpan<Statement> steps) => RuleCompiler.Compile(Id.Family, steps, stamp.Text);

    /// <summary>A chain that others jump to.</summary>
    public ChainEntry Chain(string name, params ReadOnlySpan<Rule> rules) => new(Namespace, Id, name) { Rules = [.. rules] };

    /// <summary>A chain that hangs in the packet's way; its policy is accept.</summary>
    public ChainEntry Base(string name, ChainType type, ChainHook hook, int priority, params ReadOnlySpan<Rule> rules) =>
        new(Namespace, Id, name) { Base = new BaseChain(type, hook, priority), Rules = [.. rules] };

    public SetEntry Set(string name, params ReadOnlySpan<SetField> key) => Set(name, SetFlags.None, key);

    public SetEntry Set(string name, SetFlags flags, params ReadOnlySpan<SetField> key) =>
        new(Namespace, new SetSchema(Id, name, [.. key]) { Flags = flags });

    /// <summary>A map to values.</summary>
    public SetEntry Map(string name, ReadOnlySpan<SetField> key, ReadOnlySpan<SetField> data, SetFlags flags = SetFlags.None) =>
        new(Namespace, new SetSchema(Id, name, [.. key]) { Data = new MapData.Fields([.. data]), Flags = flags });

    public SetEntry VerdictMap(string name, ReadOnlySpan<SetField> key, SetFlags flags = SetFlags.None) =>
        new(Namespace, new SetSchema(Id, name, [.. key]) { Data = new MapData.Verdicts(), Flags = flags });

    public ObjectEntry Counter(string name) => ObjectEntry.Counter(Namespace, Id, name);

    public ObjectEntry Limit(string name, LimitExpression limit) => ObjectEntry.Limit(Namespace, Id, name, limit);
}
