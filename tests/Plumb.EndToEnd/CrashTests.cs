using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>Agents that are really killed, each before another of the writes that a pod's coming and going takes.</summary>
public sealed class CrashTests : IAsyncDisposable
{
    // One node for each write, and one more than there are: that the last agent was not killed shows that all writes were tried.
    private const int Nodes = 12;

    private const int Port = 7;

    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static IEnumerable<int> Numbers => Enumerable.Range(1, Nodes);

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Agents_killed_at_every_write_of_an_ADD_and_of_a_DEL_come_back_to_the_same_state_and_connections_live()
    {
        var crashes = Directory.CreateDirectory(Path.Combine(_user.RuntimeDirectory, "crashes")).FullName;
        _user.Set("PLUMB_AGENT_CRASH", crashes);
        var lab = await _user.UpAsync("--nodes", $"{Nodes}", "--agent-processes");
        await ApplyAsync(lab, "old");
        await ReadyAsync(lab);
        var connections = await Task.WhenAll(Numbers.Select(number => Connection.OpenAsync(lab, "old-1", $"old-{number}")));
        try
        {
            Arm(crashes);
            await ApplyAsync(lab, "new");
            await ReadyAsync(lab);
            var writesOfAdd = AssertAllWereTried(crashes, "ADD", atLeast: 4);
            await AssertStateAsync(lab, podsOnEach: 2);
            await Task.WhenAll(connections.Select(static connection => connection.SayAsync("after ADD")));

            Arm(crashes);
            (await lab.KubectlAsync(["delete", "pod", "--timeout=300s", "--grace-period=1", .. Numbers.Select(static number => $"new-{number}")])).Succeeds();
            AssertAllWereTried(crashes, "DEL", atLeast: 2);
            await AssertStateAsync(lab, podsOnEach: 1);
            await Task.WhenAll(connections.Select(static connection => connection.SayAsync("after DEL")));
            Assert.True(writesOfAdd < Nodes);
        }
        finally
        {
            foreach (var connection in connections)
            {
                connection.Dispose();
            }
        }
    }

    /// <summary>node-N's agent is to end before its N-th write from now on.</summary>
    private static void Arm(string crashes)
    {
        foreach (var number in Numbers)
        {
            File.WriteAllText(Path.Combine(crashes, ".new"), $"{number}");
            File.Move(Path.Combine(crashes, ".new"), Path.Combine(crashes, $"node-{number}"), overwrite: true);
        }
    }

    private static int AssertAllWereTried(string crashes, string what, int atLeast)
    {
        var alive = Numbers.Where(number => File.Exists(Path.Combine(crashes, $"node-{number}"))).ToList();
        Assert.True(alive.Count > 0, $"{what} has {Nodes} writes or more: more nodes are needed to try them all");
        Assert.True(alive[0] > atLeast, $"only {alive[0] - 1} agents were killed at {what}");
        Assert.Equal(Numbers.Skip(alive[0] - 1), alive);
        return alive[0] - 1;
    }

    private static async Task ApplyAsync(RunningLab lab, string name)
    {
        var manifest = new StringBuilder();
        foreach (var number in Numbers)
        {
            manifest.Append($"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}-{number}}}\nspec: {{nodeName: node-{number}, containers: [{{name: main, image: httpd}}]}}\n");
        }
        (await lab.KubectlWithInputAsync(manifest.ToString(), "apply", "-f", "-")).Succeeds();
    }

    private static async Task ReadyAsync(RunningLab lab) =>
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod", "--all", "--timeout=300s")).Succeeds();

    /// <summary>Kernels hold what is planned and nothing else, and as many addresses are held as there are pods.</summary>
    private async Task AssertStateAsync(RunningLab lab, int podsOnEach)
    {
        var explained = JsonElement.Parse((await lab.PlumbAsync("explain", "--all", "-o", "json")).Succeeds().Output);
        var nodes = explained.GetProperty("nodes").EnumerateArray().ToList();
        Assert.Equal(Nodes, nodes.Count);
        foreach (var node in nodes)
        {
            var entries = node.GetProperty("entries").EnumerateArray().ToList();
            Assert.DoesNotContain(entries, static entry => entry.GetProperty("standing").GetString() is not ("Planned" or "Kernel" or "Known"));
            Assert.Equal(1 + podsOnEach, entries.Select(static entry => entry.GetProperty("namespace").GetString()).Distinct().Count());
            var leases = Path.Combine(_user.RuntimeDirectory, "plumb", "default", node.GetProperty("node").GetString()!, "agent", "leases");
            Assert.Equal(podsOnEach, Directory.GetFiles(leases, "*.*.*.*").Length);
        }
    }

    /// <summary>A TCP connection between two pods, and the programs at both ends of it.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly Process _server;
        private readonly Process _client;

        private Connection(Process server, Process client)
        {
            _server = server;
            _client = client;
        }

        public static async Task<Connection> OpenAsync(RunningLab lab, string from, string to)
        {
            var address = await lab.GetAsync("pod", to, "-o", "jsonpath={.status.podIP}");
            var server = Start(lab, to, $"exec busybox nc -l -p {Port}");
            // Refused until the server listens.
            var client = Start(lab, from, $"until busybox nc {address} {Port} 2>/dev/null; do sleep 0.05; done");
            var connection = new Connection(server, client);
            await connection.SayAsync("hello");
            return connection;
        }

        public async Task SayAsync(string what)
        {
            await PassAsync(_client, _server, what);
            await PassAsync(_server, _client, what);
        }

        public void Dispose()
        {
            foreach (var end in new[] { _client, _server })
            {
                end.Kill(entireProcessTree: true);
                end.Dispose();
            }
        }

        private static async Task PassAsync(Process from, Process to, string what)
        {
            await from.StandardInput.WriteLineAsync(what.AsMemory(), Cancel);
            await from.StandardInput.FlushAsync(Cancel);
            Assert.Equal(what, await to.StandardOutput.ReadLineAsync(Cancel));
        }

        private static Process Start(RunningLab lab, string pod, string script) =>
            Commands.Start(lab.User.Environment, Commands.Plumb, "shell", pod, "--", "sh", "-c", script);
    }
}
