using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd.Cni;

/// <summary>Containers of containerd whose packets go on while the node's agent is killed, asked to end and replaced by another build; as do new containers.</summary>
public sealed partial class RuntimeStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [GeneratedRegex("the agent of this node does not answer|the network of machine is not set up yet")]
    private static partial Regex ExpectedReason();

    [Fact, Trait("Needs", "Root")]
    public async Task No_packet_is_lost_and_no_half_plugin_is_met_while_agent_and_plugin_are_killed_ended_and_replaced()
    {
        RuntimeMachine.Needs("containerd");
        await using var machine = await RuntimeMachine.StartAsync();
        // Two builds: bytes behind the end make another file of the plugin, which does the same.
        var built = Path.GetDirectoryName(Plugin.Path)!;
        await machine.OutsideAsync($"cp -r {built}/ build-1 && cp -r build-1 build-2 && echo another >>build-2/plumb-cni && ln -s build-1 build");
        machine.Set("DOTNET_ROOT", (await File.ReadAllTextAsync(Path.Combine(built, "stamp"), Cancel)).Trim());
        var agent = await machine.StartAgentAsync(machine.PathOf("build/plumb"));
        using var runtime = await Containerd.StartAsync(machine);
        var server = await runtime.RunAsync("server", [new(5201, 5201), new(5202, 5202), new(5202, 5202, HostPort.Transport.Udp)]);
        var client = await runtime.RunAsync("client", []);
        var pod = await runtime.AddressAsync(server);
        var inServer = await machine.InNamespaceOfAsync(pod);
        var inClient = await machine.InNamespaceOfAsync(await runtime.AddressAsync(client));
        foreach (var port in (string[])["5201", "5202"])
        {
            machine.Start([.. inServer, "iperf3", "-s", "-p", port]);
            await machine.InsideAsync([.. inClient, "timeout", "60", "bash", "-c", $"until : >/dev/tcp/{RuntimeMachine.Address}/{port}; do sleep 0.1; done"]);
        }

        // Small and slow: what a machine at its limit loses in its sockets' buffers is not ours. By the node's ports, as each packet then needs the node's rules and connections.
        var tcp = machine.TryInsideAsync(null, [.. inClient, "iperf3", "-J", "-c", RuntimeMachine.Address, "-p", "5201", "-t", "30", "-b", "2M", "-l", "1000"]);
        var udp = machine.TryInsideAsync(null, [.. inClient, "iperf3", "-J", "-u", "-c", RuntimeMachine.Address, "-p", "5202", "-t", "30", "-b", "80k", "-l", "200"]);
        var ping = machine.TryInsideAsync(null, [.. inClient, "ping", "-q", "-i", "0.05", "-c", "600", "-W", "20", pod]);
        var all = Task.WhenAll(tcp, udp, ping);
        using var enough = new CancellationTokenSource();
        var (made, refused) = (0, new List<string>());
        var adding = AddAsync();
        var (rounds, installed) = (0, new HashSet<long>());
        while (!all.IsCompleted || rounds < 4)
        {
            switch (rounds % 4)
            {
                case 0:
                    agent.Kill();
                    break;
                case 1:
                    await machine.InsideAsync("kill", "-TERM", (await machine.InsideAsync("pgrep", "-x", "plumb")).Trim());
                    break;
                default:
                    await machine.OutsideAsync($"ln -s build-{rounds % 2 + 1} next && mv -T next build");
                    await machine.InsideAsync("kill", rounds % 4 == 2 ? "-TERM" : "-KILL", (await machine.InsideAsync("pgrep", "-x", "plumb")).Trim());
                    break;
            }
            await agent.WaitForExitAsync(Cancel);
            // That was who entered the machine: the agent itself ends after it, and the next one needs its lock.
            await RuntimeMachine.WaitAsync(async () => (await machine.TryInsideAsync(null, "pgrep", "-x", "plumb")).ExitCode != 0);
            agent = await machine.StartAgentAsync(machine.PathOf("build/plumb"));
            installed.Add(new FileInfo(machine.PathOf("bin/plumb-cni")).Length);
            rounds++;
            var before = Volatile.Read(ref made);
            await RuntimeMachine.WaitAsync(() => Task.FromResult(Volatile.Read(ref made) != before || adding.IsCompleted));
        }
        await enough.CancelAsync();
        await adding;

        Assert.Equal(2, installed.Count);
        Assert.NotEqual(0, JsonElement.Parse((await tcp).Succeeds().Output).GetProperty("end").GetProperty("sum_received").GetProperty("bytes").GetInt64());
        var datagrams = JsonElement.Parse((await udp).Succeeds().Output).GetProperty("end").GetProperty("sum");
        Assert.Equal(0, datagrams.GetProperty("lost_packets").GetInt32());
        Assert.NotEqual(0, datagrams.GetProperty("packets").GetInt32());
        Assert.Contains("600 packets transmitted, 600 received", (await ping).Succeeds().Output, StringComparison.Ordinal);
        // An agent that is away, goes while it is asked, or waits for what the API says of nodes: nothing else may stand in the way of a new container.
        var others = refused.Where(static reason => !ExpectedReason().IsMatch(reason)).ToList();
        Assert.True(others.Count == 0, string.Join('\n', others));
        TestContext.Current.TestOutputHelper?.WriteLine($"{rounds} agents, {made} sandboxes made, {refused.Count} refused while there was none");

        foreach (var sandbox in await runtime.ListAsync())
        {
            await runtime.StopAsync(sandbox);
            await runtime.RemoveAsync(sandbox);
        }
        Assert.Empty(Directory.EnumerateFiles(machine.PathOf("state/leases")));

        // New containers all the while, as a runtime makes them for a kubelet that asks again.
        async Task AddAsync()
        {
            for (var number = 0; !enough.IsCancellationRequested; number++)
            {
                try
                {
                    var sandbox = await runtime.RunAsync($"new-{number}", []);
                    Interlocked.Increment(ref made);
                    await runtime.StopAsync(sandbox);
                    await runtime.RemoveAsync(sandbox);
                }
                catch (RuntimeException reason)
                {
                    refused.Add(reason.Message);
                }
            }
        }
    }
}
