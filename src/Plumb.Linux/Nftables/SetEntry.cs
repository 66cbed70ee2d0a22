using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>
/// A named set or map, without its elements, which are entries of their own. The kernel changes nothing of a set but its elements:
/// another schema is another set. Its stamp is its comment.
/// </summary>
public sealed record SetEntry(NamespaceId Namespace, SetSchema Schema) : Entry(Namespace)
{
    /// <summary>What an element gets that states none; needs <see cref="SetFlags.Timeout"/>.</summary>
    public ulong? TimeoutMilliseconds { get; init; }

    public uint? GarbageCollectionMilliseconds { get; init; }

    /// <summary>Most elements; null: no limit stated.</summary>
    public uint? Size { get; init; }

    /// <summary>What every element runs (a counter).</summary>
    public ValueList<Expression> Statements { get; init; }

    /// <summary>nft's own wish to join neighbours, kept in its userdata; the kernel does not know it.</summary>
    public bool AutoMerge { get; init; }

    public override EntryKind Kind => EntryKind.Set;

    public bool IsMap => Schema.Data is not null;

    protected override string NaturalKey() => $"{Schema.Table} {Schema.Name}";

    public override bool IsSatisfiedBy(Entry observed) =>
        observed is SetEntry set
        && Schema == set.Schema
        && TimeoutMilliseconds == set.TimeoutMilliseconds
        && (GarbageCollectionMilliseconds is null || GarbageCollectionMilliseconds == set.GarbageCollectionMilliseconds)
        && (Size is null || Size == set.Size)
        && Statements == set.Statements;

    public override string Print() => RulesetText.SetDeclaration(this);

    /// <summary>An element of a set, or of a map whose data are values.</summary>
    /// <exception cref="ArgumentException">A value does not have the type or width of its place.</exception>
    public ElementEntry Element(ReadOnlySpan<Value> key, ReadOnlySpan<Value> data = default) =>
        new(Namespace, Schema, SetElement.Of(Schema, key, data));

    /// <summary>An element of a verdict map.</summary>
    public ElementEntry Element(ReadOnlySpan<Value> key, Verdict verdict) =>
        new(Namespace, Schema, SetElement.Of(Schema, key, default) with { Verdict = verdict });
}
