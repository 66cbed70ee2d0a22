using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.EndToEnd.Cni;

/// <summary>
/// Containers that come and go at random, many at once, on nodes whose agents are killed at random writes: no address is ever held by two, and none is
/// lost.
/// </summary>
public sealed class LeasePropertyTests : IAsyncDisposable
{
    private const int Nodes = 6;
    private const int ContainersOfNode = 12;
    private const int KillsOfNode = 4;
    private const int RoundsOfContainer = 8;
    private const int LatestWrite = 60;

    private readonly LabUser _user = new();
    private readonly ConcurrentDictionary<string, string> _holders = new();
    private int _calls;
    private int _broken;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task No_address_is_held_twice_or_lost_however_often_agents_are_killed()
    {
        var crashes = Directory.CreateDirectory(Path.Combine(_user.RuntimeDirectory, "crashes")).FullName;
        _user.Set("PLUMB_AGENT_CRASH", crashes);
        var lab = await _user.UpWithAsync(Sandboxes(), "--nodes", $"{Nodes}", "--agent-processes");
        var spaces = await EmptySandboxesAsync(lab);

        await Task.WhenAll(Enumerable.Range(1, Nodes).Select(async number =>
        {
            var node = $"node-{number}";
            var kills = KillAsync(Path.Combine(crashes, node), new Random(number));
            await Task.WhenAll(spaces[node].Select((space, index) => LiveAsync(node, $"c{number}-{index}", space, new Random((number * 100) + index), kills)));
            await kills;
        }));

        Assert.True(_calls >= 1000, $"only {_calls} calls were made");
        Assert.True(_broken >= Nodes * KillsOfNode / 2, $"only {_broken} calls met an agent that was killed");
        // What is held now is what was told; nothing more is on disk, and nodes hold what is planned.
        Assert.Equal(_holders.Keys.Order(), Enumerable.Range(1, Nodes).SelectMany(number => Directory.EnumerateFiles(Leases($"node-{number}"))).Select(static path => Path.GetFileName(path)!).Order());
        var explained = JsonElement.Parse((await lab.PlumbAsync("explain", "--all", "-o", "json")).Succeeds().Output);
        foreach (var entry in explained.GetProperty("nodes").EnumerateArray().SelectMany(static node => node.GetProperty("entries").EnumerateArray()))
        {
            // In a sandbox, a container of ours looks to the lab like one that its pod left.
            Assert.True(entry.GetProperty("namespace").GetString()!.Contains('@') || entry.GetProperty("standing").GetString() is "Planned" or "Kernel" or "Known", entry.ToString());
        }
        foreach (var number in Enumerable.Range(1, Nodes))
        {
            Assert.Equal((true, ""), await CallAsync($"node-{number}", "GC", "-", "", valid: "[]"));
            Assert.Empty(Directory.EnumerateFiles(Leases($"node-{number}")));
        }
    }

    private static string Sandboxes()
    {
        var manifest = new StringBuilder();
        for (var number = 1; number <= Nodes; number++)
        {
            for (var index = 0; index < ContainersOfNode; index++)
            {
                manifest.Append($"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: s{number}-{index}}}\nspec: {{nodeName: node-{number}, containers: [{{name: main, image: pause}}]}}\n");
            }
        }
        return manifest.ToString();
    }

    /// <summary>Paths of the pods' namespaces, by node; the pods' own attachments have ended.</summary>
    private async Task<ILookup<string, string>> EmptySandboxesAsync(RunningLab lab)
    {
        var status = JsonElement.Parse((await lab.PlumbAsync("status", "-o", "json")).Succeeds().Output);
        for (var number = 1; number <= Nodes; number++)
        {
            Assert.Equal((true, ""), await CallAsync($"node-{number}", "GC", "-", "", valid: "[]"));
        }
        return status.GetProperty("labs")[0].GetProperty("pods").EnumerateArray().ToLookup(
            static pod => pod.GetProperty("node").GetString()!,
            // The lab's process holds it, which is pid 1 where the agents are.
            static pod => $"/proc/1/fd/{Path.GetFileName(pod.GetProperty("namespacePath").GetString()!)}");
    }

    /// <summary>Each file is an order to die, and gone when it was obeyed.</summary>
    private static async Task KillAsync(string order, Random random)
    {
        for (var kill = 0; kill < KillsOfNode; kill++)
        {
            await File.WriteAllTextAsync(order + ".new", $"{random.Next(1, LatestWrite)}", Cancel);
            File.Move(order + ".new", order);
            while (File.Exists(order))
            {
                await Task.Delay(10, Cancel);
            }
        }
    }

    /// <summary>A container's life as its runtime sees it: what did not succeed is ended before anything else.</summary>
    private async Task LiveAsync(string node, string container, string space, Random random, Task kills)
    {
        for (var round = 0; round < RoundsOfContainer || !kills.IsCompleted; round++)
        {
            var (added, result) = await CallAsync(node, "ADD", container, space);
            if (added)
            {
                var address = ((string)JsonNode.Parse(result)!["ips"]![0]!["address"]!).Split('/')[0];
                Assert.True(_holders.TryAdd(address, container), $"{address} was given to {container} while {_holders.GetValueOrDefault(address)} holds it");
                Assert.True(File.Exists(Path.Combine(Leases(node), address)), $"{address} was told before it was written");
                if (kills.IsCompleted && random.Next(2) == 0)
                {
                    return;
                }
                Assert.True(_holders.TryRemove(address, out _));
            }
            while (!(await CallAsync(node, "DEL", container, space)).Succeeded)
            {
                // The next agent is on its way.
                await Task.Delay(20, Cancel);
            }
        }
    }

    private string Leases(string node) => Path.Combine(_user.RuntimeDirectory, "plumb", "default", node, "agent", "leases");

    /// <summary>What the plugin does, without its process.</summary>
    private async Task<(bool Succeeded, string Body)> CallAsync(string node, string verb, string container, string space, string valid = "null")
    {
        Interlocked.Increment(ref _calls);
        var body = $"CNI_COMMAND={verb}\0CNI_CONTAINERID={container}\0CNI_NETNS={space}\0CNI_IFNAME=eth0\0\0"
            + $$"""{"cniVersion":"1.1.0","name":"plumb","cni.dev/valid-attachments":{{valid}}}""";
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var answer = new MemoryStream();
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_user.RuntimeDirectory, "plumb", "default", node, "cni.sock")), Cancel);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"POST /cni HTTP/1.0\r\nHost: plumb\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"), Cancel);
            await stream.CopyToAsync(answer, Cancel);
        }
        catch (Exception away) when (away is SocketException or IOException)
        {
            Interlocked.Increment(ref _broken);
            return (false, away.Message);
        }
        var text = Encoding.UTF8.GetString(answer.ToArray());
        return (text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal), text.Split("\r\n\r\n", 2)[^1]);
    }
}
