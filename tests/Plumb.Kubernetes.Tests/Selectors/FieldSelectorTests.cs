using System.Text.Json.Nodes;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Kubernetes.Tests.Selectors;

public sealed class FieldSelectorTests
{
    private static readonly Dictionary<string, string> Fields = new() { ["metadata.name"] = "a", ["spec.nodeName"] = "n,1" };

    [Theory]
    [InlineData("", true)]
    [InlineData("metadata.name=a", true)]
    [InlineData("metadata.name==a", true)]
    [InlineData("metadata.name!=a", false)]
    [InlineData("metadata.name=b", false)]
    [InlineData("metadata.name=a,spec.nodeName=n\\,1", true)]
    [InlineData("metadata.name=a,spec.nodeName!=n\\,1", false)]
    [InlineData("spec.hostNetwork=", true)]
    public void A_field_selector_matches(string text, bool matches) =>
        Assert.Equal(matches, FieldSelector.Parse(text).Matches(Fields, (fields, name) => fields.GetValueOrDefault(name, "")));

    [Theory]
    [InlineData("abc", "invalid selector: 'abc'; can't understand 'abc'")]
    [InlineData("a=b,abc", "invalid selector: 'a=b,abc'; can't understand 'abc'")]
    [InlineData("a=b=c", "invalid field selector: unescaped character in value: =")]
    [InlineData("a=b\\c", "invalid field selector: invalid escape sequence: \\c")]
    public void A_broken_field_selector_is_refused_in_the_server_s_words(string text, string message) =>
        Assert.Equal(message, Assert.Throws<SelectorException>(() => FieldSelector.Parse(text)).Message);

    [Fact]
    public void The_one_value_asked_of_a_field_can_be_looked_up()
    {
        var selector = FieldSelector.Parse("spec.nodeName=n,metadata.name!=x");
        Assert.Equal("n", selector.RequiredValue("spec.nodeName"));
        Assert.Null(selector.RequiredValue("metadata.name"));
    }

    [Fact]
    public void It_prints_what_it_reads() => Assert.Equal("a=b\\,c,d!=e", FieldSelector.Parse("a==b\\,c,d!=e").ToString());

    [Fact]
    public void Every_recorded_refusal_of_a_selector_is_worded_alike()
    {
        int seen = 0;
        foreach (var line in Fixtures.Lines("refused.jsonl"))
        {
            string path = (string)line["path"]!;
            int query = path.IndexOf('?', StringComparison.Ordinal);
            if (query < 0 || (int)line["status"]! != 400)
                continue;
            string message = (string)line["response"]!["message"]!;
            string value = Uri.UnescapeDataString(path[(path.IndexOf('=', query) + 1)..]);
            if (path[(query + 1)..].StartsWith("labelSelector=", StringComparison.Ordinal))
            {
                Assert.Equal(message, Assert.Throws<SelectorException>(() => Selector.Parse(value)).Message);
                seen++;
            }
            else if (path[(query + 1)..].StartsWith("fieldSelector=", StringComparison.Ordinal))
            {
                bool custom = path.Contains("example.com", StringComparison.Ordinal);
                string[] parts = path[..query].Split('/');
                var resource = parts[1] == "api" ? new GroupVersionResource("", parts[2], parts[^1]) : new GroupVersionResource(parts[2], parts[3], parts[^1]);
                Assert.Equal(message, Assert.Throws<SelectorException>(() => SelectableFields.Check(FieldSelector.Parse(value), resource, custom)).Message);
                seen++;
            }
        }
        Assert.True(seen >= 9, $"only {seen} refusals were compared");
    }
}
