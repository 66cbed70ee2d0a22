using System.Xml.Linq;

namespace Plumb.House;

/// <summary>Who may use whom: the floors of the house.</summary>
public sealed class FloorTests
{
    /// <summary>Each project with those it may use. The order is the order of the floors, from the ground up.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Plumb.Cni"] = [],
        ["Plumb.Cni.Compiler"] = [],
        ["Plumb.Linux"] = [],
        ["Plumb.Linux.Json"] = ["Plumb.Linux"],
        ["Plumb.Kubernetes"] = [],
        ["Plumb.Network"] = ["Plumb.Linux", "Plumb.Kubernetes"],
        ["Plumb.Diagnosis"] = ["Plumb.Linux", "Plumb.Linux.Json", "Plumb.Kubernetes", "Plumb.Network"],
        ["Plumb.Dns"] = ["Plumb.Linux", "Plumb.Kubernetes"],
        ["Plumb.Gateway"] = ["Plumb.Linux", "Plumb.Kubernetes"],
        ["Plumb.Agent"] = ["Plumb.Linux", "Plumb.Linux.Json", "Plumb.Kubernetes", "Plumb.Network", "Plumb.Diagnosis", "Plumb.Dns", "Plumb.Gateway"],
        ["Plumb.Api"] = ["Plumb.Kubernetes"],
        ["Plumb.Lab"] = ["Plumb.Linux", "Plumb.Linux.Json", "Plumb.Kubernetes", "Plumb.Network", "Plumb.Diagnosis", "Plumb.Dns", "Plumb.Gateway", "Plumb.Agent", "Plumb.Api"],
        ["Plumb"] = ["Plumb.Cni", "Plumb.Cni.Compiler", "Plumb.Linux", "Plumb.Linux.Json", "Plumb.Kubernetes", "Plumb.Network", "Plumb.Diagnosis", "Plumb.Dns", "Plumb.Gateway", "Plumb.Agent", "Plumb.Api", "Plumb.Lab"],
    };

    public static TheoryData<string> Projects =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(p => Path.GetFileNameWithoutExtension(p)!).Order()];

    [Theory, MemberData(nameof(Projects))]
    public void A_floor_uses_only_the_floors_below_it(string project)
    {
        Assert.True(MayUse.TryGetValue(project, out var allowed), $"{project} is no floor yet: add it to {nameof(FloorTests)}.{nameof(MayUse)}, and to docs/README.md");
        Rule.Holds(
            $"{project} may use {(allowed!.Length == 0 ? "no other project" : string.Join(", ", allowed))}: move the type that is needed down, or the code that needs it up",
            from used in References(project, "ProjectReference")
            let name = Path.GetFileNameWithoutExtension(used)
            where !allowed.Contains(name)
            select $"{project} uses {name}");
    }

    [Fact]
    public void The_table_of_floors_has_no_way_up()
    {
        var floors = MayUse.Keys.ToList();
        Rule.Holds(
            "order the table so that every floor stands after those that it uses",
            from floor in MayUse
            from used in floor.Value
            where floors.IndexOf(used) >= floors.IndexOf(floor.Key)
            select $"{floor.Key} uses {used}, which is above it");
    }

    [Fact]
    public void The_heart_is_pure()
    {
        Rule.Holds(
            "Plumb.Network plans and does nothing else: hand the fact in as an object, and do the work in Plumb.Agent or Plumb.Linux",
            Rule.Matches(Repository.Sources("src/Plumb.Network"), new(@"\b(System\.Net\.Sockets|System\.Net\.Http|File\.|FileStream|Directory\.|Socket\(|HttpClient|DateTime(Offset)?\.(Utc)?Now|Stopwatch|TimeProvider|(?<!Number\.)Random\b|Environment\.|Task\.Run|Thread\b)")));
    }

    [Fact]
    public void Every_project_is_in_the_solution_and_takes_its_versions_from_one_file()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Plumb.slnx"));
        var projects = new[] { "src", "tests", "bench" }
            .Select(f => Path.Combine(Repository.Root, f)).Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.csproj", SearchOption.AllDirectories)).ToList();
        Rule.Holds("add it to Plumb.slnx",
            from project in projects
            let relative = Path.GetRelativePath(Repository.Root, project)
            where !solution.Contains($"\"{relative}\"", StringComparison.Ordinal)
            select relative);
        Rule.Holds("put the version in Directory.Packages.props",
            from project in projects
            from package in XDocument.Load(project).Descendants("PackageReference")
            where package.Attribute("Version") is not null
            select $"{Path.GetRelativePath(Repository.Root, project)}: {package}");
    }

    private static IEnumerable<string> References(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj")).Descendants(element).Select(e => (string)e.Attribute("Include")!);
}
