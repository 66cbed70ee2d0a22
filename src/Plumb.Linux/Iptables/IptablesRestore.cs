using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>
/// Changes as the input of <c>iptables-restore --noflush</c>: only chains that change are named. A table is one transaction; or several where it has many chains or would outgrow
/// the program's send buffer, in an order in which each state between is a correct network: chains before those that jump to them, and away with them in the
/// reverse order.
/// </summary>
internal sealed partial class IptablesRestore
{
    // A long chain is told by what changes in it.
    private const int LongChain = 64;

    // iptables-nft-restore keeps the names of a transaction's chains in a sorted list that it walks for each: 12,000 of them took it 27 s, and 1.9 s
    // in pieces of 300.
    private const int MostChains = 300;

    private readonly StringBuilder _text = new();
    private readonly List<DeltaItem?> _itemOfLine = [];
    private readonly int _mostBytes;
    private readonly bool _mayEdit;
    private string _table = "";
    private int _bytes;
    private int _chains;

    private IptablesRestore(int mostBytes, bool mayEdit)
    {
        _mostBytes = mostBytes;
        _mayEdit = mayEdit;
    }

    public string Text => _text.ToString();

    /// <summary>Whether some of it only works on chains that are as they are believed to be.</summary>
    public bool Edits { get; private set; }

    /// <summary>What to write for the changes of one family; its text is empty when there are none.</summary>
    /// <param name="mostBytes">About how long a transaction may be in netlink's form.</param>
    /// <param name="mayEdit">False: every chain that changes is written whole.</param>
    public static IptablesRestore Of(IEnumerable<DeltaItem> items, IpFamily family, int mostBytes = int.MaxValue, bool mayEdit = true)
    {
        var restore = new IptablesRestore(mostBytes, mayEdit);
        var byTable = new SortedDictionary<string, List<DeltaItem>>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (TableOf(item) is { } table && table.Family == family)
            {
                if (!byTable.TryGetValue(table.Name, out var its))
                {
                    byTable.Add(table.Name, its = []);
                }
                its.Add(item);
            }
        }
        foreach (var (name, its) in byTable)
        {
            restore.Write(name, its);
        }
        return restore;
    }

    /// <summary>The change at which the program stopped, by what it said of a line.</summary>
    public DeltaItem? ItemIn(string complaint) =>
        Line().Match(complaint) is { Success: true } match
        && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number > 0 && number <= _itemOfLine.Count
            ? _itemOfLine[number - 1]
            : null;

    private void Write(string table, List<DeltaItem> items)
    {
        _table = table;
        Begin();
        foreach (var item in TargetsFirst(items, static item => item.Want?.Entry as IptablesChainEntry))
        {
            Make(item);
        }
        // Each goes before those that are there: the first to be at the head is written last.
        foreach (var item in items
            .Where(static item => item is { Want.Entry: IptablesRuleEntry, Was: null })
            .OrderByDescending(static item => ((IptablesRuleEntry)item.Want!.Entry).Order))
        {
            var rule = (IptablesRuleEntry)item.Want!.Entry;
            Append(item, $"-I {rule.Chain} {rule.Text}");
        }
        foreach (var item in items)
        {
            if (item is { Want: null, Was: IptablesRuleEntry gone })
            {
                Append(item, $"-D {gone.Chain} {gone.Text}");
            }
        }
        var going = TargetsFirst(items, static item => item.Want is null ? item.Was as IptablesChainEntry : null);
        for (var i = going.Count - 1; i >= 0; i--)
        {
            var chain = (IptablesChainEntry)going[i].Was!;
            Append(going[i], $":{chain.Name} - [0:0]", $"-X {chain.Name}");
        }
        Commit();
    }

    private void Make(DeltaItem item)
    {
        var chain = (IptablesChainEntry)item.Want!.Entry;
        if (_mayEdit
            && item.Was is IptablesChainEntry { Rules.Count: > LongChain } was
            && RuleEdits.Between(was.Rules, chain.Rules) is { } edits
            && edits.Count < chain.Rules.Count)
        {
            Edits = true;
            foreach (var edit in edits)
            {
                Append(item, edit.Position is { } position ? $"-I {chain.Name} {position} {edit.Rule}".TrimEnd() : $"-D {chain.Name} {edit.Rule}".TrimEnd());
            }
            return;
        }
        // A chain that is named is made or emptied; nothing of it is seen before COMMIT.
        Append(item, $":{chain.Name} - [0:0]");
        foreach (var rule in chain.Rules)
        {
            Append(item, $"-A {chain.Name} {rule}".TrimEnd());
        }
    }

    /// <summary>Those that have a chain, each after those that its rules jump to.</summary>
    private static List<DeltaItem> TargetsFirst(List<DeltaItem> items, Func<DeltaItem, IptablesChainEntry?> chainOf)
    {
        var byName = new Dictionary<string, DeltaItem>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (chainOf(item) is { IsBuiltIn: false } chain)
            {
                byName[chain.Name] = item;
            }
        }
        var ordered = new List<DeltaItem>(byName.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in byName.Keys)
        {
            Visit(name);
        }
        return ordered;

        // As deep as chains jump to chains, of which the kernel allows 16 (NFT_JUMP_STACK_SIZE).
        void Visit(string name)
        {
            if (!byName.TryGetValue(name, out var item) || !seen.Add(name))
            {
                return;
            }
            foreach (var rule in chainOf(item)!.Rules)
            {
                if (RuleText.Target(rule) is { } target)
                {
                    Visit(target);
                }
            }
            ordered.Add(item);
        }
    }

    private void Begin()
    {
        _text.Append('*').Append(_table).Append('\n');
        _itemOfLine.Add(null);
        _bytes = 0;
        _chains = 0;
    }

    private void Commit()
    {
        _text.Append("COMMIT\n");
        _itemOfLine.Add(null);
    }

    /// <summary>Lines that must be in one transaction.</summary>
    private void Append(DeltaItem item, params ReadOnlySpan<string> lines)
    {
        var bytes = 0;
        foreach (var line in lines)
        {
            bytes += BytesOf(line);
        }
        var chains = lines[0].StartsWith(':') ? 1 : 0;
        if ((_bytes != 0 && _bytes + bytes > _mostBytes) || _chains + chains > MostChains)
        {
            Commit();
            Begin();
        }
        _bytes += bytes;
        _chains += chains;
        foreach (var line in lines)
        {
            _text.Append(line).Append('\n');
            _itemOfLine.Add(item);
        }
    }

    // Each match has its own structure in the kernel's form, the longest (xt_recent's) of 232 bytes.
    private static int BytesOf(string line)
    {
        const int rule = 300;
        const int match = 150;
        var bytes = rule + line.Length;
        for (var at = line.IndexOf(" -m ", StringComparison.Ordinal); at >= 0; at = line.IndexOf(" -m ", at + 1, StringComparison.Ordinal))
        {
            bytes += match;
        }
        return bytes;
    }

    private static IptablesTable? TableOf(DeltaItem item) => (item.Want?.Entry ?? item.Was) switch
    {
        IptablesChainEntry chain => chain.Table,
        IptablesRuleEntry rule => rule.Table,
        _ => null,
    };

    // "line 12 failed", "Error occurred at line: 12": the only thing that is read from what the program says.
    [GeneratedRegex(@"line:? (\d+)")]
    private static partial Regex Line();
}
