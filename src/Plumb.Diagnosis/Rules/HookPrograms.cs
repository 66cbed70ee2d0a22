using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules.Iptables;
using Plumb.Diagnosis.Rules.Nftables;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules;

/// <summary>
/// The rules of one namespace as programs to run packets through. Made once for a state; sets are indexed when a rule first looks into them.
/// </summary>
public sealed class HookPrograms
{
    private readonly Dictionary<(IpFamily, ChainHook), IReadOnlyList<IHookProgram>> _programs = [];
    private readonly ConntrackUse _conntrack = new();

    /// <param name="entries">What the namespace holds, in the order in which the kernel told it; entries of other namespaces are passed over.</param>
    /// <param name="elements">Where elements of sets are asked for; null: they are among the entries.</param>
    public HookPrograms(IEnumerable<Observed> entries, NamespaceId space, IElements? elements = null)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var tables = new Dictionary<TableId, Table>();
        var iptables = new Dictionary<IptablesTable, XtTable>();
        var addresses = new List<AddressEntry>();
        foreach (var observed in entries)
        {
            if (observed.Entry.Namespace != space)
            {
                continue;
            }
            switch (observed.Entry)
            {
                case TableEntry table:
                    Of(table.Table).Add(observed);
                    break;
                case ChainEntry chain:
                    Of(chain.Table).Add(observed);
                    _conntrack.Add(chain);
                    break;
                case SetEntry set:
                    Of(set.Schema.Table).Add(observed);
                    break;
                case ElementEntry element:
                    Of(element.Set.Table).Add(observed);
                    break;
                case ObjectEntry item:
                    Of(item.Table).Add(observed);
                    break;
                case IptablesChainEntry chain:
                    OfIptables(chain.Table).Add(chain, chain.Key);
                    foreach (var text in chain.Rules)
                    {
                        _conntrack.Add(chain.Table, text);
                    }
                    break;
                case IptablesRuleEntry rule:
                    OfIptables(rule.Table).Add(rule, rule.Key, observed.Facts.Handle);
                    _conntrack.Add(rule.Table, rule.Text);
                    break;
                case AddressEntry address:
                    addresses.Add(address);
                    break;
                default:
                    break;
            }
        }
        var programs = new List<(TableFamily Family, ChainHook Hook, IHookProgram Program)>();
        foreach (var table in tables.Values)
        {
            foreach (var chain in table.IsDormant ? [] : table.Chains.Values)
            {
                if (chain.Entry.Base is { } hooked)
                {
                    programs.Add((table.Id.Family, hooked.Hook, new BaseChainProgram(chain, hooked, addresses)));
                }
            }
        }
        foreach (var table in iptables.Values)
        {
            var family = table.Id.Family == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6;
            programs.AddRange(table.Programs(addresses).Select(item => (family, item.Hook, item.Program)));
        }
        // Of two at one priority the one that came last is asked first (nf_hook_entries_grow).
        programs.Reverse();
        foreach (var family in (IpFamily[])[IpFamily.V4, IpFamily.V6])
        {
            foreach (var group in programs.Where(program => Sees(program.Family, family)).GroupBy(static program => program.Hook))
            {
                _programs[(family, group.Key)] = [.. group.Select(static item => item.Program).OrderBy(static program => program.Priority)];
            }
        }

        XtTable OfIptables(IptablesTable id)
        {
            if (!iptables.TryGetValue(id, out var table))
            {
                iptables[id] = table = new XtTable(id);
            }
            return table;
        }

        Table Of(TableId id)
        {
            if (!tables.TryGetValue(id, out var table))
            {
                tables[id] = table = new Table(id, elements);
            }
            return table;
        }
    }

    /// <summary>Whether packets of a family get a connection here: only where a rule needs it does the kernel track any.</summary>
    public bool TracksConnections(IpFamily family) => _conntrack.IsUsed(family);

    /// <summary>What packets of a family meet at a hook, in order.</summary>
    public IReadOnlyList<IHookProgram> At(IpFamily family, ChainHook hook) => _programs.GetValueOrDefault((family, hook)) ?? [];

    private static bool Sees(TableFamily table, IpFamily packet) =>
        table == TableFamily.Inet || table == (packet == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6);
}
