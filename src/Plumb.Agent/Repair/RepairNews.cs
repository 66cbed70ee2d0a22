using System.Text;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Agent.Repair;

/// <summary>One changed entry of a repair, in words.</summary>
/// <param name="Causes">What wants it, as the plan says; empty for what nobody wants.</param>
/// <param name="Happened"><c>was removed</c> and the like.</param>
/// <param name="Done"><c>restored</c> and the like.</param>
internal sealed record RepairFinding(Entry Entry, string Causes, string Happened, string Done, bool GaveWay);

/// <summary>
/// Makes few lines of many findings: who deletes a table did one thing, not one for each of its sets and elements. Entries of one table, or a link
/// and what hangs on it, to which the same happened, are one line, named by the entry that holds the others.
/// </summary>
internal static class RepairNews
{
    public static IEnumerable<RepairReport> Of(IReadOnlyList<RepairFinding> findings)
    {
        var groups = new Dictionary<(NamespaceId, string, string, string), List<RepairFinding>>();
        var heads = findings
            .Where(static finding => finding.Entry is TableEntry or LinkEntry or IptablesChainEntry { Name: IptablesMark.Chain })
            .Select(static finding => (finding.Entry.Namespace, Holder(finding.Entry), finding.Happened, finding.Done))
            .ToHashSet();
        foreach (var finding in findings)
        {
            var group = (finding.Entry.Namespace, Holder(finding.Entry), finding.Happened, finding.Done);
            if (!heads.Contains(group))
            {
                group = (finding.Entry.Namespace, finding.Entry.Key.ToString(), finding.Happened, finding.Done);
            }
            if (!groups.TryGetValue(group, out var members))
            {
                groups.Add(group, members = []);
            }
            members.Add(finding);
        }
        foreach (var members in groups.Values)
        {
            // The enumeration of kinds begins with links and tables are before what they hold.
            var head = members.MinBy(static finding => finding.Entry.Kind)!;
            yield return new RepairReport(head.Entry.Key, Line(head, members), head.GaveWay);
        }
    }

    private static string Line(RepairFinding head, List<RepairFinding> members)
    {
        var text = new StringBuilder(OneLine(head.Entry));
        if (members.Count > 1)
        {
            text.Append(" with ").AppendJoin(", ", members
                .Where(member => member != head)
                .GroupBy(static member => member.Entry.Kind)
                .OrderBy(static kind => kind.Key)
                .Select(static kind => Counted(kind.Key, kind.Count())));
        }
        if (head.Causes.Length != 0)
        {
            text.Append(" (").Append(head.Causes).Append(')');
        }
        return text.Append(' ').Append(head.Happened).Append("; ").Append(head.Done).ToString();
    }

    /// <summary>An entry in one line: a chain or a set is told by its name, its lines are for <c>nft list</c>.</summary>
    public static string OneLine(Entry entry) => entry.Kind switch
    {
        EntryKind.Chain => $"chain {entry.Key.Name}",
        EntryKind.Set => $"{(entry is SetEntry { IsMap: true } ? "map" : "set")} {entry.Key.Name}",
        EntryKind.Object => entry.Key.Name,
        EntryKind.IptablesChain => $"iptables chain {entry.Key.Name}",
        _ => entry.Print(),
    };

    /// <summary>The table or device that an entry goes with.</summary>
    private static string Holder(Entry entry) => entry switch
    {
        TableEntry table => $"table {table.Table}",
        ChainEntry chain => $"table {chain.Table}",
        SetEntry set => $"table {set.Schema.Table}",
        ElementEntry element => $"table {element.Set.Table}",
        ObjectEntry item => $"table {item.Table}",
        IptablesChainEntry chain => $"iptables {chain.Table}",
        IptablesRuleEntry rule => $"iptables {rule.Table}",
        LinkEntry link => $"device {link.Name}",
        AddressEntry address => $"device {address.Device}",
        NeighbourEntry neighbour => $"device {neighbour.Device}",
        FdbEntry fdb => $"device {fdb.Device}",
        RouteEntry { NextHops: [{ Device: { } device }] } => $"device {device}",
        SysctlEntry sysctl when sysctl.Path.Split('/') is [_, _, _, var device, _] => $"device {device}",
        _ => entry.Key.ToString(),
    };

    private static string Counted(EntryKind kind, int count) => (kind, count) switch
    {
        (EntryKind.Fdb, 1) => "1 fdb entry",
        (EntryKind.Fdb, _) => $"{count} fdb entries",
        (EntryKind.IptablesChain, 1) => "1 chain",
        (EntryKind.IptablesChain, _) => $"{count} chains",
        (EntryKind.IptablesRule, 1) => "1 rule",
        (EntryKind.IptablesRule, _) => $"{count} rules",
        (EntryKind.Address, 1) => "1 address",
        (EntryKind.Address, _) => $"{count} addresses",
        (_, 1) => $"1 {kind.ToString().ToLowerInvariant()}",
        _ => $"{count} {kind.ToString().ToLowerInvariant()}s",
    };
}
