using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Kubernetes.Tests.Manifests;

public sealed class ManifestReaderTests
{
    [Theory]
    [InlineData("yes", "true")]
    [InlineData("On", "true")]
    [InlineData("y", "true")]
    [InlineData("no", "false")]
    [InlineData("OFF", "false")]
    [InlineData("yEs", "\"yEs\"")]
    [InlineData("'yes'", "\"yes\"")]
    [InlineData("!!str yes", "\"yes\"")]
    [InlineData("~", "null")]
    [InlineData("null", "null")]
    [InlineData("", "null")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("80", "80")]
    [InlineData("+80", "80")]
    [InlineData("-1", "-1")]
    [InlineData("010", "8")]
    [InlineData("0o10", "8")]
    [InlineData("0x1F", "31")]
    [InlineData("0b11", "3")]
    [InlineData("08", "8")]
    [InlineData("1_000", "1000")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("1.5", "1.5")]
    [InlineData("1e3", "1000")]
    [InlineData(".5", "0.5")]
    [InlineData("1.2.3.4", "\"1.2.3.4\"")]
    [InlineData("10.0.0.0/8", "\"10.0.0.0/8\"")]
    [InlineData("1:20", "\"1:20\"")]
    [InlineData("2026-11-21", "\"2026-11-21\"")]
    [InlineData("-", "[null]")]
    [InlineData("100m", "\"100m\"")]
    [InlineData("!!binary aGk=", "\"hi\"")]
    public void Scalars_are_those_of_YAML_1_1(string yaml, string json)
    {
        string source = yaml == "-" ? "v:\n-" : "v: " + yaml;
        Assert.Equal(json, ManifestReader.ReadDocument("f.yaml", Encoding.UTF8.GetBytes(source))!["v"]?.ToJsonString() ?? "null");
    }

    [Fact]
    public void Keys_become_texts() => Assert.Equal("""{"true":1,"1":2,"a":3}""", Yaml("on: 1\n1: 2\na: 3").ToJsonString());

    [Fact]
    public void Anchors_aliases_and_merge_keys_are_resolved() => Assert.Equal(
        """{"base":{"a":1,"b":2},"one":{"b":3,"a":1},"list":[{"a":1,"b":2}]}""",
        Yaml("base: &b {a: 1, b: 2}\none:\n  <<: *b\n  b: 3\nlist: [*b]").ToJsonString());

    [Fact]
    public void Documents_lists_and_empty_documents()
    {
        const string yaml = """
            # comment only
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: a}
            ---
            ---
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: Service, metadata: {name: b, namespace: other}}
            - {apiVersion: apps/v1, kind: Deployment, metadata: {name: c}}
            ...
            """;
        var found = ManifestReader.Parse("x.yaml", Encoding.UTF8.GetBytes(yaml));
        Assert.Equal(["/v1, Kind=Pod a", "/v1, Kind=Service b", "apps/v1, Kind=Deployment c"], found.Select(m => $"{m.Kind} {m.Name}"));
        Assert.Equal([3, 8, 8], found.Select(m => m.Line));
        Assert.Equal([null, "other", null], found.Select(m => m.Namespace));
    }

    [Fact]
    public void JSON_documents_may_follow_each_other()
    {
        var found = ManifestReader.Parse("x.json", """{"apiVersion":"v1","kind":"A"}{"apiVersion":"v1","kind":"B"}"""u8.ToArray());
        Assert.Equal(["A", "B"], found.Select(m => m.Kind.Kind));
    }

    [Fact]
    public void YAML_in_braces_is_YAML() => Assert.Single(ManifestReader.Parse("-", "{apiVersion: v1, kind: Pod}"u8.ToArray()));

