using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>
/// Changes as the input of <c>iptables-restore --noflush</c>: only chains that change are named. A table is one transaction; or several where it has many chains
/// or would outgrow the program's send buffer, in an order in which each state between is a correct network: first the chain that says whose the others are; chains before those
/// that jump to them, and away with them in the reverse order; of a chain that outgrows the buffer by itself, all new rules before any old one goes.
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
    private readonly bool _removesLast;
    private string _table = "";
    private int _bytes;
    private int _chains;

    private IptablesRestore(int mostBytes, bool removesLast)
    {
        _mostBytes = mostBytes;
        _removesLast = removesLast;
    }

    public string Text => _text.ToString();

    /// <summary>What to write for the changes of one family; its text is empty when there are none.</summary>
    /// <param name="mostBytes">About how long a transaction may be in netlink's form.</param>
    /// <param name="removesLast">True: chains that go are emptied first, and removed in a transaction of its own: somebody else may jump there, and then the kernel keeps them.</param>
    public static IptablesRestore Of(IEnumerable<DeltaItem> items, IpFamily family, int mostBytes = int.MaxValue, bool removesLast = false)
    {
        var restore = new IptablesRestore(mostBytes, removesLast);
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

    /// <summary>Whether it is of the chain that says whose the others are.</summary>
    public static bool IsMark(DeltaItem item) => (item.Want?.Entry ?? item.Was) is IptablesChainEntry { Name: IptablesMark.Chain };

    public static IptablesTable? TableOf(DeltaItem item) => (item.Want?.Entry ?? item.Was) switch
    {
        IptablesChainEntry chain => chain.Table,
        IptablesRuleEntry rule => rule.Table,
        _ => null,
    };

    private void Write(string table, List<DeltaItem> items)
    {
        _table = table;
        Begin();
        foreach (var item in TargetsFirst(items, static item => item.Want?.Entry as IptablesChainEntry).OrderByDescending(IsMark))
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
        Remove(items);
        Commit();
    }

    private void Remove(List<DeltaItem> items)
    {
        var going = TargetsFirst(items, static item => item.Want is null ? item.Was as IptablesChainEntry : null);
        going.Reverse();
        if (_removesLast && going.Count != 0)
        {
            foreach (var item in going)
            {
                if (!IsMark(item))
                {
                    Append(item, $":{Name(item)} - [0:0]");
                }
            }
            Commit();
            Begin();
        }
        foreach (var item in going.OrderBy(IsMark))
        {
            Append(item, $":{Name(item)} - [0:0]", $"-X {Name(item)}");
        }

        static string Name(DeltaItem item) => ((IptablesChainEntry)item.Was!).Name;
    }

    private void Make(DeltaItem item)
    {
        var chain = (IptablesChainEntry)item.Want!.Entry;
        var was = item.Was is IptablesChainEntry there ? there.Rules : [];
        if (was.Count > LongChain && RuleEdits.Between(was, chain.Rules) is { } edits && edits.Count < chain.Rules.Count)
        {
            foreach (var edit in edits)
            {
                Append(item, edit.Position is { } position ? $"-I {chain.Name} {position} {edit.Rule}".TrimEnd() : $"-D {chain.Name} {edit.Rule}".TrimEnd());
            }
            return;
        }
        // A chain that is named is made or emptied; nothing of it is seen before COMMIT.
        var whole = new string[chain.Rules.Count + 1];
        whole[0] = $":{chain.Name} - [0:0]";
        for (var i = 0; i < chain.Rules.Count; i++)
        {
            whole[i + 1] = $"-A {chain.Name} {chain.Rules[i]}".TrimEnd();
        }
        if (item.Was is null)
        {
            foreach (var line in whole)
            {
                Append(item, line); // nobody jumps there yet
            }
        }
        else if (BytesOf(whole) <= _mostBytes)
        {
            Append(item, whole);
        }
        else
        {
            // From the last to the first, each before what stands there: what is left over by some of the new rules falls to those behind them.
            for (var i = chain.Rules.Count - 1; i >= 0; i--)
            {
                Append(item, $"-I {chain.Name} {chain.Rules[i]}".TrimEnd());
            }
            foreach (var rule in was)
            {
                // The program tells the kernel all of the rule, though it is named by its number.
                Append(item, BytesOf(rule), $"-D {chain.Name} {chain.Rules.Count + 1}");
            }
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
    private void Append(DeltaItem item, params ReadOnlySpan<string> lines) => Append(item, BytesOf(lines), lines);

    private void Append(DeltaItem item, int bytes, params ReadOnlySpan<string> lines)
    {
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

    private static int BytesOf(ReadOnlySpan<string> lines)
    {
        var bytes = 0;
        foreach (var line in lines)
        {
            bytes += BytesOf(line);
        }
        return bytes;
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

    // "line 12 failed", "Error occurred at line: 12": the only thing that is read from what the program says.
    [GeneratedRegex(@"line:? (\d+)")]
    private static partial Regex Line();
}
