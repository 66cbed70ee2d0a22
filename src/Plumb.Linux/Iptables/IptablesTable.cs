using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;

namespace Plumb.Linux.Iptables;

/// <summary>A table as iptables names it (<c>-t nat</c>), of one family. The same name in nf_tables is the same table where iptables is its nft variant.</summary>
public readonly record struct IptablesTable(IpFamily Family, string Name)
{
    /// <summary>
    /// It is one of x_tables, beside one of nf_tables of the same name: the machine's iptables is the nft variant, and somebody has used the older one too. Packets meet both,
    /// and neither program tells of the other's.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsLegacyBeside { get; init; }

    public const string Filter = "filter";
    public const string Nat = "nat";

    /// <summary>Every table that iptables has; others of these families are somebody's own.</summary>
    internal static IReadOnlyList<string> Names { get; } = ["raw", "mangle", Nat, Filter, "security"];

    public static bool IsIn(TableId table) => table.Family is TableFamily.Ip or TableFamily.Ip6 && Names.Contains(table.Name);

    public override string ToString() => $"{(Family == IpFamily.V4 ? "ip" : "ip6")} {Name}{(IsLegacyBeside ? "(legacy)" : "")}";

    /// <summary>The command up to the table: <c>iptables -t nat</c>.</summary>
    public string Command => $"{(Family == IpFamily.V4 ? "iptables" : "ip6tables")}{(IsLegacyBeside ? "-legacy" : "")} -t {Name}";
}
