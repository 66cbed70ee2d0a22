using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>One change of a chain's rules.</summary>
/// <param name="Position">Where the rule is put, from 1; null: the rule goes.</param>
internal readonly record struct RuleEdit(string Rule, int? Position);

/// <summary>
/// The way from a chain's rules to others: first what comes, in the order in which it will stand, then what goes. Wherever one stops on it, the chain holds all
/// of its old rules or all of its new ones.
/// </summary>
internal static class RuleEdits
{
    /// <summary>Null where rules of one text would stand there twice, of which neither has a name: now, then, or on the way, because one changes its place.</summary>
    public static List<RuleEdit>? Between(ValueList<string> was, ValueList<string> want)
    {
        var places = new Dictionary<string, int>(was.Count, StringComparer.Ordinal);
        for (var i = 0; i < was.Count; i++)
        {
            if (!places.TryAdd(was[i], i))
            {
                return null;
            }
        }
        var edits = new List<RuleEdit>();
        var wanted = new HashSet<string>(want.Count, StringComparer.Ordinal);
        var before = 0; // how many of the old rules stand before the next one
        foreach (var rule in want)
        {
            if (!wanted.Add(rule))
            {
                return null;
            }
            if (!places.TryGetValue(rule, out var place))
            {
                edits.Add(new RuleEdit(rule, before + edits.Count + 1));
            }
            else if (place < before)
            {
                return null;
            }
            else
            {
                before = place + 1;
            }
        }
        foreach (var rule in was)
        {
            if (!wanted.Contains(rule))
            {
                edits.Add(new RuleEdit(rule, null));
            }
        }
        return edits;
    }
}
