using System.Text.RegularExpressions;

namespace Plumb.House;

/// <summary>What our code looks like and what it never does.</summary>
public sealed partial class SourceTests
{
    private const int MostLines = 450;
    private const int MostFiles = 22;

    private static IEnumerable<Source> Product => Repository.Sources("src");

    private static IEnumerable<Source> All => Repository.Sources("src", "tests", "bench");

    [Fact]
    public void System_calls_are_imported_in_Plumb_Linux_and_in_the_relay_only() => Rule.Holds(
        "put the call in Plumb.Linux, behind a method that says its unit, byte order and errors",
        Rule.Matches(Product.Where(s => s.Project is not ("Plumb.Linux" or "Plumb.Cni")), Import()));

    [Fact]
    public void Processes_are_started_by_Spawn_only() => Rule.Holds(
        "start it with Plumb.Linux's Spawn, which ends what it started",
        Rule.Matches(Product, StartsProcess()));

    [Fact]
    public void Nothing_returns_void_and_goes_on() => Rule.Holds(
        "return Task and await it: an exception in `async void` ends the process",
        Rule.Matches(All.Where(s => s.Project != "Plumb.House"), AsyncVoid()));

    [Fact]
    public void Nothing_sleeps_for_a_fixed_time() => Rule.Holds(
        "await the event; where there is none, back off through the injected TimeProvider",
        Rule.Matches(Product, Sleep()).Concat(Rule.Matches(Repository.Sources("tests"), ThreadSleep())));

    [Fact]
    public void Time_and_chance_are_injected() => Rule.Holds(
        "take a TimeProvider, or a seeded Random, in the constructor; only Program.cs uses the real ones",
        // The lab is a program's inside: it hands its floors the process's own chance, for back-off and for tokens.
        Rule.Matches(Product.Where(s => s.Name != "Program.cs" && s.Project != "Plumb.Lab"), RealTime()));

    [Fact]
    public void Nothing_is_left_for_later() => Rule.Holds(
        "do it, or leave it out and say so in an issue",
        Rule.Matches(All.Where(s => s.Project != "Plumb.House"), Later())
            .Concat(from source in All.Where(s => s.Project != "Plumb.House")
                    from line in source.Lines.Select((text, i) => (Text: text, Number: i + 1))
                    where ToDo().IsMatch(line.Text)
                    select $"{source.Path}:{line.Number}: {line.Text.Trim()}"));

    [Fact]
    public void A_file_holds_one_idea() => Rule.Holds(
        $"a file over {MostLines} lines is two ideas: give each its own file",
        from source in All
        where source.Lines.Length > MostLines
        select $"{source.Path}: {source.Lines.Length} lines");

    [Fact]
    public void A_folder_can_be_read_at_a_glance() => Rule.Holds(
        $"a folder with more than {MostFiles} files has a sub-folder in it that wants a name",
        from source in All
        group source by source.Folder into folder
        where folder.Count() > MostFiles
        select $"{folder.Key}: {folder.Count()} files");

    [Fact]
    public void Folders_are_namespaces() => Rule.Holds(
        "src/Plumb.Linux/Netlink/X.cs is `namespace Plumb.Linux.Netlink;`: move the file or rename the namespace",
        from source in All
        let expected = source.Folder[(source.Folder.IndexOf('/') + 1)..].Replace('/', '.')
        let declared = source.Lines.Select(l => Namespace().Match(l)).FirstOrDefault(m => m.Success)?.Groups[1].Value
        where declared is null ? source.Code().Any(l => DeclaresType().IsMatch(l.Text)) : declared != expected
        select $"{source.Path}: {declared ?? "no file-scoped namespace"} is not {expected}");

    [Fact]
    public void Types_are_named_for_what_they_are() => Rule.Holds(
        "Manager, Helper and Utils name nothing: say what it is in the field's own word (Link, Lease, Chain, …)",
        Rule.Matches(All, VagueType()));

    [Fact]
    public void Tests_find_their_data_beside_themselves() => Rule.Holds(
        "the path of the source at build time need not exist where tests run: copy the data to the output, or look for Plumb.slnx upwards from AppContext.BaseDirectory",
        Rule.Matches(Repository.Sources("tests").Where(s => s.Project != "Plumb.House"), CallerPath()));

    [Fact]
    public void No_two_log_events_have_one_id()
    {
        var events = from source in Product
                     from line in source.Code()
                     let id = LogEvent().Match(line.Text)
                     where id.Success
                     group $"{source.Path}:{line.Number}" by (source.Project, Id: id.Groups[1].Value) into e
                     where e.Count() > 1
                     select $"{e.Key.Project}: event {e.Key.Id} at {string.Join(" and ", e)}";
        Rule.Holds("an event id names one event for ever: give the new one the next free number of its project", events);
    }

    [GeneratedRegex(@"\[(DllImport|LibraryImport)\b")]
    private static partial Regex Import();

    [GeneratedRegex(@"\bProcess\.Start\b|\bProcessStartInfo\b|\bnew Process\b")]
    private static partial Regex StartsProcess();

    [GeneratedRegex(@"\basync void\b")]
    private static partial Regex AsyncVoid();

    [GeneratedRegex(@"\bThread\.Sleep\b|\bTask\.Delay\(\s*(\d|TimeSpan\.From\w+\(\s*\d)")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\bThread\.Sleep\b")]
    private static partial Regex ThreadSleep();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Now|UtcNow|Today)\b|\bnew Random\(\)|\bRandom\.Shared\b")]
    private static partial Regex RealTime();

    [GeneratedRegex(@"NotImplementedException|^\s*#region")]
    private static partial Regex Later();

    [GeneratedRegex(@"//.*\b(TODO|FIXME|XXX|HACK)\b")]
    private static partial Regex ToDo();

    [GeneratedRegex(@"^namespace ([\w.]+);")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^\s*((public|internal|file|sealed|static|abstract|partial|readonly)\s+)+(class|record|struct|interface|enum|delegate)\s")]
    private static partial Regex DeclaresType();

    [GeneratedRegex(@"\b(class|record|struct|interface|enum)\s+\w*(Manager|Helper|Helpers|Utils|Util|Impl)\b")]
    private static partial Regex VagueType();

    [GeneratedRegex(@"\[CallerFilePath\]")]
    private static partial Regex CallerPath();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex LogEvent();
}
