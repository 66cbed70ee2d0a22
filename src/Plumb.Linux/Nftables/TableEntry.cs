using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>NFT_TABLE_F_*</summary>
[Flags]
public enum TableFlags : uint
{
    None = 0,

    /// <summary>The kernel keeps the table and skips it.</summary>
    Dormant = 1,

    /// <summary>The table goes when the socket that made it is closed.</summary>
    Owner = 2,
    Persist = 4,
}

/// <summary>A table of nf_tables. Its stamp is its comment, which the kernel takes only when the table is made.</summary>
public sealed record TableEntry(NamespaceId Namespace, TableId Table) : Entry(Namespace)
{
    public TableFlags Flags { get; init; }

    public override EntryKind Kind => EntryKind.Table;

    protected override string NaturalKey() => Table.ToString();

    public override string Print() => $"table {Table}";
}
