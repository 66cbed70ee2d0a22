namespace Plumb.Cli.Tests.Scripts;

/// <summary>`./plumb` in a small checkout of its own, with a `dotnet` that only writes down how it was called.</summary>
public sealed class PlumbScriptTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public PlumbScriptTests()
    {
        File.Copy(Checkout.PathOf("plumb"), _folder.PathOf("plumb"));
        File.SetUnixFileMode(_folder.PathOf("plumb"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in (string[])["src/Plumb/Plumb.csproj", "src/Plumb/Program.cs", "deploy/plumb.yaml", "global.json", "Directory.Build.props", "Directory.Packages.props"])
        {
            _folder.Write(file, "first");
        }
        // Publishes a program that says which build it is.
        _folder.Write("bin/dotnet", $$"""
            #!/bin/sh
            echo "$@" >>"{{_folder.PathOf("calls")}}"
            if [ -e "{{_folder.PathOf("broken")}}" ]; then echo "Program.cs(1,1): error CS1002: ; expected [/x.csproj]"; exit 1; fi
            while [ $# -gt 1 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done
            printf '#!/bin/sh\necho build %s: "$@"\nexit 7\n' "$(wc -l <"{{_folder.PathOf("calls")}}")" >"$out/plumb"
            chmod +x "$out/plumb"
            """, executable: true);
        _path = $"{_folder.PathOf("bin")}:/usr/bin:/bin";
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_builds_once_and_hands_on_words_and_exit_code()
    {
        var first = await Plumb("a b", "c");
        var second = await Plumb("d");

        Assert.Equal(("build 1: a b c\n", 7), (first.Output, first.ExitCode));
        Assert.Equal("plumb: building\n", first.Error);
        Assert.Equal(("build 1: d\n", "", 7), (second.Output, second.Error, second.ExitCode));
    }

    [Fact]
    public async Task It_builds_again_when_a_source_changed_or_went()
    {
        await Plumb();
        _folder.Write("src/Plumb/Program.cs", "second");
        var changed = await Plumb();
        File.Delete(_folder.PathOf("src/Plumb/Program.cs"));
        var removed = await Plumb();

        Assert.Equal("build 2:\n", changed.Output);
        Assert.Equal("build 3:\n", removed.Output);
    }

    [Fact]
    public async Task Packages_are_restored_locked_and_only_when_a_project_changed()
    {
        await Plumb();
        _folder.Write("src/Plumb/Program.cs", "second");
        await Plumb();
        _folder.Write("src/Plumb/Plumb.csproj", "second");
        await Plumb();

        var calls = await File.ReadAllLinesAsync(_folder.PathOf("calls"), TestContext.Current.CancellationToken);
        Assert.Contains("-p:RestoreLockedMode=true", calls[0]);
        Assert.Contains("--no-restore", calls[1]);
        Assert.Contains("-p:RestoreLockedMode=true", calls[2]);
    }

    [Fact]
    public async Task A_build_that_fails_shows_its_errors_and_leaves_the_last_good_one()
    {
        await Plumb();
        _folder.Write("src/Plumb/Program.cs", "second");
        _folder.Write("broken", "");
        var failed = await Plumb();
        var builds = Directory.GetDirectories(_folder.PathOf("artifacts/plumb"), "1*");
        File.Delete(_folder.PathOf("broken"));
        var mended = await Plumb();

        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("Program.cs(1,1): error CS1002: ; expected\n", failed.Error);
        Assert.Contains("plumb: the build failed; all of it is in ", failed.Error);
        Assert.Single(builds);
        Assert.Equal("build 3:\n", mended.Output);
    }

    [Fact]
    public async Task Two_at_once_build_once()
    {
        var both = await Task.WhenAll(Plumb(), Plumb());

        Assert.All(both, static run => Assert.Equal("build 1:\n", run.Output));
    }

    [Fact]
    public async Task An_old_build_stays_while_something_runs_from_it()
    {
        await Plumb();
        var old = Directory.GetDirectories(_folder.PathOf("artifacts/plumb"), "1*").Single(static d => !d.EndsWith("current", StringComparison.Ordinal));
        File.Copy("/bin/sleep", Path.Combine(old, "running"));
        using var running = System.Diagnostics.Process.Start(Path.Combine(old, "running"), "1000");
        try
        {
            _folder.Write("src/Plumb/Program.cs", "second");
            await Plumb();
            Assert.True(Directory.Exists(old), "the build of a running process was removed");
        }
        finally
        {
            running.Kill();
            await running.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        _folder.Write("src/Plumb/Program.cs", "third");
        await Plumb();
        Assert.False(Directory.Exists(old), "a build that nothing runs from was kept");
    }

    [Fact]
    public async Task Without_dotnet_there_is_one_clear_line()
    {
        using var tools = new TemporaryFolder();
        foreach (var tool in (string[])["find", "dirname", "readlink", "id", "mkdir"])
        {
            File.CreateSymbolicLink(tools.PathOf(tool), $"/usr/bin/{tool}");
        }

        var run = await Ran.Program(_folder.PathOf("plumb"), [], new Dictionary<string, string?> { ["PATH"] = tools.FullName });

        Assert.Equal("plumb: no dotnet in PATH; install the .NET 10 SDK: https://dotnet.microsoft.com/download\n", run.Error);
        Assert.Equal(1, run.ExitCode);
    }

    [Fact]
    public async Task A_checkout_that_cannot_be_written_and_is_not_built_gets_one_clear_line()
    {
        Assert.SkipWhen(Environment.UserName == "root", "root can write everywhere");
        File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            var run = await Plumb();

            Assert.Matches("^plumb: .* is not built and .* cannot write there; run ./plumb once as its owner, or clone it to a folder of your own\n$", run.Error);
            Assert.Equal(1, run.ExitCode);
        }
        finally
        {
            File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private Task<Ran> Plumb(params string[] arguments) =>
        Ran.Program(_folder.PathOf("plumb"), arguments, new Dictionary<string, string?> { ["PATH"] = _path, ["DOTNET_ROOT"] = null });
}
