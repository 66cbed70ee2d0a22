using FsCheck;
using FsCheck.Fluent;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Kubernetes.Tests.Selectors;

public sealed class SelectorTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["app"] = "web", ["tier"] = "front", ["n"] = "5", ["empty"] = "" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web", true)]
    [InlineData("app = web , tier=front", true)]
    [InlineData("app=wex", false)]
    [InlineData("app=web,tier=back", false)]
    [InlineData("app!=web", false)]
    [InlineData("other!=web", true)]
    [InlineData("app", true)]
    [InlineData("other", false)]
    [InlineData("!app", false)]
    [InlineData("!other", true)]
    [InlineData("app in (a,web)", true)]
    [InlineData("app in (a, b)", false)]
    [InlineData("app notin (a,b)", true)]
    [InlineData("app notin (web)", false)]
    [InlineData("other notin (web)", true)]
    [InlineData("empty in ()", true)]
    [InlineData("empty=", true)]
    [InlineData("empty in (,x)", true)]
    [InlineData("n>4", true)]
    [InlineData("n>5", false)]
    [InlineData("n<6", true)]
    [InlineData("n<5", false)]
    [InlineData("app>4", false)]
    public void A_selector_matches_what_kubectl_means_by_it(string text, bool matches)
    {
        // `in ()` has no values at all, which the server refuses; beside it stands the list with an empty value.
        if (text == "empty in ()")
            Assert.Throws<SelectorException>(() => Selector.Parse(text));
        else
            Assert.Equal(matches, Selector.Parse(text).Matches(Labels));
    }

    [Theory]
    [InlineData("a b c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt")]
    [InlineData("a in b", "unable to parse requirement: found 'b' expected: '('")]
    [InlineData("a===b", "unable to parse requirement: found '=', expected: identifier")]
    [InlineData("a=b)", "found ')', expected: ',' or 'end of string'")]
    [InlineData("a,", "found '', expected: identifier after ','")]
    [InlineData(",a", "found ',', expected: !, identifier, or 'end of string'")]
    [InlineData("a in (b", "unable to parse requirement: found '', expected: ',' or ')'")]
    public void A_broken_selector_is_refused_in_the_server_s_words(string text, string message) =>
        Assert.Equal(message, Assert.Throws<SelectorException>(() => Selector.Parse(text)).Message);

    [Theory]
    [InlineData("a=-b")]
    [InlineData("a=b_")]
    [InlineData("-a=b")]
    [InlineData("UPPER.example/a/b")]
    [InlineData("Example.com/a")]
    [InlineData("/a")]
    [InlineData("n>x")]
    public void Keys_and_values_must_be_labels(string text) => Assert.Throws<SelectorException>(() => Selector.Parse(text));

    [Fact]
    public void A_value_has_at_most_63_characters()
    {
        Assert.NotNull(Selector.Parse("a=" + new string('x', 63)));
        Assert.Contains("no more than 63", Assert.Throws<SelectorException>(() => Selector.Parse("a=" + new string('x', 64))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("In", "web", true)]
    [InlineData("NotIn", "web", false)]
    [InlineData("Exists", null, true)]
    [InlineData("DoesNotExist", null, false)]
    public void A_selector_object_matches(string op, string? value, bool matches)
    {
        var selector = new LabelSelector
        {
            MatchLabels = new Dictionary<string, string> { ["tier"] = "front" },
            MatchExpressions = [new() { Key = "app", Operator = op, Values = value is null ? [] : [value] }],
        };
        Assert.Equal(matches, Selector.From(selector).Matches(Labels));
    }

    [Fact]
    public void No_selector_selects_nothing_and_an_empty_one_everything()
    {
        Assert.False(Selector.From(null).Matches(Labels));
        Assert.True(Selector.From(new LabelSelector()).Matches(Labels));
    }

    [Fact]
    public void An_unknown_operator_is_named() => Assert.Equal(
        "\"Has\" is not a valid label selector operator",
        Assert.Throws<SelectorException>(() => Selector.From(new LabelSelector { MatchExpressions = [new() { Key = "a", Operator = "Has" }] })).Message);

    [Fact]
    public void What_a_selector_prints_it_reads_back()
    {
        var word = Gen.Elements("a", "b.c/d", "x-y", "z9");
        var value = Gen.Elements("", "1", "v", "in", "notin");
        var term = Gen.OneOf(
            word, word.Select(k => "!" + k),
            Gen.Zip(word, value).Select(p => $"{p.Item1}={p.Item2}"), Gen.Zip(word, value).Select(p => $"{p.Item1}!={p.Item2}"),
            Gen.Zip(word, Gen.NonEmptyListOf(value)).Select(p => $"{p.Item1} in (w,{string.Join(',', p.Item2)})"),
            Gen.Zip(word, Gen.NonEmptyListOf(value)).Select(p => $"{p.Item1} notin (w,{string.Join(',', p.Item2)})"),
            word.Select(k => k + ">3"), word.Select(k => k + "<3"));
        Prop.ForAll(Arb.From(Gen.ListOf(term).Select(terms => string.Join(',', terms))), text =>
        {
            string printed = Selector.Parse(text).ToString();
            return printed == Selector.Parse(printed).ToString();
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_text_makes_the_parser_fail_in_another_way()
    {
        var piece = Gen.Elements("a", "in", "notin", "(", ")", ",", "!", "=", "==", "!=", "<", ">", " ", "/", "-", "é", "\\");
        Prop.ForAll(Arb.From(Gen.ListOf(piece).Select(string.Concat)), text =>
        {
            try
            {
                Selector.Parse(text);
                FieldSelector.Parse(text);
            }
            catch (SelectorException)
            {
            }
            return true;
        }).QuickCheckThrowOnFailure();
    }
}
