using System.Diagnostics;

namespace Plumb.EndToEnd;

/// <summary>How labs begin and end, by every way there is.</summary>
public sealed class LifeTests : IAsyncDisposable
{
    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Down_leaves_no_process_and_no_file()
    {
        var lab = await _user.UpAsync("--nodes", "1");
        Assert.NotEmpty(ProcessesOfLabs());
        (await lab.ShellAsync("node-1", "true")).Succeeds();
        (await _user.PlumbAsync("down")).Succeeds();
        Assert.Empty(_user.Files);
        Assert.Empty(await EndedAsync());
    }

    [Fact]
    public async Task After_kill_9_of_the_lab_the_next_command_leaves_no_file()
    {
        await _user.UpAsync("--nodes", "1");
        foreach (var process in ProcessesOfLabs())
        {
            Kill(process, "KILL");
        }
        Assert.Empty(await EndedAsync());
        Assert.NotEmpty(_user.Files);
        Assert.Contains("no lab is running", (await _user.PlumbAsync("status")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Empty(_user.Files);
    }

    [Theory]
    [InlineData("HUP", 129)]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_to_a_lab_that_is_ready_ends_all_and_is_what_the_shell_is_told(string signal, int code)
    {
        using var up = await StartAsync("up", "--nodes", "1");
        Kill(up.Id, signal);
        await up.WaitForExitAsync(Cancel);
        Assert.Equal(code, up.ExitCode);
        Assert.Empty(_user.Files);
        Assert.Empty(await EndedAsync());
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_before_the_lab_can_hear_it_is_not_lost(string signal, int code)
    {
        using var up = Commands.Start(_user.Environment, Commands.Plumb, "up", "--nodes", "1");
        Drain(up);
        // The process that was started becomes the shell that waits for the lab's: from here on the lab itself has to end.
        await UntilAsync(() => File.ReadAllText($"/proc/{up.Id}/comm").Trim() == "sh" && Children(up.Id).Length > 0);
        Kill(up.Id, signal);
        await up.WaitForExitAsync(Cancel);
        Assert.Equal(code, up.ExitCode);
        Assert.Empty(_user.Files);
        Assert.Empty(await EndedAsync());
    }

    [Theory]
    [InlineData("sleep 1000", 143)]
    [InlineData("trap 'exit 5' TERM; echo armed; while :; do sleep 0.1; done", 5)]
    public async Task A_signal_ends_the_command_first_and_the_exit_code_stays_the_command_s(string script, int code)
    {
        using var up = Commands.Start(_user.Environment, Commands.Plumb, "up", "--nodes", "1", "--", "sh", "-c", "echo armed; " + script);
        up.BeginErrorReadLine();
        up.StandardInput.Close();
        Assert.Equal("armed", await up.StandardOutput.ReadLineAsync(Cancel));
        if (code == 5)
        {
            Assert.Equal("armed", await up.StandardOutput.ReadLineAsync(Cancel));
        }
        Kill(up.Id, "TERM");
        await up.WaitForExitAsync(Cancel);
        Assert.Equal(code, up.ExitCode);
        Assert.Empty(_user.Files);
        Assert.Empty(await EndedAsync());
    }

    [Fact]
    public async Task Commands_wait_for_a_lab_that_has_just_begun_to_start()
    {
        using var up = Commands.Start(_user.Environment, Commands.Plumb, "up", "--nodes", "2");
        Drain(up);
        await UntilAsync(() => File.Exists(Path.Combine(_user.RuntimeDirectory, "plumb", "default", "lock")));
        var answers = await Task.WhenAll(
            _user.PlumbAsync("kubeconfig"),
            _user.PlumbAsync("status", "default"),
            _user.PlumbAsync("shell", "node-2", "--", "ip", "-br", "link", "show", "cni0"),
            _user.PlumbAsync("explain", "cni0", "--node", "node-2"));
        Assert.All(answers, static answer => answer.Succeeds());
        (await _user.PlumbAsync("down")).Succeeds();
        await up.WaitForExitAsync(Cancel);
        Assert.Equal(0, up.ExitCode);
    }

    [Theory]
    [InlineData("tcpdump -c 2 -lni lo icmp")]
    [InlineData("tcpdump -Z root -c 2 -lni lo icmp")]
    public async Task Tools_that_insist_on_becoming_another_user_run_in_a_shell(string tcpdump)
    {
        (await _user.PlumbAsync("up", "--nodes", "1", "--dns-upstream", "none", "--detach")).Succeeds();

        var seen = await _user.PlumbAsync("shell", "node-1", "--", "sh", "-ec", $"ping -q -i 0.2 -w 20 127.0.0.1 > /dev/null & {tcpdump}; kill $!");

        Assert.Contains("127.0.0.1 > 127.0.0.1: ICMP echo reply", seen.Succeeds().Output, StringComparison.Ordinal);
        (await _user.PlumbAsync("down")).Succeeds();
    }

    [Fact]
    public async Task Down_ends_a_lab_that_still_waits_for_its_pods()
    {
        var manifest = Path.Combine(_user.RuntimeDirectory, "never.yaml");
        await File.WriteAllTextAsync(
            manifest,
            "{apiVersion: v1, kind: Pod, metadata: {name: never}, spec: {nodeSelector: {moon: full}, containers: [{name: main, image: httpd}]}}",
            Cancel);
        using var up = Commands.Start(_user.Environment, Commands.Plumb, "up", "--nodes", "1", "-f", manifest);
        up.StandardInput.Close();
        var lines = new List<string>();
        while (!lines.Exists(static line => line.StartsWith("objects applied", StringComparison.Ordinal)))
        {
            lines.Add(await up.StandardError.ReadLineAsync(Cancel) ?? throw new InvalidOperationException(string.Join('\n', lines)));
        }
        Assert.Contains("Starting", (await _user.PlumbAsync("status")).Succeeds().Output, StringComparison.Ordinal);
        (await _user.PlumbAsync("down")).Succeeds();
        var last = await up.StandardError.ReadToEndAsync(Cancel);
        await up.WaitForExitAsync(Cancel);
        Assert.Equal("plumb up: the lab 'default' was ended before it was ready", last.TrimEnd());
        Assert.Equal(1, up.ExitCode);
        File.Delete(manifest);
        Assert.Empty(_user.Files);
        Assert.Empty(await EndedAsync());
    }

    [Fact]
    public async Task Kill_9_of_the_process_that_was_started_takes_the_lab_with_it()
    {
        using var up = await StartAsync("up", "--nodes", "1");
        Kill(up.Id, "KILL");
        await up.WaitForExitAsync(Cancel);
        Assert.Empty(await EndedAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task Up_with_a_command_exits_as_the_command_did_and_takes_all_down(int code)
    {
        var run = await _user.PlumbAsync("up", "--nodes", "1", "--", "sh", "-c", $"kubectl get nodes --no-headers; exit {code}");
        Assert.Equal(code, run.ExitCode);
        Assert.Contains("node-1", run.Output, StringComparison.Ordinal);
        Assert.Empty(_user.Files);
        Assert.Empty(await EndedAsync());
    }

    [Fact]
    public async Task A_name_in_use_is_refused_in_one_line()
    {
        await _user.UpAsync("--nodes", "1", "--name", "blue");
        var again = await _user.PlumbAsync("up", "--detach", "--name", "blue");
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("'blue' is already running", Assert.Single(again.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_ups_at_once_one_wins_and_the_other_says_why()
    {
        var both = await Task.WhenAll(_user.PlumbAsync("up", "--detach", "--nodes", "1"), _user.PlumbAsync("up", "--detach", "--nodes", "1"));
        var loser = Assert.Single(both, static one => one.ExitCode != 0);
        Assert.Contains("already running", loser.Error, StringComparison.Ordinal);
        Assert.Contains("node-1", (await _user.PlumbAsync("status")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_labs_run_side_by_side_with_the_same_addresses()
    {
        var labs = await Task.WhenAll(_user.UpAsync("--nodes", "2", "--name", "a"), _user.UpAsync("--nodes", "1", "--name", "b"));
        Assert.Equal("192.168.1.11", await labs[0].GetAsync("node", "node-1", "-o", "jsonpath={.status.addresses[0].address}"));
        Assert.Equal("192.168.1.11", await labs[1].GetAsync("node", "node-1", "-o", "jsonpath={.status.addresses[0].address}"));
        (await _user.PlumbAsync("down", "a")).Succeeds();
        Assert.Equal("node/node-1", await labs[1].GetAsync("nodes", "-o", "name"));
    }

    private static void Drain(Process process)
    {
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private static string Children(int process) => File.ReadAllText($"/proc/{process}/task/{process}/children");

    /// <summary>Looks again and again; nothing tells a test what another process has become.</summary>
    private static async Task UntilAsync(Func<bool> isSo)
    {
        for (var attempt = 0; !isSo(); attempt++)
        {
            Assert.True(attempt < 10_000, "it never came to be");
            await Task.Delay(1, Cancel);
        }
    }

    /// <summary>Starts a lab in the foreground and returns when it is ready.</summary>
    private async Task<Process> StartAsync(params string[] arguments)
    {
        var process = Commands.Start(_user.Environment, Commands.Plumb, arguments);
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            if (line.Contains("kubeconfig", StringComparison.OrdinalIgnoreCase))
            {
                _ = process.StandardOutput.ReadToEndAsync(Cancel);
                return process;
            }
        }
        throw new InvalidOperationException("the lab ended before it was ready");
    }

    /// <summary>Ids of all processes that were started with this user's runtime directory and still are.</summary>
    private List<int> ProcessesOfLabs()
    {
        var found = new List<int>();
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(directory), out var id)
                    && id != Environment.ProcessId
                    && File.ReadAllText(Path.Combine(directory, "environ")).Contains(_user.RuntimeDirectory, StringComparison.Ordinal))
                {
                    found.Add(id);
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It ended, or is another user's.
            }
        }
        return found;
    }

    /// <summary>The lab's processes that are still there after the time that a process needs to be gone.</summary>
    private async Task<List<int>> EndedAsync()
    {
        for (var attempt = 0; attempt < 50 && ProcessesOfLabs().Count > 0; attempt++)
        {
            await Task.Delay(20, Cancel);
        }
        return ProcessesOfLabs();
    }

    private static void Kill(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString()]);
        kill.WaitForExit();
    }
}
