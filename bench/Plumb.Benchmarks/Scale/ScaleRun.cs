using System.Diagnostics;
using System.Globalization;
using System.Text;
using Plumb.Kubernetes.Clients;

namespace Plumb.Benchmarks.Scale;

/// <summary>
/// What one agent of many costs: `Plumb.Benchmarks scale KUBECONFIG SERVER-PID NODES SERVICES AGENTS`, beside `api-server` with that many nodes and Services, and
/// `scale-others` for the nodes that have no agent here. 1. One agent by itself. 2. All the others at once. 3. Changes elsewhere in the cluster, each waited for
/// until the last agent has written it.
/// </summary>
/// <remarks>
/// Processor time of an agent is a difference: that of the same changes with all agents and with two, by the number of agents between. What makes the changes is in both.
/// </remarks>
internal sealed class ScaleRun : IAsyncDisposable
{
    private const int Few = 2;
    private const int Changes = 200;
    private const int Joining = 20;

    private readonly KubernetesClient _api;
    private readonly ClusterConnection _connection;
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-scale-").FullName;
    private readonly List<FakeNode> _agents = [];
    private readonly int _server;
    private readonly int _nodes;
    private readonly int _services;
    private int _made;
    private int _joined;

    private ScaleRun(string[] arguments)
    {
        _connection = Kubeconfig.Load(arguments[0], "/").Connection();
        _api = new KubernetesClient(_connection, TimeProvider.System, "plumb-bench");
        _server = Figures.Number(arguments[1]);
        _nodes = Figures.Number(arguments[2]);
        _services = Figures.Number(arguments[3]);
    }

    public static async Task<int> RunAsync(string[] arguments)
    {
        await using var run = new ScaleRun(arguments);
        await run.MeasureAsync(Figures.Number(arguments[4]));
        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
        }
        _api.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task MeasureAsync(int agents)
    {
        // The first compiles what all run.
        await StartAsync(1);
        var (heap, resident) = (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
        Print("first agent: MB of memory of its process", resident / 1e6);
        var cpu = Figures.CpuMilliseconds();
        Print("second agent: seconds until it serves pods and all Services", await StartAsync(1));
        Print("second agent: seconds of processor time for that", (Figures.CpuMilliseconds() - cpu) / 1000);
        Print("second agent: MB it was sent", _agents[^1].Bytes / 1e6);
        Print("second agent: MB of heap it keeps", (GC.GetTotalMemory(forceFullCollection: true) - heap) / 1e6);
        Print("second agent: entries for the kernel", _agents[^1].Kernel.Written);
        await MeasureChangesAsync();
        var few = await MeasureChangesAsync();
        Print($"{agents - Few} more at once: seconds until all serve", await StartAsync(agents - Few));
        heap = GC.GetTotalMemory(forceFullCollection: true);
        Print($"{agents} agents: MB of heap each", heap / 1e6 / agents);
        Print($"{agents} agents: MB of memory each more than the first", (Environment.WorkingSet - resident) / 1e6 / (agents - 1));
        var all = await MeasureChangesAsync();
        foreach (var (name, cost) in all)
        {
            Print($"{name}: ms from request to the last of {agents} agents, p50", Figures.Of(cost.Milliseconds, 50));
            Print($"{name}: ms from request to the last of {agents} agents, p99", Figures.Of(cost.Milliseconds, 99));
            Print($"{name}: bytes to an agent", cost.Bytes);
            Print($"{name}: ms of processor time of an agent", (cost.Cpu - few[name].Cpu) / (agents - Few));
            Print($"{name}: ms of processor time of the API", cost.Server);
            Print($"{name}: entries written by an agent", cost.Entries);
        }
        Print("bytes of the file of known nodes", _agents[0].KnownNodesBytes);
    }

    private static void Print(string what, double value) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} | {value:0.###}"));

    private async Task<double> StartAsync(int more)
    {
        var since = Stopwatch.GetTimestamp();
        var starting = new List<Task>();
        for (var i = 0; i < more; i++)
        {
            var agent = new FakeNode(_connection, _agents.Count, _directory);
            _agents.Add(agent);
            starting.Add(agent.StartAsync(_services, CancellationToken.None));
        }
        await Task.WhenAll(starting);
        return Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private async Task<Dictionary<string, Cost>> MeasureChangesAsync()
    {
        return new Dictionary<string, Cost>
        {
            ["pod of a Service elsewhere"] = await MeasureAsync(Changes, PodAsync),
            ["heartbeat of a node"] = await MeasureAsync(Changes, HeartbeatAsync),
            ["node that joins"] = await MeasureAsync(Joining, JoinAsync),
        };
    }

    private async Task<Cost> MeasureAsync(int count, Func<Task> change)
    {
        var cost = new Cost();
        var (bytes, written, cpu, server) = (Heard(), Written(), Figures.CpuMilliseconds(), Figures.CpuMilliseconds(_server));
        for (var i = 0; i < count; i++)
        {
            var since = Stopwatch.GetTimestamp();
            await change();
            cost.Milliseconds.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
        cost.Bytes = (Heard() - bytes) / (double)count / _agents.Count;
        cost.Entries = (Written() - written) / (double)count / _agents.Count;
        cost.Cpu = (Figures.CpuMilliseconds() - cpu) / count;
        cost.Server = (Figures.CpuMilliseconds(_server) - server) / count;
        return cost;
    }

    private long Heard() => _agents.Sum(static agent => agent.Bytes);

    private long Written() => _agents.Sum(static agent => agent.Kernel.Written);

    private Task WhenWritten(string text) => Task.WhenAll(_agents.Select(agent => agent.Kernel.WhenWritten(text)).ToList());

    // On the last node: none of those that have an agent here.
    private async Task PodAsync()
    {
        var number = _made++;
        var (service, address) = (number * 7 % _services, $"10.255.{number / 250}.{(number % 250) + 1}");
        var name = $"more-{number}";
        var written = WhenWritten(address);
        var pods = $"/api/v1/namespaces/{ScaleCluster.NamespaceOf(service)}/pods";
        await SendAsync(HttpMethod.Post, pods, ScaleCluster.Pod(name, service, ScaleCluster.NodeName(_nodes - 1)));
        await SendAsync(HttpMethod.Patch, $"{pods}/{name}/status", $$"""{"status":{{ScaleCluster.Running(address)}} }""");
        await written;
    }

    // Nobody writes anything because of one: what it is waited for is that it has come.
    private async Task HeartbeatAsync()
    {
        var heard = Task.WhenAll(_agents.Select(static agent => agent.WhenHeard(1000)).ToList());
        var beat = DateTime.UnixEpoch.AddSeconds(++_made).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await SendAsync(HttpMethod.Patch, $"/api/v1/nodes/{ScaleCluster.NodeName(_nodes - 1)}/status", $$"""{"status":{"conditions":{{ScaleCluster.Conditions(beat)}} } }""");
        await heard;
    }

    private async Task JoinAsync()
    {
        var number = _nodes + _joined++;
        var written = WhenWritten(ScaleCluster.NodeAddress(number));
        await SendAsync(HttpMethod.Post, "/api/v1/nodes", ScaleCluster.Node(number));
        await written;
    }

    private async Task SendAsync(HttpMethod method, string path, string json)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
        body.Headers.ContentType = new(method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json");
        await _api.SendAsync(method, path, body);
    }

    private sealed class Cost
    {
        public List<double> Milliseconds { get; } = [];

        public double Bytes { get; set; }

        public double Entries { get; set; }

        public double Cpu { get; set; }

        public double Server { get; set; }
    }
}
