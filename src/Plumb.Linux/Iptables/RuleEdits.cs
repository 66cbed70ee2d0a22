using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>One change of a chain's rules.</summary>
/// <param name="Position">Where the rule is put, from 1; null: the rule goes.</param>
internal readonly record struct RuleEdit(string Rule, int? Position);

/// <summary>The way from a chain's rules to others: what goes first, then what comes, in the order in which it will stand.</summary>
internal static class RuleEdits
{
    /// <summary>As few as keep the longest run of rules that stay in their order; null where a rule stands there twice, and has no name.</summary>
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
        var keeps = LongestRising(want, places);
        if (keeps is null)
        {
            return null;
        }
        var edits = new List<RuleEdit>();
        foreach (var rule in was)
        {
            if (!keeps.Contains(rule))
            {
                edits.Add(new RuleEdit(rule, null));
            }
        }
        for (var i = 0; i < want.Count; i++)
        {
            if (!keeps.Contains(want[i]))
            {
                edits.Add(new RuleEdit(want[i], i + 1));
            }
        }
        return edits;
    }

    // The longest subsequence of wanted rules whose old places rise: patience sorting.
    private static HashSet<string>? LongestRising(ValueList<string> want, Dictionary<string, int> places)
    {
        var seen = new HashSet<string>(want.Count, StringComparer.Ordinal);
        var ends = new List<int>(); // index in want of the last rule of the best run of each length
        var before = new int[want.Count];
        for (var i = 0; i < want.Count; i++)
        {
            if (!seen.Add(want[i]))
            {
                return null;
            }
            if (!places.TryGetValue(want[i], out var place))
            {
                continue;
            }
            var (low, high) = (0, ends.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                (low, high) = places[want[ends[middle]]] < place ? (middle + 1, high) : (low, middle);
            }
            before[i] = low == 0 ? -1 : ends[low - 1];
            if (low == ends.Count)
            {
                ends.Add(i);
            }
            else
            {
                ends[low] = i;
            }
        }
        var keeps = new HashSet<string>(StringComparer.Ordinal);
        for (var i = ends.Count == 0 ? -1 : ends[^1]; i >= 0; i = before[i])
        {
            keeps.Add(want[i]);
        }
        return keeps;
    }
}
