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
        await _user.UpAsync("--nodes", "1");
        Assert.NotEmpty(ProcessesOfLabs());
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
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task A_signal_to_the_process_that_was_started_ends_all(string signal)
    {
        using var up = await StartAsync("up", "--nodes", "1");
        Kill(up.Id, signal);
        await up.WaitForExitAsync(Cancel);
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
