namespace Plumb.Cli.Tests.Scripts;

/// <summary>`./test` counts everything that can go wrong as a failure: each kind is shown with an executable that does just that.</summary>
public sealed class TestScriptTests : IDisposable
{
    // Finds the file that follows -xml, as each fake below needs it, and tells which of the two runs this is.
    private const string Preamble = """
        #!/bin/bash
        list=no
        while [ $# -gt 0 ]; do
            case $1 in
                -xml) xml=$2; shift ;;
                -trait) only=root; shift ;;
                -trait-) only=user; shift ;;
                -list) list=yes; shift ;;
            esac
            shift
        done
        result() { echo "<assemblies><assembly name=\"x\" errors=\"$4\" failed=\"$2\" not-run=\"0\" passed=\"$1\" skipped=\"$3\" time=\"0.1\" total=\"9\"></assembly></assemblies>" >"$xml"; }

        if [ $list = yes ]; then echo Some.Test; exit 0; fi

        """;

    // Most fakes have no test for root; when root runs these tests, that second run must not count twice.
    private const string NothingForRoot = "[ \"$only\" = user ] || { result 0 0 0 0; exit 0; }\n";

    private readonly TemporaryFolder _folder = new();

    public TestScriptTests() => File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_101_101);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Counts_of_all_executables_are_added_up()
    {
        var run = await Test(Fake("A", "result 2 0 1 0"), Fake("B", "result 3 0 0 0"));

        Assert.Equal("5 passed, 0 failed", run.LastLine);
        Assert.Contains("1 skipped (neither passed nor failed)", run.Output);
        Assert.Equal(0, run.ExitCode);
    }

    [Theory]
    [InlineData("a failed test", "result 4 1 0 0; exit 1", "4 passed, 1 failed", "")]
    [InlineData("an error outside of tests", "result 4 0 0 1; exit 1", "4 passed, 1 failed", "1 errors outside of tests")]
    [InlineData("no result file", "exit 0", "0 passed, 1 failed", "left no result file")]
    [InlineData("a crash before the result", "kill -SEGV $$", "0 passed, 1 failed", "crashed: exit code 139")]
    [InlineData("half a result file", "echo '<assemblies><assembly passed=\"7\"' >$xml; exit 134", "0 passed, 1 failed", "crashed: exit code 134")]
    [InlineData("an exit code that the result hides", "result 4 0 0 0; exit 3", "4 passed, 1 failed", "exit code 3 though no test failed")]
    public async Task Each_kind_of_failure_counts(string kind, string body, string lastLine, string why)
    {
        var run = await Test(Fake("Fake", body));

        Assert.True(run.LastLine == lastLine, $"{kind}: {run.Output}{run.Error}");
        Assert.Contains(why, run.Output);
        Assert.Equal(1, run.ExitCode);
    }

    [Fact]
    public async Task An_executable_that_outlives_its_time_is_ended_and_counts_as_failed()
    {
        var run = await TestWithin(1, Fake("Sleeper", "sleep 1000"));

        Assert.Equal("0 passed, 1 failed", run.LastLine);
        Assert.Contains("still ran after 1 seconds", run.Output);
    }

    [Fact]
    public async Task An_executable_that_is_missing_is_a_failure_beside_the_good_ones()
    {
        var run = await Test(Fake("Good", "result 1 0 0 0"), _folder.PathOf("Nowhere"));

        Assert.Equal("1 passed, 1 failed", run.LastLine);
        Assert.Contains("the executable is missing", run.Output);
        Assert.Equal(1, run.ExitCode);
    }

    [Fact]
    public async Task The_output_of_what_failed_is_shown_and_that_of_what_passed_is_not()
    {
        var run = await Test(Fake("Good", "echo all is well; result 1 0 0 0"), Fake("Bad", "echo look here; result 0 1 0 0; exit 1"));

        Assert.Contains("look here", run.Output);
        Assert.DoesNotContain("all is well", run.Output);
    }

    [Fact]
    public async Task A_test_has_its_own_home_and_runtime_directory()
    {
        var run = await Test(Fake("Fake", """
            [ "$(stat -c %a "$XDG_RUNTIME_DIR")" = 700 ] && touch "$HOME/x" "$XDG_RUNTIME_DIR/x" && result 1 0 0 0
            """));

        Assert.Equal("1 passed, 0 failed", run.LastLine);
    }

    [Fact]
    public async Task A_project_without_a_test_is_a_failure()
    {
        var run = await Test(_folder.Write("Empty", """
            #!/bin/bash
            while [ $# -gt 1 ]; do [ $1 != -xml ] || echo '<assemblies><assembly errors="0" failed="0" passed="0" /></assemblies>' >$2; shift; done
            """, executable: true));

        Assert.Contains("Empty: has no test", run.Output);
        Assert.Equal("0 passed, 1 failed", run.LastLine);
    }

    [Fact]
    public async Task An_ordinary_user_is_told_that_a_project_needs_root()
    {
        Assert.SkipWhen(Environment.UserName == "root", "shows what an ordinary user sees");
        var run = await Test(Fake("Good", "result 1 0 0 0"), Fake("OnlyRoot", "result 0 0 0 0"));

        Assert.Contains("OnlyRoot: all its tests need root", run.Output);
        Assert.Equal("1 passed, 0 failed", run.LastLine);
    }

    [Fact]
    public async Task What_a_test_leaves_in_its_own_temporary_directory_is_a_failure()
    {
        var run = await Test(
            Fake("Tidy", "[ $TMPDIR != /tmp ] && mkdir $TMPDIR/x && rmdir $TMPDIR/x && result 1 0 0 0"),
            Fake("Untidy", "mkdir $TMPDIR/plumb-x1 && touch $TMPDIR/y && result 1 0 0 0"));

        Assert.Equal("2 passed, 1 failed", run.LastLine);
        Assert.Matches(@"Untidy .*\(left in TMPDIR: (plumb-x1 y|y plumb-x1) \)", run.Output);
        Assert.Equal(1, run.ExitCode);
    }

    [Fact]
    public async Task Files_of_killed_runtimes_are_nobodys_fault()
    {
        var run = await Test(Fake("Killer", "touch $TMPDIR/dotnet-diagnostic-1-2-socket $TMPDIR/clr-debug-pipe-1-2-in && result 1 0 0 0"));

        Assert.Equal("1 passed, 0 failed", run.LastLine);
    }

    [Fact, Trait("Needs", "Root")]
    public async Task Root_runs_the_marked_tests_as_root_and_the_others_as_an_ordinary_user()
    {
        var run = await Test(_folder.Write("Fake", Preamble + """
            case $only,$(id -u) in
                user,0 | root,[1-9]*) exit 1 ;;
                user,*) result 10 0 0 0 ;;
                root,0) result 1 0 0 0 ;;
            esac
            """, executable: true));

        Assert.Equal("11 passed, 0 failed", run.LastLine);
    }

    [Fact]
    public async Task An_option_that_does_not_exist_is_refused()
    {
        var run = await Test("--fast");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("no option --fast", run.Error);
    }

    private string Fake(string name, string body) => _folder.Write(name, Preamble + NothingForRoot + body + "\n", executable: true);

    private static Task<Ran> Test(params string[] arguments) => TestWithin(60, arguments);

    private static Task<Ran> TestWithin(int seconds, params string[] arguments) =>
        Ran.Program(Checkout.PathOf("test"), arguments, new Dictionary<string, string?> { ["PLUMB_TEST_TIMEOUT"] = $"{seconds}" });
}
