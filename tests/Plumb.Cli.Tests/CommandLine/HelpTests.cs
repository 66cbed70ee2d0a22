using Plumb.CommandLine;
using Plumb.Output;

namespace Plumb.Cli.Tests.CommandLine;

public sealed class HelpTests
{
    public static TheoryData<string> Names => [.. Verbs.Names];

    [Theory, MemberData(nameof(Names))]
    public async Task Every_command_explains_itself_with_examples_that_parse(string name)
    {
        var verb = Verbs.Find(name)!;

        var help = await Said.By(name, "--help");

        Assert.Equal(ExitCode.Done, help.ExitCode);
        Assert.Equal(help.Output, (await Said.By("help", name)).Output);
        Assert.Contains($"Usage: plumb {name}", help.Output);
        Assert.NotEmpty(verb.Examples);
        Assert.All(verb.Options, option => Assert.False(string.IsNullOrEmpty(option.Description), $"{option.Name} has no description"));
        Assert.All(verb.Examples, example => Assert.Contains(example.Line, help.Output));
        Assert.All(verb.Examples, static example => AssertParses(example.Line));
    }

    [Fact]
    public async Task Help_for_the_whole_names_every_command()
    {
        var help = await Said.By("--help");

        Assert.Equal(ExitCode.Done, help.ExitCode);
        Assert.All(Verbs.Names, name => Assert.Contains($"  {name} ", help.Output));
    }

    [Fact]
    public async Task The_version_is_one_line()
    {
        var version = await Said.By("--version");

        Assert.Matches(@"^\d+\.\d+\.\d+\S*\n$", version.Output);
    }

    [Fact]
    public void The_command_reference_is_up_to_date()
    {
        var path = Checkout.PathOf("docs", "commands.md");
        var now = Reference.Write();
        if (Environment.GetEnvironmentVariable("PLUMB_RENEW") is { Length: > 0 })
        {
            File.WriteAllText(path, now);
        }
        Assert.True(
            File.ReadAllText(path) == now,
            "docs/commands.md is not what the program says; renew it: PLUMB_RENEW=1 artifacts/bin/Plumb.Cli.Tests/release/Plumb.Cli.Tests -class '*HelpTests'");
    }

    [Fact]
    public void Colours_appear_only_where_they_are_asked_for()
    {
        Assert.Equal("text", new Style(Colours: false).Bad("text"));
        Assert.Equal("\e[31mtext\e[0m", new Style(Colours: true).Bad("text"));
        Assert.False(new Terminal(TextWriter.Null, TextWriter.Null, OutIsTerminal: false, ErrorIsTerminal: true, Colours: true).Style.Colours);
        Assert.False(new Terminal(TextWriter.Null, TextWriter.Null, OutIsTerminal: true, ErrorIsTerminal: true, Colours: false).Style.Colours);
    }

    /// <summary>The part of a shell line that plumb reads: what follows `plumb` up to a pipe, redirection, closing bracket or `--`.</summary>
    private static void AssertParses(string line)
    {
        var words = line[(line.IndexOf("plumb ", StringComparison.Ordinal) + 6)..].Split([')', '>', '|', '"'])[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var own = words.TakeWhile(static w => w != "--").ToArray();
        var verb = Verbs.Find(own[0]);
        Assert.True(verb is not null, $"no command in: {line}");
        Assert.True(verb.Parse(own[1..]).Errors.Count == 0, $"does not parse: {line}");
        Assert.True(own.Length == words.Length || verb.Tail is not null, $"nothing may follow -- in: {line}");
    }
}
