using System.Net;
using System.Text.Json.Nodes;
using Plumb.Linux.State;

namespace Plumb.Agent.Tests.Running;

/// <summary>How fast a container may be: what the runtime asks for at ADD, and later.</summary>
public sealed class BandwidthTests : IDisposable
{
    // In containerd's letters.
    private const string OneMegabit = """{"bandwidth":{"IngressRate":1000000,"IngressBurst":4294967295,"EgressRate":2000000,"EgressBurst":800000}}""";

    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task What_the_runtime_asks_for_is_kept_over_a_restart_checked_and_gone_with_the_container()
    {
        await using (await ReadyAsync())
        {
            await AddAsync("a", OneMegabit);
            // A burst that containerd names for want of another is none; one that somebody chose is that.
            Assert.Equal(["rate 1Mbit burst 14680b limit 29360b", "rate 2Mbit burst 100000b limit 100000b"], Rates());
        }
        var before = _node.Kernel.Dump();
        // The repair waits for a day.
        await using var next = await ReadyAsync();
        Assert.Equal(before, _node.Kernel.Dump());
        Assert.True((await CheckAsync("a")).Succeeded);
        var queue = _node.Kernel.Dump().Single(static line => line.Contains("qdisc tbf dev veth", StringComparison.Ordinal)).Split(' ')[4];
        _node.Kernel.Remove(new EntryKey(TestNode.Id, EntryKind.Qdisc, $"dev {queue} root"));
        var (succeeded, body) = await CheckAsync("a");
        Assert.False(succeeded);
        Assert.Contains($"'qdisc tbf dev {queue} root rate 1Mbit burst 14680b limit 29360b' is missing", (string?)body!["msg"]);
        Assert.True((await _node.CniAsync("DEL", "a")).Succeeded);
        Assert.DoesNotContain(_node.Kernel.Dump(), static line => line.Contains("qdisc", StringComparison.Ordinal) || line.Contains("ifb", StringComparison.Ordinal) || line.Contains("filter dev", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_that_lives_is_made_faster_slower_and_free_again()
    {
        await using (await ReadyAsync())
        {
            await AddAsync("a", OneMegabit);
            await SetAsync("a", """{"bandwidth":{"ingressRate":3000000}}""", HttpStatusCode.OK, "");
            Assert.Equal(["rate 3Mbit burst 14680b limit 29360b"], Rates());
            Assert.DoesNotContain(_node.Kernel.Dump(), static line => line.Contains("ifb", StringComparison.Ordinal));
        }
        await using var next = await ReadyAsync();
        Assert.Equal(["rate 3Mbit burst 14680b limit 29360b"], Rates());
        var batches = _node.Kernel.Batches;
        await SetAsync("a", """{"bandwidth":{"ingressRate":3000000}}""", HttpStatusCode.OK, "");
        Assert.Equal(batches, _node.Kernel.Batches);
        await SetAsync("a", "{}", HttpStatusCode.OK, "");
        Assert.Empty(Rates());
    }

    [Fact]
    public async Task What_cannot_be_leaves_all_as_it_was()
    {
        await using var agent = await ReadyAsync();
        await AddAsync("a", OneMegabit);
        var before = _node.Kernel.Dump();
        await SetAsync("b", "{}", HttpStatusCode.NotFound, "container b holds no address for eth0");
        await SetAsync("a", "[]", HttpStatusCode.BadRequest, "not an object");
        await SetAsync("a", "{", HttpStatusCode.BadRequest, "not JSON");
        await SetAsync("a", """{"bandwidth":{"egressRate":10}}""", HttpStatusCode.BadRequest, "egressRate 10 is not from 1000");
        _node.Kernel.Refuses = "rate 7Mbit";
        await SetAsync("a", """{"bandwidth":{"ingressRate":7000000}}""", HttpStatusCode.InternalServerError, "");
        Assert.Equal(before, _node.Kernel.Dump());
        // A kernel that has no such queue fails the container that asks for one, and no other.
        _node.Kernel.MakeNamespace("c");
        var (succeeded, body) = await _node.CniAsync("ADD", "c", configuration: Asked("""{"bandwidth":{"egressRate":7000000}}"""));
        Assert.Equal((false, 100), (succeeded, (int)body!["code"]!));
        Assert.Equal(before, _node.Kernel.Dump());
        _node.Kernel.Refuses = "link ifb";
        Assert.False((await _node.CniAsync("ADD", "c", configuration: Asked("""{"bandwidth":{"egressRate":7000000}}"""))).Succeeded);
        Assert.True((await _node.CniAsync("STATUS", "")).Succeeded);
    }

    private async Task SetAsync(string container, string body, HttpStatusCode status, string said)
    {
        var (answered, text) = await _node.SetBandwidthAsync(container, body);
        Assert.Equal(status, answered);
        Assert.Contains(said, text, StringComparison.Ordinal);
    }

    private async Task AddAsync(string container, string asked)
    {
        _node.Kernel.MakeNamespace(container);
        Assert.True((await _node.CniAsync("ADD", container, configuration: Asked(asked))).Succeeded);
    }

    private Task<(bool Succeeded, JsonNode? Body)> CheckAsync(string container) =>
        _node.CniAsync("CHECK", container, configuration: new JsonObject { ["prevResult"] = new JsonObject { ["ips"] = new JsonArray(new JsonObject { ["address"] = "10.244.1.2/32" }) } });

    private IEnumerable<string> Rates() => _node.Kernel.Dump()
        .Where(static line => line.Contains("qdisc tbf", StringComparison.Ordinal))
        .Select(static line => line[line.IndexOf("rate", StringComparison.Ordinal)..].Trim())
        .Order(StringComparer.Ordinal);

    private static JsonObject Asked(string runtimeConfig) => new() { ["runtimeConfig"] = JsonNode.Parse(runtimeConfig) };

    private async Task<NodeAgent> ReadyAsync()
    {
        var agent = await _node.StartAsync(change: static options => options with { RepairPause = TimeSpan.FromDays(1) });
        await agent.Ready;
        return agent;
    }
}
