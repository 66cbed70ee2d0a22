using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plumb.House;

/// <summary>What the pages say exists.</summary>
public sealed partial class DocsTests
{
    [Fact]
    public void Links_lead_somewhere() => Rule.Holds(
        "correct the link, or write the page",
        from page in Repository.Pages()
        from link in Link().Matches(WithoutCode(page)).Select(m => m.Groups[1].Value)
        where !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith("mailto:", StringComparison.Ordinal)
        let parts = link.Split('#', 2)
        let target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0])
        let full = Path.GetFullPath(Path.Combine(Repository.Root, target))
        where !File.Exists(full) && !Directory.Exists(full)
            || (parts.Length == 2 && full.EndsWith(".md", StringComparison.Ordinal) && !Anchors(full).Contains(parts[1]))
        select $"{page}: {link}");

    [Fact]
    public void Every_page_below_docs_can_be_found_from_its_first_page()
    {
        var index = File.ReadAllText(Path.Combine(Repository.Root, "docs/README.md"));
        Rule.Holds(
            "link it from docs/README.md",
            from page in Repository.Pages()
            where page.StartsWith("docs/", StringComparison.Ordinal) && page != "docs/README.md"
            where !index.Contains($"({page["docs/".Length..]})", StringComparison.Ordinal)
            select page);
    }

    [Fact]
    public void Every_package_that_is_shipped_stands_with_its_version_in_the_page_of_dependencies()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs/dependencies.md"));
        var packages =
            from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "packages.lock.json", SearchOption.AllDirectories)
            from target in JsonElement.Parse(File.ReadAllText(file)).GetProperty("dependencies").EnumerateObject()
            from package in target.Value.EnumerateObject()
            where package.Value.GetProperty("type").GetString() != "Project"
            select $"| `{package.Name}` | {package.Value.GetProperty("resolved").GetString()} |";
        Rule.Holds("write it into docs/dependencies.md with its licence", packages.Distinct().Where(line => !page.Contains(line, StringComparison.Ordinal)));
    }

    [Fact]
    public void Decisions_are_numbered_without_a_gap()
    {
        var names = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs/decisions"), "*.md").Select(p => Path.GetFileName(p)!).Order().ToList();
        Assert.NotEmpty(names);
        Rule.Holds("number decisions 0001, 0002, … in the order in which they were taken",
            from pair in names.Select((name, i) => (name, i))
            where !pair.name.StartsWith($"{pair.i + 1:0000}-", StringComparison.Ordinal)
            select pair.name);
    }

    [Fact]
    public void Tests_that_a_page_names_are_there()
    {
        var tests = Repository.Sources("tests").SelectMany(static source => source.Lines).Select(static line => Method().Match(line).Groups[1].Value).ToHashSet();
        Rule.Holds(
            "name the test that shows it now",
            from page in Repository.Pages()
            where page.StartsWith("docs/", StringComparison.Ordinal)
            from name in TestName().Matches(File.ReadAllText(Path.Combine(Repository.Root, page))).Select(m => m.Groups[1].Value)
            where !tests.Contains(name)
            select $"{page}: {name}");
    }

    /// <summary>Names of headings as a browser's address shows them: lower case, spaces as hyphens, no punctuation.</summary>
    private static HashSet<string> Anchors(string page) =>
        [.. from line in File.ReadLines(page)
            where line.StartsWith('#')
            select NotInAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-')];

    private static string WithoutCode(string page) => Code().Replace(File.ReadAllText(Path.Combine(Repository.Root, page)), "");

    [GeneratedRegex(@"(?<!\!)\[[^\]\n]*\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex Code();

    // Test names are sentences: nothing else between backticks has so many underscores.
    [GeneratedRegex(@"`([A-Z][a-z]*_[a-z0-9]\w*_\w+_\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"public (?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex Method();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
