using System.Globalization;
using Plumb.Diagnosis.Owners;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Explain;

/// <summary>Programs besides Plumb and the kernel that write to network namespaces, by the marks that they leave: what the catalogue of owners says of an entry.</summary>
internal sealed class KnownWriters(ObservedState all, IReadOnlyList<Service> services)
{
    private const string LabPrefix = "plumb-lab:";

    // iptables' nft variant keeps its tables under these names, and what is in them in its own way.
    private static readonly string[] ByIptables = ["raw", "mangle", "nat", "filter", "security"];

    public ChainWords Chains { get; } = new(all, services);

    /// <summary>Whose an entry is; null when no mark is known.</summary>
    public string? Recognise(Observed held) => held.Entry switch
    {
        LinkEntry link => OfLink(link, held.Stamp),
        AddressEntry address => OnLink(address, address.Device) is { } link ? $"an address of {link}" : null,
        // Not by its device alone: whoever types a route names one.
        RouteEntry route => OfProtocol(route.Protocol) ?? Find(Sign.Route, route.Print()) ?? OfNumber(Sign.RouteTable, route.Table.Number),
        RuleEntry rule => OfProtocol(rule.Protocol) ?? OfRule(rule),
        NeighbourEntry neighbour => OfProtocol(neighbour.Protocol) ?? (OnLink(neighbour, neighbour.Device) is { } link ? $"a neighbour on {link}" : null),
        FdbEntry fdb => OfProtocol(fdb.Protocol) ?? (OnLink(fdb, fdb.Device) is { } link ? $"a station behind {link}" : null),
        QdiscEntry qdisc => OnLink(qdisc, qdisc.Device) is { } link ? $"a queue on {link}" : null,
        FilterEntry filter => OnLink(filter, filter.Device) is { } link ? $"a filter on {link}" : null,
        IptablesChainEntry chain => Chains.Of(chain),
        IptablesRuleEntry rule => ChainWords.OfRule(rule),
        TableEntry table => OfTable(table.Table),
        ChainEntry chain => ChainWords.Of(chain),
        SetEntry set => Find(Sign.Set, set.Schema.Name) ?? OfTable(set.Schema.Table),
        ElementEntry element => Find(Sign.Set, element.Set.Name) ?? OfTable(element.Set.Table),
        ObjectEntry item => OfTable(item.Table),
        _ => null,
    };

    /// <summary>What is known about an entry that nobody known has made.</summary>
    public static string Hint(Entry entry) => entry switch
    {
        RouteEntry { Protocol.Number: 3 } or RuleEntry { Protocol.Number: 3 } => "nobody known: added by hand or by a script (protocol boot)",
        RouteEntry { Protocol.Number: 4 } or RuleEntry { Protocol.Number: 4 } => "nobody known: an administrator's (protocol static)",
        RouteEntry route => $"nobody known: protocol {route.Protocol}",
        LinkEntry => "nobody known: no alias, no name of a program that Plumb knows",
        _ => "nobody known",
    };

    private static string? OfLink(LinkEntry link, Stamp? alias) =>
        alias is { } stamp && stamp.Text.StartsWith(LabPrefix, StringComparison.Ordinal)
            ? $"the lab's: {stamp.Text[LabPrefix.Length..].Trim()}"
            : Find(Sign.Device, link.Name);

    private static string? OfProtocol(RouteProtocol protocol) =>
        protocol == RouteProtocol.PlumbLab ? "the lab's: how machines on the wire reach one another" : OfNumber(Sign.Protocol, protocol.Number);

    // A priority or table alone is a coincidence; of one owner, both are a sign.
    private static string? OfRule(RuleEntry rule)
    {
        var priority = Catalogue.Known.Find(Sign.Priority, Text(rule.Priority));
        var table = Catalogue.Known.Find(Sign.RouteTable, Text(rule.Table.Number));
        return table is not null && (priority is null || priority.Owner == table.Owner) ? $"{table.Owner}: {(priority ?? table).Meaning}"
            : rule.Mark is { } mark && Catalogue.Known.OfMark(mark).FirstOrDefault(claim => MarkBits.TryParse(claim.Pattern, out var own) && own == mark) is { } marked ? marked.ToString()
            : null;
    }

    private static string? OfTable(TableId table) =>
        Find(Sign.Table, table.Name)
        ?? (table.Family is TableFamily.Ip or TableFamily.Ip6 && ByIptables.Contains(table.Name) ? $"iptables: its table {table.Name}, in nf_tables" : null);

    /// <summary>Whose the device is that an entry hangs on, when that is somebody known and not Plumb.</summary>
    private string? OnLink(Entry entry, string device) =>
        all.Entries.TryGetValue(new EntryKey(entry.Namespace, EntryKind.Link, device), out var link) && link is { Owner: Owner.Foreign, Entry: LinkEntry known }
        && OfLink(known, link.Stamp) is { } who
            ? $"{device} ({who})"
            : null;

    private static string? OfNumber(Sign sign, uint number) => Find(sign, Text(number));

    private static string? Find(Sign sign, string name) => Catalogue.Known.Find(sign, name)?.ToString();

    private static string Text(uint number) => number.ToString(CultureInfo.InvariantCulture);
}
