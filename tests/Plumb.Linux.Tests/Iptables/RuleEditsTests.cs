using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Iptables;

namespace Plumb.Linux.Tests.Iptables;

public sealed class RuleEditsTests
{
    [Fact]
    public void Done_in_their_order_they_make_the_wanted_rules_of_those_that_were() =>
        Prop.ForAll(Chains().ToArbitrary(), Chains().ToArbitrary(), static (was, want) =>
        {
            var edits = RuleEdits.Between([.. was], [.. want]);
            Assert.Equal(was.Intersect(want).SequenceEqual(want.Intersect(was)), edits is not null);
            var rules = was.ToList();
            foreach (var (rule, position) in edits ?? [])
            {
                if (position is { } at)
                {
                    rules.Insert(at - 1, rule);
                }
                else
                {
                    Assert.True(rules.Remove(rule));
                }
                Assert.True(was.All(rules.Contains) || rules.Intersect(want).SequenceEqual(want));
            }
            Assert.Equal(edits is null ? was : want, rules);
            if (was.SequenceEqual(want))
            {
                Assert.Empty(edits!);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void One_rule_more_or_less_is_one_edit()
    {
        Assert.Equal([new RuleEdit("b", 2)], RuleEdits.Between(["a", "c", "d"], ["a", "b", "c", "d"]));
        Assert.Equal([new RuleEdit("c", null)], RuleEdits.Between(["a", "c", "d"], ["a", "d"]));
    }

    [Fact]
    public void A_rule_that_stands_there_twice_has_no_name()
    {
        Assert.Null(RuleEdits.Between(["a", "a"], ["a"]));
        Assert.Null(RuleEdits.Between(["a", "b"], ["b", "a"]));
        Assert.Null(RuleEdits.Between(["a"], ["b", "b"]));
    }

    private static Gen<string[]> Chains() =>
        from rules in Gen.Shuffle(Enumerable.Range(0, 20).Select(static i => $"rule {i}").ToArray())
        from count in Gen.Choose(0, 20)
        from isInOrder in Gen.Elements(true, false)
        select isInOrder ? rules.Take(count).Order(StringComparer.Ordinal).ToArray() : rules.Take(count).ToArray();
}
