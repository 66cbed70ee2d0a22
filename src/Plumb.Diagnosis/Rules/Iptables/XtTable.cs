using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
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

    /// <summary>A rule of a built-in chain, which is there also where nobody has told of it: in a plan.</summary>
    /// <param name="number">From 1, as <c>iptables -L --line-numbers</c> counts; 0: planned.</param>
    public void Add(IptablesRuleEntry rule, EntryKey key, ulong number)
    {
        var chain = Of(rule.Chain);
        chain.IsBuiltIn = true;
        chain.Add(rule.Text, key, number == 0 ? (ulong)Math.Max(0, rule.Order) : number);
    }

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

/// <summary>
/// A chain. A rule is read when a packet first comes to it that it may concern: of ten thousand rules for one destination each, the others are passed over
/// by that alone.
/// </summary>
internal sealed class XtChain(string name, IptablesTable table)
{
    private readonly List<(string Text, EntryKey Key, ulong Number)> _sources = [];
    private readonly Lock _reading = new();
    private (IpAddress? Only, XtRule? Read)[]? _rules;

    public string Name => name;

    public EntryKey Key { get; set; }

    public bool IsBuiltIn { get; set; }

    public bool IsDropping { get; set; }

    public ChainHook Hook { get; set; }

    public int Count => _sources.Count;

    public (EntryKey Key, ulong Number) Source(int rule) => (_sources[rule].Key, _sources[rule].Number);

    public void Add(string text, EntryKey key, ulong number) => _sources.Add((text, key, number));

    /// <summary>The rule at a place; null: it is for another destination.</summary>
    public XtRule? For(IpAddress destination, int rule)
    {
        // Several packets may be walked at once over one state.
        lock (_reading)
        {
            _rules ??= Sorted();
            return _rules[rule].Only is { } only && only != destination ? null : Read(rule);
        }
    }

    /// <summary>The rule at a place.</summary>
    public XtRule Read(int rule)
    {
        lock (_reading)
        {
            _rules ??= Sorted();
            return _rules[rule].Read ??= RuleReader.Read(name, _sources[rule].Text, table.Family);
        }
    }

    private (IpAddress?, XtRule?)[] Sorted()
    {
        // Rules of a built-in chain are entries of their own, and told in no order. Those of one number stay as they came.
        var ordered = _sources.OrderBy(static source => source.Number).ToList();
        var rules = new (IpAddress?, XtRule?)[ordered.Count];
        for (var i = 0; i < rules.Length; i++)
        {
            _sources[i] = ordered[i];
            rules[i] = (OnlyFor(ordered[i].Text), null);
        }
        return rules;
    }

    private static IpAddress? OnlyFor(string rule)
    {
        const string option = "-d ";
        if (!rule.StartsWith(option, StringComparison.Ordinal) || rule.IndexOf('/', StringComparison.Ordinal) is not (> 0 and var slash))
        {
            return null;
        }
        var length = rule.AsSpan(slash + 1);
        return (length.StartsWith("32 ") || length.StartsWith("128 ")) && IpAddress.TryParse(rule.AsSpan(option.Length, slash - option.Length), out var address)
            && (address.Family == IpFamily.V4) == length.StartsWith("32 ")
            ? address
            : null;
    }
}
