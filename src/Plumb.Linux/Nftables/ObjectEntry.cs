using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>
/// A named counter, quota or limit. What it does is the expression of the same kind, whose attributes the kernel shares; kinds that
/// Plumb does not read are an <see cref="UnknownExpression"/>. Its stamp is its comment.
/// </summary>
public sealed record ObjectEntry(NamespaceId Namespace, TableId Table, ObjectKind ObjectKind, string Name, Expression Does) : Entry(Namespace)
{
    public override EntryKind Kind => EntryKind.Object;

    public static ObjectEntry Counter(NamespaceId space, TableId table, string name) =>
        new(space, table, ObjectKind.Counter, name, new CounterExpression());

    public static ObjectEntry Quota(NamespaceId space, TableId table, string name, QuotaExpression quota) =>
        new(space, table, ObjectKind.Quota, name, quota);

    public static ObjectEntry Limit(NamespaceId space, TableId table, string name, LimitExpression limit) =>
        new(space, table, ObjectKind.Limit, name, limit);

    // A table may hold a counter and a quota of one name.
    protected override string NaturalKey() => $"{Table} {RulesetText.ObjectKindName(ObjectKind)} {Name}";

    public override string Print() => RulesetText.Object(this, comment: null);
}
