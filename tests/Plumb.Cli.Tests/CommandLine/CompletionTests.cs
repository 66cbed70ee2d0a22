using Plumb.CommandLine;

namespace Plumb.Cli.Tests.CommandLine;

public sealed class CompletionTests
{
    [Theory]
    [InlineData("plumb st", "status store")]
    [InlineData("plumb completions ", "bash fish zsh --help")]
    [InlineData("plumb up --ov", "--overlay")]
    [InlineData("plumb up --overlay ", "routed vxlan")]
    [InlineData("plumb up --name x --overlay r", "routed")]
    [InlineData("plumb status -o ", "json text")]
    [InlineData("plumb shell node-1 --namespaces net,p", "net,pid net,pid,mount")]
    [InlineData("plumb up -f Plumb.sl", "Plumb.slnx")]
    [InlineData("plumb shell node-1 -- tcpdum", "tcpdump")]
    public async Task Bash_completes(string line, string words)
    {
        var script = $$"""
            {{Completions.Bash()}}
            COMP_WORDS=({{line}}{{(line.EndsWith(' ') ? " ''" : "")}})
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _plumb
            printf '%s\n' "${COMPREPLY[@]}" | sort -u
            """;

        var run = await Ran.Program("/bin/bash", ["-c", script], new Dictionary<string, string?> { ["LC_ALL"] = "C" }, Checkout.Root);

        Assert.Equal(words.Split(' ').Order(StringComparer.Ordinal), run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task Bash_completes_names_of_labs()
    {
        using var folder = new TemporaryFolder();
        folder.Write("plumb/blue/lock", "");
        var script = $"{Completions.Bash()}\nCOMP_WORDS=(plumb down bl) COMP_CWORD=2\n_plumb\necho ${{COMPREPLY[@]}}";

        var run = await Ran.Program("/bin/bash", ["-c", script], new Dictionary<string, string?> { ["XDG_RUNTIME_DIR"] = folder.FullName });

        Assert.Equal("blue\n", run.Output);
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task The_other_shells_get_every_command_and_option(string shell)
    {
        var script = (await Said.By("completions", shell)).Output;

        foreach (var verb in Verbs.Every())
        {
            Assert.Contains(verb.Name, script);
            Assert.All(verb.Options, option => Assert.Contains(shell == "zsh" ? option.Name : $"-l {option.Name[2..]}", script));
        }
        var program = $"/usr/bin/{shell}";
        if (File.Exists(program))
        {
            using var folder = new TemporaryFolder();
            var check = await Ran.Program(program, ["-n", folder.Write("script", script)]);
            Assert.True(check.ExitCode == 0, check.Error);
        }
    }
}