    [Theory]
    [InlineData("a: [1,\nb: 2", "f.yaml:2:")]
    [InlineData("a: 1\n b: 2", "f.yaml:2:")]
    [InlineData("a:\n\t- b", "f.yaml:2:")]
    [InlineData("apiVersion: v1\nkind: Pod\nkind: Pod", "f.yaml:3:1: kind is set twice in one map")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata: x", "f.yaml:1: metadata must be a map, found the text \"x\"")]
    [InlineData("\n\nkind: Pod", "f.yaml:3: the object has no apiVersion")]
    [InlineData("apiVersion: v1", "f.yaml:1: the object has no kind")]
    [InlineData("apiVersion: v1\nkind: 5", "f.yaml:1: kind must be a text, found the number 5")]
    [InlineData("- a", "f.yaml:1: expected an object with apiVersion and kind, found a list")]
    [InlineData("hello", "f.yaml:1: expected an object with apiVersion and kind, found the text \"hello\"")]
    [InlineData("apiVersion: v1\nkind: List\nitems: [5]", "f.yaml:1: items[0]: expected an object with apiVersion and kind, found the number 5")]
    [InlineData("a: *b", "f.yaml:1:4: ")]
    [InlineData("a: .inf", "f.yaml:1:4: .inf cannot be said in JSON")]
    [InlineData("? [a]\n: b", "f.yaml:1:3: a key of a map must be a text")]
    public void Errors_say_where_and_what_in_one_line(string yaml, string message)
    {
        var error = Assert.Throws<ManifestException>(() => ManifestReader.Parse("f.yaml", Encoding.UTF8.GetBytes(yaml)));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Broken_JSON_says_where()
    {
        var error = Assert.Throws<ManifestException>(() => ManifestReader.Parse("f.json", "{\n  \"a\": x\n}"u8.ToArray()));
        Assert.Equal("f.json:2:8: not JSON: invalid character 'x' looking for beginning of value", error.Message);
    }

    [Fact]
    public void What_is_not_UTF_8_says_where() =>
        Assert.StartsWith("f.yaml:2: not text", Assert.Throws<ManifestException>(() => ManifestReader.Parse("f.yaml", new byte[] { (byte)'a', 10, 0xff, 0xfe })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_few_lines_cannot_become_gigabytes()
    {
        var yaml = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (int i = 1; i < 9; i++)
            yaml.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        Assert.Contains("stand for more than", Assert.Throws<ManifestException>(() => ManifestReader.ReadDocument("f", Encoding.UTF8.GetBytes(yaml.ToString()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused_and_does_not_overflow() =>
        Assert.Throws<ManifestException>(() => ManifestReader.Parse("f", Encoding.UTF8.GetBytes("a: " + new string('[', 5000))));

    [Fact]
    public void Folders_are_read_to_the_bottom_in_the_order_of_names()
    {
        var folder = Directory.CreateTempSubdirectory("plumb-manifests");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "b"));
            foreach (string name in (string[])["c.yml", "a.yaml", "b/d.json", "e.txt"])
                File.WriteAllText(Path.Combine(folder.FullName, name), $$"""{"apiVersion":"v1","kind":"{{Path.GetFileNameWithoutExtension(name)}}"}""");
            Assert.Equal(["a", "d", "c"], ManifestReader.Read(folder.FullName).Select(m => m.Kind.Kind));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_missing_file_is_named() => Assert.Equal("/nowhere/x.yaml: no such file or folder", Assert.Throws<ManifestException>(() => ManifestReader.Read("/nowhere/x.yaml")).Message);

    [Fact]
    public void A_dash_is_standard_input()
    {
        using var stdin = new MemoryStream("apiVersion: v1\nkind: Pod"u8.ToArray());
        Assert.Equal("stdin", Assert.Single(ManifestReader.Read("-", stdin)).File);
    }

    [Fact]
    public void No_text_fails_in_another_way() => Prop.ForAll(
        Arb.From(Gen.ListOf(Gen.Elements("a", ": ", "\n", "- ", "  ", "\t", "&a ", "*a", "[", "]", "{", "}", ",", "'", "\"", "|", ">", "#", "!!int ", "? ", "---\n", "...\n", "%", "@", "<<", "0x", "\0", "\u0085")).Select(string.Concat)),
        text =>
        {
            try
            {
                ManifestReader.Parse("f", Encoding.UTF8.GetBytes(text));
            }
            catch (ManifestException)
            {
            }
            return true;
        }).QuickCheckThrowOnFailure();

    private static JsonObject Yaml(string text) => ManifestReader.ReadDocument("f.yaml", Encoding.UTF8.GetBytes(text))!;
}
