using System.Text.Json.Nodes;
using System.Net.Sockets;
using Plumb.Kubernetes.Clients;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.Running;

public sealed class RestartTests
{
    [Fact]
    public async Task A_restart_changes_nothing_and_writes_nothing_to_the_kernel()
    {
        using var node = new TestNode();
        string first;
        await using (var agent = await node.StartAsync())
        {
            await agent.Ready;
            first = await node.AddAsync("a");
        }
        var (before, batches) = (node.Kernel.Dump(), node.Kernel.Batches);
        await using (var agent = await node.StartAsync())
        {
            await agent.Ready;
            Assert.Equal(before, node.Kernel.Dump());
            Assert.Equal(batches, node.Kernel.Batches);
            Assert.NotEqual(first, await node.AddAsync("b"));
        }
    }

    [Fact]
    public async Task A_restart_with_other_nodes_removes_what_is_no_longer_wanted()
    {
        using var node = new TestNode();
        await using (var agent = await node.StartAsync())
        {
            await agent.Ready;
        }
        Assert.Contains(node.Kernel.Dump(), line => line.Contains("10.244.3.0/24", StringComparison.Ordinal));
        File.Delete(Path.Combine(node.LeaseDirectory, "..", "nodes.json"));
        await using (var agent = await node.StartAsync(change: options => options with { Nodes = [.. options.Nodes.SkipLast(1)] }))
        {
            await agent.Ready;
        }
        Assert.DoesNotContain(node.Kernel.Dump(), line => line.Contains("10.244.3.0/24", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_an_api_the_nodes_are_those_that_were_seen_last()
    {
        using var node = new TestNode();
        await using (var agent = await node.StartAsync())
        {
            await agent.Ready;
        }
        var before = node.Kernel.Dump();
        await using (var agent = await node.StartAsync(change: options => options with { Nodes = [] }))
        {
            await agent.Ready;
            Assert.Equal(before, node.Kernel.Dump());
        }
    }

    /// <summary>Nobody tells the agent of its node: plan and kernel are not compared as long as it runs.</summary>
    [Fact]
    public async Task DEL_before_the_first_comparison_takes_the_pods_link_and_gives_its_address_back()
    {
        using var node = new TestNode();
        await using (var agent = await node.StartAsync())
        {
            await agent.Ready;
            await node.AddAsync("a");
        }
        var ofPod = node.Kernel.Dump().Where(static line => line.StartsWith("100 ", StringComparison.Ordinal)).ToList();
        Assert.Contains(ofPod, static line => line.Contains("link eth0", StringComparison.Ordinal));
        File.Delete(Path.Combine(node.LeaseDirectory, "..", "nodes.json"));
        await using (await node.StartAsync(change: static options => options with { Nodes = [] }))
        {
            Assert.Equal(11, (int)(await node.CniAsync("ADD", "b")).Body!["code"]!);
            Assert.True((await node.CniAsync("DEL", "a")).Succeeded);
            Assert.DoesNotContain(node.Kernel.Dump(), static line => line.StartsWith("100 ", StringComparison.Ordinal) && line.Contains("link eth0", StringComparison.Ordinal));
            Assert.Empty(Directory.EnumerateFiles(node.LeaseDirectory));
        }
        // The next one finds all else of it.
        await using var last = await node.StartAsync();
        await last.Ready;
        Assert.DoesNotContain(node.Kernel.Dump(), static line => line.Contains("vetha", StringComparison.Ordinal) || line.Contains("10.244.1.2 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_the_api_is_away_an_earlier_agent_s_rules_for_Services_stay()
    {
        using var node = new TestNode();
        var nat = new IptablesTable(IpFamily.V4, IptablesTable.Nat);
        node.Kernel.Give(IptablesMark.Of(TestNode.Id, nat, [], "KUBE-*"), Owner.Plumb);
        var shared = new IptablesChainEntry(TestNode.Id, nat, "KUBE-SERVICES") { Rules = ["-d 10.96.0.10/32 -j KUBE-SVC-A"] };
        var port = new IptablesChainEntry(TestNode.Id, nat, "KUBE-SVC-A") { Rules = ["-j RETURN"] };
        node.Kernel.Give(shared, Owner.Plumb);
        node.Kernel.Give(port, Owner.Plumb);
        using var api = new KubernetesClient(
            new ClusterConnection { Server = new Uri("http://away"), Connect = static _ => throw new SocketException((int)SocketError.ConnectionRefused) }, TimeProvider.System, "test");
        await using var agent = await node.StartAsync(change: options => options with
        {
            Api = api,
            ApiPatience = TimeSpan.Zero,
            Cluster = options.Cluster with { Services = ServicesKind.Iptables },
        });
        await agent.Ready;
        var held = await node.ObservedAsync();
        Assert.Equal(shared, held.Entries[shared.Key].Entry);
        Assert.Equal(port, held.Entries[port.Key].Entry);
        // What is missing is made.
        Assert.Contains(held.Entries.Values, static one => one.Entry is IptablesRuleEntry { Chain: "PREROUTING" });
    }

    [Fact]
    public async Task What_iptables_refused_is_tried_again_though_nothing_else_happens()
    {
        using var node = new TestNode();
        node.Kernel.Refuses = "-N KUBE-FORWARD";
        await using var agent = await node.StartAsync(change: static options => options with { Cluster = options.Cluster with { Services = ServicesKind.Iptables } });
        await agent.Ready;
        await node.Log.LineAsync("the kernel refused");
        Assert.DoesNotContain((await node.ObservedAsync()).Entries.Values, static one => one.Entry is IptablesChainEntry { Name: "KUBE-FORWARD" });
        node.Kernel.Refuses = null;
        while (!(await node.ObservedAsync()).Entries.Values.Any(static one => one.Entry is IptablesChainEntry { Name: "KUBE-FORWARD" }))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Two_agents_on_one_state_directory_are_refused()
    {
        using var node = new TestNode();
        await using var agent = await node.StartAsync();
        var refusal = await Assert.ThrowsAsync<AgentException>(() => node.StartAsync());
        Assert.Contains("another agent", refusal.Message);
    }

    [Fact]
    public async Task Overlapping_ranges_are_refused_in_one_line()
    {
        using var node = new TestNode();
        var refusal = await Assert.ThrowsAsync<AgentException>(() => node.StartAsync(change: options => options with
        {
            Cluster = options.Cluster with { ServiceRanges = [Linux.Addresses.IpPrefix.Parse("10.244.128.0/17")] },
        }));
        Assert.Equal("pod range 10.244.0.0/16 and service range 10.244.128.0/17 overlap: choose two that share no address", refusal.Message);
    }

    /// <summary>The agent is cut before each of its writes to kernel and disk in turn; the one after it ends in the same state.</summary>
    [Fact]
    public async Task An_agent_cut_at_any_write_is_followed_by_one_that_comes_to_the_same_state()
    {
        var (uncut, writes) = await LiveAsync(int.MaxValue);
        Assert.True(writes > 60, $"only {writes} writes pass the seam");
        for (var cut = 0; cut < writes; cut++)
        {
            var (state, _) = await LiveAsync(cut);
            Assert.True(uncut.SequenceEqual(state), $"cut before write {cut + 1}:\n{Difference(uncut, state)}");
        }
    }

    /// <summary>Start, two pods come, one goes, one more comes; if cut, everything that was not answered is asked again of a new agent.</summary>
    private static async Task<(IReadOnlyList<string> State, int Writes)> LiveAsync(int passes)
    {
        using var node = new TestNode();
        foreach (var container in new[] { "a", "b", "c" })
        {
            node.Kernel.MakeNamespace(container);
        }
        var seam = new CuttingSeam(passes);
        (string Verb, string Container)[] calls = [("ADD", "a"), ("ADD", "b"), ("DEL", "a"), ("ADD", "c")];
        var done = 0;
        var first = await StartAsync(node, seam);
        if (first is not null)
        {
            try
            {
                await first.Ready;
                while (done < calls.Length && (await CallAsync(calls[done])).Succeeded)
                {
                    done++;
                }
            }
            catch (Exception exception) when (exception is CutException or HttpRequestException or OperationCanceledException)
            {
                // This is where the process ended.
            }
            await first.DisposeAsync();
        }
        await using var second = await StartAsync(node, IWriteSeam.None);
        await second!.Ready;
        for (; done < calls.Length; done++)
        {
            // As a runtime does: what may be half made is ended first.
            Assert.True((await node.CniAsync("DEL", calls[done].Container)).Succeeded);
            Assert.True((await CallAsync(calls[done])).Succeeded);
        }
        return ([.. node.Kernel.Dump(), .. Directory.EnumerateFiles(node.LeaseDirectory).Select(path => File.ReadAllText(path)).Order(StringComparer.Ordinal)], seam.Seen);

        // The addresses are asked for: one that is given back would rest, and a second try get another.
        Task<(bool Succeeded, JsonNode? Body)> CallAsync((string Verb, string Container) call) => node.CniAsync(
            call.Verb,
            call.Container,
            configuration: new JsonObject { ["runtimeConfig"] = new JsonObject { ["ips"] = new JsonArray($"10.244.1.{call.Container[0] - 'a' + 2}") } });
    }

    private static async Task<NodeAgent?> StartAsync(TestNode node, IWriteSeam seam)
    {
        try
        {
            return await node.StartAsync(seam);
        }
        catch (CutException)
        {
            return null;
        }
    }

    private static string Difference(IReadOnlyList<string> expected, IReadOnlyList<string> actual) =>
        string.Join('\n', expected.Except(actual).Select(line => "- " + line).Concat(actual.Except(expected).Select(line => "+ " + line)));
}
