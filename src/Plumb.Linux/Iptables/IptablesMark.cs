using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>
/// How Plumb's chains are known in tables that belong to nobody. Chains of iptables have no room for a mark, and their names may have to be
/// those that another program uses too. So a table in which Plumb has chains has one more, <see cref="Chain"/>: nothing jumps there, and the
/// comments of its rules name the chains that are Plumb's, and the comments of its jumps to them. It comes before they do, and goes after them.
/// </summary>
public static class IptablesMark
{
    public const string Chain = "PLUMB";

    private const string Owns = "plumb: owns ";
    private const string JumpsBy = "plumb: jumps by ";

    /// <summary>The chain that says so.</summary>
    /// <param name="jumps">Comments of the jumps there from built-in chains. Either kind may end in <c>*</c>, and then stands for all that begin so.</param>
    /// <param name="names">Names of chains.</param>
    public static IptablesChainEntry Of(NamespaceId space, IptablesTable table, IReadOnlyList<string> jumps, params ReadOnlySpan<string> names)
    {
        ArgumentNullException.ThrowIfNull(jumps);
        var rules = new List<string>(names.Length + jumps.Count);
        foreach (var name in names)
        {
            rules.Add(Rule(Owns + name));
        }
        foreach (var comment in jumps)
        {
            rules.Add(Rule(JumpsBy + comment));
        }
        return new IptablesChainEntry(space, table, Chain) { Rules = [.. rules] };

        static string Rule(string comment) => $"{RuleText.Comment(comment)} -j RETURN";
    }

    /// <summary>The names that a mark's rules say, and its own.</summary>
    internal static IReadOnlyList<string> Names(IReadOnlyCollection<string> mark) => [Chain, .. Said(mark, Owns)];

    /// <summary>The comments of jumps that a mark's rules say.</summary>
    internal static IReadOnlyList<string> Jumps(IReadOnlyCollection<string> mark) => [.. Said(mark, JumpsBy)];

    private static IEnumerable<string> Said(IReadOnlyCollection<string> mark, string begin)
    {
        foreach (var rule in mark)
        {
            if (RuleText.CommentOf(rule) is { } comment && comment.StartsWith(begin, StringComparison.Ordinal))
            {
                yield return comment[begin.Length..];
            }
        }
    }

    internal static bool Matches(IReadOnlyList<string> names, string one)
    {
        foreach (var name in names)
        {
            if (name.EndsWith('*') ? one.AsSpan().StartsWith(name.AsSpan(0, name.Length - 1), StringComparison.Ordinal) : one == name)
            {
                return true;
            }
        }
        return false;
    }
}
