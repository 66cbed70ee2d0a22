using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>
/// Changes as the input of <c>iptables-restore --noflush</c>: only chains that change are named, each with all its rules. A table is one transaction.
/// </summary>
internal sealed partial class IptablesRestore
{
    private readonly StringBuilder _text = new();
    private readonly List<DeltaItem?> _itemOfLine = [];

    private IptablesRestore()
    {
    }

    public string Text => _text.ToString();

    /// <summary>What to write for the changes of one family; its text is empty when there are none.</summary>
    public static IptablesRestore Of(IEnumerable<DeltaItem> items, IpFamily family)
    {
        var restore = new IptablesRestore();
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
        // A chain that is named is made or emptied; nothing of it is seen before COMMIT. What goes is emptied first, so that nobody jumps there.
        Append($"*{table}", null);
        foreach (var item in items)
        {
            if ((item.Want?.Entry ?? item.Was) is IptablesChainEntry { IsBuiltIn: false } chain)
            {
                Append($":{chain.Name} - [0:0]", item);
            }
        }
        foreach (var item in items)
        {
            if (item is { Want: null, Was: IptablesRuleEntry gone })
            {
                Append($"-D {gone.Chain} {gone.Text}", item);
            }
        }
        foreach (var item in items)
        {
            if (item.Want?.Entry is IptablesChainEntry { IsBuiltIn: false } chain)
            {
                foreach (var rule in chain.Rules)
                {
                    Append($"-A {chain.Name} {rule}".TrimEnd(), item);
                }
            }
        }
        // Each goes before those that are there: the first to be at the head is written last.
        foreach (var item in items
            .Where(static item => item is { Want.Entry: IptablesRuleEntry, Was: null })
            .OrderByDescending(static item => ((IptablesRuleEntry)item.Want!.Entry).Order))
        {
            var rule = (IptablesRuleEntry)item.Want!.Entry;
            Append($"-I {rule.Chain} {rule.Text}", item);
        }
        foreach (var item in items)
        {
            if (item is { Want: null, Was: IptablesChainEntry { IsBuiltIn: false } gone })
            {
                Append($"-X {gone.Name}", item);
            }
        }
        Append("COMMIT", null);
    }

    private void Append(string line, DeltaItem? item)
    {
        _text.Append(line).Append('\n');
        _itemOfLine.Add(item);
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
