using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>Reads what <c>iptables-save</c> prints, with counters (<c>-c</c>) or without.</summary>
public static class IptablesSave
{
    private static readonly KernelFacts NoFacts = new();

    /// <summary>Chains, and the rules of built-in ones; whose each is follows from <see cref="IptablesMark"/>.</summary>
    /// <exception cref="FormatException">A line that is none of the format's; the message says which.</exception>
    /// <param name="legacyBeside">See <see cref="IptablesTable.IsLegacyBeside"/>.</param>
    public static IReadOnlyList<Observed> Read(string text, IpFamily family, NamespaceId space, bool legacyBeside = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var all = new List<Observed>();
        Table? table = null;
        var number = 0;
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var line = TakeLine(ref rest, ref number);
            if (line.IsEmpty || line[0] == '#')
            {
                continue;
            }
            if (line[0] == '*')
            {
                table = new Table(new IptablesTable(family, line[1..].Trim().ToString()) { IsLegacyBeside = legacyBeside }, space);
            }
            else if (table is null)
            {
                throw Bad(number, line, "it stands in no table");
            }
            else if (line is "COMMIT")
            {
                table.AddTo(all);
                table = null;
            }
            else if (!(line[0] == ':' ? table.TryDeclare(line[1..]) : table.TryAppend(line)))
            {
                throw Bad(number, line, line[0] == ':' ? "expected ':CHAIN POLICY [packets:bytes]'" : "expected '-A CHAIN rule' of a chain that was named above");
            }
        }
        return table is null ? all : throw new FormatException($"iptables-save ended within table {table.Id}");
    }

    // A comment may hold anything, and the program prints the ends of lines in it as they are: a rule ends where its quotes are closed.
    private static ReadOnlySpan<char> TakeLine(ref ReadOnlySpan<char> rest, ref int number)
    {
        var isQuoted = false;
        number++;
        for (var i = 0; i < rest.Length; i++)
        {
            switch (rest[i])
            {
                case '\\' when isQuoted:
                    i++;
                    break;
                case '"' when rest[0] != '#':
                    isQuoted = !isQuoted;
                    break;
                case '\n' when isQuoted:
                    number++;
                    break;
                case '\n':
                    var line = rest[..i];
                    rest = rest[(i + 1)..];
                    return line;
            }
        }
        var last = rest;
        rest = [];
        return last;
    }

    private static FormatException Bad(int number, ReadOnlySpan<char> line, string why) =>
        new($"line {number} of iptables-save is not understood, '{line}': {why}");

    private sealed class Table(IptablesTable id, NamespaceId space)
    {
        private readonly List<(string Name, string? Policy, List<string> Rules)> _chains = [];
        private readonly Dictionary<string, List<string>> _rules = new(StringComparer.Ordinal);

        public IptablesTable Id => id;

        public bool TryDeclare(ReadOnlySpan<char> line)
        {
            var nameEnd = line.IndexOf(' ');
            if (nameEnd <= 0)
            {
                return false;
            }
            var name = line[..nameEnd].ToString();
            var policy = line[(nameEnd + 1)..];
            policy = policy.IndexOf(' ') is >= 0 and var end ? policy[..end] : policy;
            var rules = new List<string>();
            _chains.Add((name, policy is "-" ? null : policy.ToString(), rules));
            return _rules.TryAdd(name, rules);
        }

        public bool TryAppend(ReadOnlySpan<char> line)
        {
            if (line[0] == '[' && line.IndexOf("] ") is >= 0 and var counted)
            {
                line = line[(counted + 2)..];
            }
            if (!line.StartsWith("-A "))
            {
                return false;
            }
            line = line[3..];
            // A rule without conditions and target ends with its chain's name.
            var nameEnd = line.IndexOf(' ') is >= 0 and var space ? space : line.Length;
            if (!_rules.TryGetValue(line[..nameEnd].ToString(), out var rules))
            {
                return false;
            }
            rules.Add(RuleText.Canonical(line[nameEnd..].Trim().ToString()));
            return true;
        }

        public void AddTo(List<Observed> all)
        {
            var mark = _rules.GetValueOrDefault(IptablesMark.Chain) ?? [];
            var owned = IptablesMark.Names(mark);
            var jumps = IptablesMark.Jumps(mark);
            foreach (var (name, policy, rules) in _chains)
            {
                var owner = policy is not null ? Owner.Kernel : IptablesMark.Matches(owned, name) ? Owner.Plumb : Owner.Foreign;
                var chain = new IptablesChainEntry(space, id, name) { Policy = policy };
                all.Add(new Observed(policy is null ? chain with { Rules = [.. rules] } : chain, owner, null, NoFacts));
                if (policy is not null)
                {
                    AddRules(all, name, rules, owned, jumps);
                }
            }
        }

        private void AddRules(List<Observed> all, string chain, List<string> rules, IReadOnlyList<string> owned, IReadOnlyList<string> jumps)
        {
            var copies = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < rules.Count; i++)
            {
                var copy = copies.GetValueOrDefault(rules[i]);
                copies[rules[i]] = copy + 1;
                // Others may jump to Plumb's chains too.
                var isPlumbs = RuleText.Target(rules[i]) is { } target && IptablesMark.Matches(owned, target)
                    && RuleText.CommentOf(rules[i]) is { } comment && IptablesMark.Matches(jumps, comment);
                var owner = isPlumbs ? Owner.Plumb : Owner.Foreign;
                // The handle is the rule's number in its chain, as `iptables -L --line-numbers` shows it.
                all.Add(new Observed(new IptablesRuleEntry(space, id, chain, rules[i]) { Copy = copy }, owner, null, new KernelFacts(Handle: (ulong)i + 1)));
            }
        }
    }
}
