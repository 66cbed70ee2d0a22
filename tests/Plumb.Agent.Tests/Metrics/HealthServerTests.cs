using System.Net;
using System.Text.RegularExpressions;
using Plumb.Agent.Metrics;

namespace Plumb.Agent.Tests.Metrics;

public sealed partial class HealthServerTests : IDisposable
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private readonly TestNode _node = new();
    private readonly AgentMetrics _metrics = new(TimeProvider.System);
    private readonly HttpClient _http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _metrics.Dispose();
        _node.Dispose();
    }

    [Fact]
    public async Task What_an_agent_did_is_counted_and_what_it_holds_is_shown()
    {
        await using var agent = await StartAsync();
        await agent.Ready;
        await _node.AddAsync("one");
        await _node.AddAsync("two");
        await _node.CniAsync("DEL", "two");
        await _node.CniAsync("CHECK", "nobody");
        await _node.CniAsync("NONSENSE", "nobody");

        var (status, text) = await GetAsync(agent, "metrics");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("1", Value(text, "plumb_leases{range=\"10.244.1.0/24\"}"));
        Assert.Equal("253", Value(text, "plumb_leases_capacity{range=\"10.244.1.0/24\"}"));
        Assert.Equal("3", Value(text, "plumb_nodes"));
        Assert.Equal("1", Value(text, "plumb_pods"));
        Assert.Equal("1", Value(text, "plumb_ready"));
        Assert.Equal("2", Value(text, "plumb_cni_request_duration_seconds_count{code=\"0\",command=\"ADD\"}"));
        Assert.Equal("2", Value(text, "plumb_cni_request_duration_seconds_bucket{code=\"0\",command=\"ADD\",le=\"+Inf\"}"));
        Assert.Equal("1", Value(text, "plumb_cni_request_duration_seconds_count{code=\"0\",command=\"DEL\"}"));
        Assert.Equal("1", Value(text, "plumb_cni_request_duration_seconds_count{code=\"3\",command=\"CHECK\"}"));
        Assert.Equal("1", Value(text, "plumb_cni_request_duration_seconds_count{code=\"4\",command=\"other\"}"));
        Assert.True(int.Parse(Value(text, "plumb_entries{layer=\"pods\"}"), null) > 5, text);
        Assert.True(int.Parse(Value(text, "plumb_sync_duration_seconds_count"), null) >= 3, text);
    }

    [Fact]
    public async Task Lines_are_of_the_text_format_and_every_metric_is_in_the_manual()
    {
        await using var agent = await StartAsync();
        await agent.Ready;
        await _node.AddAsync("one");
        _node.Kernel.Refuses = "veth";
        _node.Kernel.MakeNamespace("refused");
        await _node.CniAsync("ADD", "refused");

        var (_, text) = await GetAsync(agent, "metrics");

        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, static line => Assert.Matches(LineFormat(), line));
        var told = lines.Where(static line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(static line => line.Split(' ')[2]).ToList();
        Assert.Equal(told, told.Distinct());
        var manual = await File.ReadAllTextAsync(Path.Combine(Checkout(), "docs", "metrics.md"), Cancel);
        Assert.All(told, name => Assert.Contains($"| `{name}`", manual, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_without_a_range_lives_but_is_not_ready_and_says_why()
    {
        await using var agent = await StartAsync(static options => options with { Nodes = [TestNode.Node(1, "10.244.1.0/24") with { PodRanges = [] }] });

        Assert.Equal((HttpStatusCode.OK, "[+]loop ok\nhealthz check passed\n"), await GetAsync(agent, "healthz"));
        var (status, text) = await GetAsync(agent, "readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("[+]loop ok\n[-]pods failed: Node node-1 has no spec.podCIDR: give it one, or let the controller manager do it (--allocate-node-cidrs, --cluster-cidr)\nreadyz check failed\n", text);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(agent, "secrets")).Status);
    }

    [Fact]
    public async Task A_ready_node_says_so()
    {
        await using var agent = await StartAsync();
        await agent.Ready;

        Assert.Equal((HttpStatusCode.OK, "[+]loop ok\n[+]pods ok\nreadyz check passed\n"), await GetAsync(agent, "readyz"));
    }

    [Fact]
    public async Task A_port_that_somebody_has_is_named()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = (IPEndPoint)taken.LocalEndpoint;

        var refused = await Assert.ThrowsAsync<AgentException>(() => StartAsync(options => options with { HealthAddress = address }));

        Assert.StartsWith($"{address} cannot be had for health and metrics: ", refused.Message, StringComparison.Ordinal);
    }

    private Task<NodeAgent> StartAsync(Func<NodeAgentOptions, NodeAgentOptions>? change = null) =>
        _node.StartAsync(change: options =>
        {
            options = options with { Metrics = _metrics, HealthAddress = AnyPort };
            return change?.Invoke(options) ?? options;
        });

    private async Task<(HttpStatusCode Status, string Text)> GetAsync(NodeAgent agent, string path)
    {
        using var answer = await _http.GetAsync(new Uri($"http://{agent.HealthEndPoint}/{path}"), Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private static string Value(string text, string series) =>
        text.Split('\n').SingleOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal))?[(series.Length + 1)..] ?? throw new Xunit.Sdk.XunitException($"no {series} in:\n{text}");

    private static string Checkout()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Plumb.slnx")))
        {
            at = Path.GetDirectoryName(at)!;
        }
        return at;
    }

    // Prometheus's exposition formats, "Text-based format".
    [GeneratedRegex("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[^"\n]*",?)+\})? [0-9.eE+-]+)$""")]
    private static partial Regex LineFormat();
}
