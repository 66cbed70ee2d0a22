using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>
/// How Plumb's chains are known in tables that belong to nobody. Chains of iptables have no room for a mark, and their names may have to be
/// those that another program uses too. So a table in which Plumb has chains has one more, <see cref="Chain"/>: nothing jumps there, and the
/// comments of its rules name the chains that are Plumb's. It comes and goes with them, in the same transaction.
/// </summary>
public static class IptablesMark
{
    public const string Chain = "PLUMB";

    private const string Begin = "plumb: owns ";

    /// <summary>The chain that says so.</summary>
    /// <param name="names">Names of chains; one that ends in <c>*</c> stands for all that begin so.</param>
    public static IptablesChainEntry Of(NamespaceId space, IptablesTable table, params ReadOnlySpan<string> names)
    {
        var rules = new string[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            rules[i] = $"{RuleText.Comment(Begin + names[i])} -j RETURN";
        }
        return new IptablesChainEntry(space, table, Chain) { Rules = [.. rules] };
    }

    /// <summary>The names that a mark's rules say.</summary>
    internal static IReadOnlyList<string> Names(IEnumerable<string> rules)
    {
        var names = new List<string> { Chain };
        foreach (var rule in rules)
        {
            if (RuleText.CommentOf(rule) is { } comment && comment.StartsWith(Begin, StringComparison.Ordinal))
            {
                names.Add(comment[Begin.Length..]);
            }
        }
        return names;
    }

    internal static bool Matches(IReadOnlyList<string> names, string chain)
    {
        foreach (var name in names)
        {
            if (name.EndsWith('*') ? chain.AsSpan().StartsWith(name.AsSpan(0, name.Length - 1), StringComparison.Ordinal) : chain == name)
            {
                return true;
            }
        }
        return false;
    }
}
