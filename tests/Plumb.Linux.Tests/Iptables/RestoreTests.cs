using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Iptables;

/// <summary>What is written, read as the program reads it: what stands after each transaction is what packets meet.</summary>
public sealed class RestoreTests
{
    private static readonly NamespaceId Node = new("node-1");
    private static readonly IptablesTable Nat = new(IpFamily.V4, IptablesTable.Nat);

    [Fact]
    public void However_small_a_transaction_is_a_chain_always_holds_all_of_its_old_rules_or_all_of_its_new_ones() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), static seed =>
        {
            var random = new Random(seed);
            var (was, want) = (RandomRules(random), RandomRules(random));
            var items = new[] { new DeltaItem(new Desired(Chain("KUBE-SVC-A", want)), Chain("KUBE-SVC-A", was)) };
            var table = new Dictionary<string, List<string>>(StringComparer.Ordinal) { ["KUBE-SVC-A"] = [.. was] };
            var most = random.Next(400, 20_000);
            foreach (var state in StatesOf(IptablesRestore.Of(items, IpFamily.V4, most).Text, table))
            {
                var rules = state["KUBE-SVC-A"];
                Assert.True(IsWithin(was, rules) || IsWithin(want, rules), $"of {was.Count} and {want.Count} rules it holds {string.Join(' ', rules)}");
            }
            Assert.Equal(want, table["KUBE-SVC-A"]);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void In_every_transaction_it_is_said_whose_the_chains_are_and_nothing_leads_to_a_chain_that_is_not_there()
    {
        Entry[] all =
        [
            new IptablesRuleEntry(Node, Nat, "PREROUTING", "-j KUBE-SERVICES"),
            Chain("KUBE-SERVICES", ["-j KUBE-SVC-A", "-j KUBE-SVC-B"]),
            Chain("KUBE-SVC-A", ["-j RETURN"]),
            Chain("KUBE-SVC-B", ["-j KUBE-SVC-A"]),
            IptablesMark.Of(Node, Nat, [], "KUBE-*"),
        ];
        var table = new Dictionary<string, List<string>>(StringComparer.Ordinal) { ["PREROUTING"] = [] };
        var transactions = 0;
        foreach (var isComing in new[] { true, false })
        {
            DeltaItem[] items = [.. all.Select(entry => isComing ? new DeltaItem(new Desired(entry), null) : new DeltaItem(null, entry))];
            foreach (var state in StatesOf(IptablesRestore.Of(items, IpFamily.V4, mostBytes: 1, removesLast: !isComing).Text, table))
            {
                transactions++;
                Assert.True(state.ContainsKey(IptablesMark.Chain) || state.Keys.All(static name => name == "PREROUTING"), string.Join(' ', state.Keys));
                Assert.All(state.Values.SelectMany(static rules => rules), rule => Assert.True(rule.EndsWith("RETURN", StringComparison.Ordinal) || state.ContainsKey(rule[3..]), rule));
            }
        }
        Assert.InRange(transactions, 10, 20);
        Assert.Equal("PREROUTING", Assert.Single(table.Keys));
    }

    // What stands after each COMMIT.
    private static IEnumerable<Dictionary<string, List<string>>> StatesOf(string text, Dictionary<string, List<string>> table)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line == "COMMIT")
            {
                yield return table;
            }
            else if (line[0] == ':')
            {
                table[line[1..line.IndexOf(' ', StringComparison.Ordinal)]] = [];
            }
            else if (line[0] != '*')
            {
                Do(line.Split(' ', 3), table);
            }
        }
    }

    private static void Do(string[] words, Dictionary<string, List<string>> table)
    {
        var (rules, rest) = (table[words[1]], words.Length == 3 ? words[2] : "");
        switch (words[0])
        {
            case "-A":
                rules.Add(rest);
                break;
            case "-I" when int.TryParse(rest.Split(' ')[0], CultureInfo.InvariantCulture, out var at):
                rules.Insert(at - 1, rest[(rest.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
                break;
            case "-I":
                rules.Insert(0, rest);
                break;
            case "-D" when int.TryParse(rest, CultureInfo.InvariantCulture, out var at):
                rules.RemoveAt(at - 1);
                break;
            case "-D":
                Assert.True(rules.Remove(rest), rest);
                break;
            case "-X":
                Assert.Empty(rules);
                table.Remove(words[1]);
                break;
            default:
                Assert.Fail(words[0]);
                break;
        }
    }

    private static bool IsWithin(List<string> part, List<string> whole)
    {
        var at = 0;
        foreach (var rule in whole)
        {
            at += at < part.Count && part[at] == rule ? 1 : 0;
        }
        return at == part.Count;
    }

    // A few of them others, a few in another place, or all of them others: as with endpoints, of which each has another share when one comes.
    private static List<string> RandomRules(Random random)
    {
        var (share, moves) = (random.Next(3), random.Next(20));
        return [.. Enumerable.Range(0, random.Next(2, 150)).Where(_ => random.Next(10) != 0).OrderBy(i => random.Next(40) < moves / 10 ? 0 : i).Select(i => $"-j KUBE-SEP-{i}-{share}"), "-j KUBE-SEP-LAST"];
    }

    private static IptablesChainEntry Chain(string name, List<string> rules) => new(Node, Nat, name) { Rules = [.. rules] };
}
