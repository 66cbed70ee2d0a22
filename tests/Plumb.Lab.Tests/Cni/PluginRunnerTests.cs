using System.Text;
using Plumb.Agent.Cni;
using Plumb.Lab.Cni;
using Plumb.Lab.Tests.Containers;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Cni;

public sealed class PluginRunnerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-cni-").FullName;
    private readonly NetworkNamespace _network = NetworkNamespace.Create();
    private readonly HeldTime _time = new();
    private readonly PluginRunner _runner;

    public PluginRunnerTests() => _runner = new PluginRunner(_network, Directory.CreateDirectory(Path.Combine(_directory, "state")).FullName, Directory.CreateDirectory(Path.Combine(_directory, "run")).FullName, _directory, _time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _network.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_plugin_finds_variables_input_its_node_s_network_and_a_state_of_its_own()
    {
        var said = await RunAsync("""echo "$CNI_COMMAND $(cat) $(stat -Lc %i /proc/self/ns/net)"; echo kept >/var/lib/kept""", """{"x":1}""");
        Assert.Equal($"ADD {{\"x\":1}} {_network.Identity.Inode}\n", said);
        Assert.Equal("kept\n", File.ReadAllText(Path.Combine(_directory, "state", "kept")));
    }

    [Fact]
    public async Task A_plugin_that_does_not_read_its_input_may_still_succeed()
    {
        Assert.Equal("{}\n", await RunAsync("exec <&-; echo '{}'", new string(' ', 1 << 20)));
    }

    [Fact]
    public async Task One_that_hangs_is_ended_when_its_time_is_over_with_all_that_it_started()
    {
        var mark = Path.Combine(_directory, "state", "begun");
        var running = RunAsync("sleep 97531 & touch /var/lib/begun; wait");
        while (!File.Exists(mark))
        {
            await Task.Delay(10, Cancel);
        }
        Assert.Equal(PluginRunner.Patience, await _time.FireAsync());
        var failed = await Assert.ThrowsAsync<CniException>(() => running);
        Assert.Equal("it did not end within 120 s and was killed", failed.Message);
        while (Directory.EnumerateDirectories("/proc").Any(static process => CommandLineOf(process) == "sleep\097531\0"))
        {
            await Task.Delay(10, Cancel);
        }
    }

    [Theory]
    [InlineData(1 << 20, true)]
    [InlineData((1 << 20) + 4097, false)]
    public async Task What_one_prints_is_read_up_to_a_limit_and_it_is_not_held_up_beyond(int bytes, bool isTaken)
    {
        var running = RunAsync($"head -c {bytes} /dev/zero; head -c 70000 /dev/zero >&2; echo ended >/var/lib/ended");
        if (isTaken)
        {
            Assert.Equal(bytes, (await running).Length);
        }
        else
        {
            Assert.Equal("it printed more than 1 MiB, which is no result", (await Assert.ThrowsAsync<CniException>(() => running)).Message);
        }
        Assert.Equal("ended\n", await File.ReadAllTextAsync(Path.Combine(_directory, "state", "ended"), Cancel));
    }

    [Fact]
    public async Task One_that_cannot_be_started_has_begun_nothing()
    {
        var path = Path.Combine(_directory, "plugin");
        await File.WriteAllTextAsync(path, "no program", Cancel);
        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        var failed = await Assert.ThrowsAsync<CniException>(() => _runner.RunAsync(path, new Dictionary<string, string>(), [], static () => Assert.Fail("it has not started"), Cancel));
        Assert.Equal(CniErrorCode.IoFailure, failed.Code);
    }

    [Fact]
    public async Task What_one_leaves_running_keeps_nobody_waiting()
    {
        Assert.Equal("{}\n", await RunAsync("sleep 86420 & echo '{}'"));
    }

    private Task<string> RunAsync(string script, string input = "{}")
    {
        var path = Path.Combine(_directory, "plugin");
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return ReadAsync(_runner.RunAsync(_runner.Find("plugin"), new Dictionary<string, string> { ["CNI_COMMAND"] = "ADD" }, Encoding.UTF8.GetBytes(input), static () => { }, Cancel));
    }

    private static async Task<string> ReadAsync(Task<byte[]> said) => Encoding.UTF8.GetString(await said);

    private static string CommandLineOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            return ""; // no process, or one that has ended
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
