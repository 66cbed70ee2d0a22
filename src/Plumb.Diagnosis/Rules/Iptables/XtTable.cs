using Plumb.Diagnosis.Packets;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>A table of iptables with its chains.</summary>
internal sealed class XtTable(IptablesTable id)
{
    private readonly Dictionary<string, XtChain> _chains = new(StringComparer.Ordinal);

    // Hooks of each table with their priorities (NF_IP_PRI_*).
    private static readonly Dictionary<string, ChainHook> _hooks = new()
    {
        ["PREROUTING"] = ChainHook.Prerouting, ["INPUT"] = ChainHook.Input, ["FORWARD"] = ChainHook.Forward, ["OUTPUT"] = ChainHook.Output,
        ["POSTROUTING"] = ChainHook.Postrouting,
    };

    public IptablesTable Id => id;

    public XtChain? Chain(string name) => _chains.GetValueOrDefault(name);

    public void Add(IptablesChainEntry entry, EntryKey key)
    {
        var chain = Of(entry.Name);
        (chain.Key, chain.IsBuiltIn, chain.IsDropping) = (key, entry.IsBuiltIn, entry.Policy == "DROP");
        for (var i = 0; i < entry.Rules.Count; i++)
        {
            chain.Add(entry.Rules[i], key, (ulong)i + 1);
        }
    }

    /// <param name="number">From 1, as <c>iptables -L --line-numbers</c> counts.</param>
    public void Add(IptablesRuleEntry rule, EntryKey key, ulong number) => Of(rule.Chain).Add(rule.Text, key, number);

    /// <summary>What hangs in the packet's way.</summary>
    public IEnumerable<(ChainHook Hook, IHookProgram Program)> Programs(IReadOnlyList<AddressEntry> addresses)
    {
        foreach (var chain in _chains.Values)
        {
            if (chain.IsBuiltIn && _hooks.TryGetValue(chain.Name, out var hook))
            {
                chain.Hook = hook;
                yield return (hook, new XtProgram(this, chain, Priority(hook), id.Name == IptablesTable.Nat, addresses));
            }
        }
    }

    private int Priority(ChainHook hook) => id.Name switch
    {
        "raw" => ChainPriority.Raw,
        "mangle" => ChainPriority.Mangle,
        "nat" => hook is ChainHook.Prerouting or ChainHook.Output ? ChainPriority.DestinationNat : ChainPriority.SourceNat,
        "security" => ChainPriority.Security,
        _ => ChainPriority.Filter,
    };

    private XtChain Of(string name)
    {
        if (!_chains.TryGetValue(name, out var chain))
        {
            _chains[name] = chain = new XtChain(name, id);
        }
        return chain;
    }
}

/// <summary>A chain; its rules are read when a packet first comes.</summary>
internal sealed class XtChain(string name, IptablesTable table)
{
    private readonly List<(string Text, EntryKey Key, ulong Number)> _sources = [];
    private IReadOnlyList<XtRule>? _rules;

    public string Name => name;

    public EntryKey Key { get; set; }

    public bool IsBuiltIn { get; set; }

    public bool IsDropping { get; set; }

    public ChainHook Hook { get; set; }

    public IReadOnlyList<XtRule> Rules => _rules ??= Read();

    public (EntryKey Key, ulong Number) Source(int rule) => (_sources[rule].Key, _sources[rule].Number);

    public void Add(string text, EntryKey key, ulong number) => _sources.Add((text, key, number));

    private XtRule[] Read()
    {
        // Rules of a built-in chain are entries of their own, and told in no order.
        _sources.Sort(static (left, right) => left.Number.CompareTo(right.Number));
        return [.. _sources.Select(source => RuleReader.Read(name, source.Text, table.Family))];
    }
}
