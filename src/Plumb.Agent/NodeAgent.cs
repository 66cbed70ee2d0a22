using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Plumb.Agent.Asking;
using Plumb.Agent.Cni;
using Plumb.Agent.Health;
using Plumb.Agent.Http;
using Plumb.Agent.Kernel;
using Plumb.Agent.Leases;
using Plumb.Agent.Metrics;
using Plumb.Agent.Names;
using Plumb.Agent.Probing;
using Plumb.Agent.Repair;
using Plumb.Agent.Running;
using Plumb.Agent.Storage;
using Plumb.Kubernetes.Clients;
using Plumb.Linux.Iptables;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Linux.Json;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Network.Pods;

namespace Plumb.Agent;

/// <summary>
/// One node's agent: it watches the cluster, plans, applies, watches the kernel and repairs, and serves CNI. It is not in the way
/// of any packet: when it ends, everything that it made goes on working, and the next one takes it over as it is.
/// </summary>
public sealed partial class NodeAgent : IAsyncDisposable
{
    private const int KernelsOwnPauses = 12;
    private const int MostRecentRepairs = 5;

    private readonly NodeAgentOptions _options;
    private readonly ILogger _log;
    private readonly NodeEvents _events;
    private readonly NodeReadiness _readiness;
    private readonly ApiHealth _api;
    private readonly DateTimeOffset _startedAt;
    private readonly LinkedList<Happening> _repairs = new();
    private long _repaired;
    private readonly AgentFiles _files;
    private readonly FileStream _lock;
    private readonly INodeKernel _kernel;
    private readonly NodeState _state;
    private readonly AgentLoop _loop;
    private readonly AgentServer _server;
    private readonly NodeNames? _names;
    private readonly MemoryTrim? _trim;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Task> _tasks = [];
    private readonly HealthCheckServer _healthChecks;
    private bool _hearsOfServices;
    private ClusterServices? _checkedServices;
    private HashSet<Refusal> _toldRefusals = [];
    private readonly Departures _departures = new();
    private readonly Mirrors _mirrors;
    private readonly NodesRecord _nodes;
    private readonly AgentWatch? _watch;

    private NodeAgent(NodeAgentOptions options, INodeKernel kernel, AgentFiles files, FileStream held)
    {
        _options = options;
        _log = options.Log;
        _api = new ApiHealth(options.Metrics, options.Time, options.Log);
        _startedAt = options.Time.GetUtcNow();
        _events = new NodeEvents(options.Api, options.NodeName, options.Time, options.Log);
        _kernel = kernel;
        _files = files;
        _lock = held;
        var bootId = AgentFiles.BootId();
        var leases = LeaseStore.Open(Path.Combine(options.StateDirectory, LeaseStore.DirectoryName), bootId, _files);
        var node = NodeFacts.Create(options.NodeName, new NamespaceId(options.NodeName), options.Cluster);
        var planner = Planner.FromScratch(Layers.For(options.Cluster), new NetworkView(ClusterView.Empty, node));
        _state = new NodeState(options, leases, FormerParameters.Open(options.StateDirectory, bootId, _files), kernel, planner);
        var repairer = new Repairer(_state, options.Time, Repaired);
        _trim = options.OwnsProcess ? new MemoryTrim(options.Time) : null;
        _loop = new AgentLoop(_state, repairer, _log) { RoundDone = RoundDone, Trim = _trim, Metrics = options.Metrics };
        _readiness = new NodeReadiness(options, _state, _loop, _files, _events);
        _healthChecks = new HealthCheckServer(options.Network, _log, options.Time);
        var verbs = new CniVerbs(_loop);
        Cni = new CniEndpoint(verbs, options.Metrics);
        _watch = AgentWatch.Of(options, _loop, verbs);
        _names = options.Cluster.DnsServers.Count != 0 ? new NodeNames(options) : null;
        _mirrors = new Mirrors(_loop);
        _nodes = new NodesRecord(_files, KnownNodesPath, options.NodeName, options.Time, options.Log, () => _loop.Post(new AgentWork.Ask(static _ => { })));
        _server = new AgentServer(
            options.SocketPath, Cni, PlanAsync, ObservedAsync, ReportAsync, new InsightEndpoint(new Insight(options, _loop), ExplainNameAsync), SwitchServicesAsync, DepartedAsync, new MirrorEndpoint(_mirrors), new BandwidthEndpoint(new BandwidthChange(_loop)), _log);
    }

    /// <summary>Completes when pods can be served and the CNI configuration says so; fails when the agent ends before.</summary>
    public Task Ready => _readiness.Ready;

    /// <summary>Completes when the agent has ended; fails with the reason if it was not asked to.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Starts; returns when the socket answers. Pods are served from <see cref="Ready"/> on.</summary>
    /// <exception cref="AgentException">The options contradict one another, or the state directory is in use.</exception>
    public static Task<NodeAgent> StartAsync(NodeAgentOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        return StartAsync(options, OpenKernel(options, options.Writes), options.Writes, cancel);
    }

    internal static async Task<NodeAgent> StartAsync(NodeAgentOptions options, INodeKernel kernel, IWriteSeam writes, CancellationToken cancel)
    {
        var problems = RangeRules.Problems(options.Cluster);
        if (problems.Count != 0)
        {
            throw new AgentException(string.Join("; ", problems));
        }
        CheckPrograms(options.Cluster, options.Cluster.Services);
        var agent = Make(options, kernel, writes);
        try
        {
            await agent._server.StartAsync(cancel);
            await (agent._watch?.StartAsync(cancel) ?? Task.CompletedTask);
            agent.Run();
            return agent;
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Gives the addresses at which this node answered itself back to the endpoints of their Services: the agent ends, and its DNS server with it.
    /// </summary>
    public async Task WithdrawAsync()
    {
        if (_names is not null && _loop.Post(new AgentWork.Answers([])))
        {
            await _loop.AskAsync(static _ => true);
        }
    }

    /// <summary>
    /// Goes over to another way of serving Services while it runs, with no connection lost. Returns when the kernel holds the new one and nothing of the old but what it
    /// does not let go: a warning and an event name that.
    /// </summary>
    /// <returns>What is left, a line for each.</returns>
    /// <exception cref="AgentException">It cannot be: the message is one line, and all is as it was.</exception>
    public async Task<IReadOnlyList<string>> SwitchServicesAsync(ServicesKind services)
    {
        CheckPrograms(_options.Cluster, services);
        if (services != ServicesKind.None && !_hearsOfServices)
        {
            throw new AgentException($"the agent of {_options.NodeName} was started with --services none and hears of no Services: start it again with the option");
        }
        var work = new AgentWork.Switch(options => options with { Services = services });
        if (!_loop.Post(work))
        {
            throw new AgentException("the agent is ending");
        }
        var (refused, left) = await work.Done.Task;
        if (refused.Count != 0)
        {
            throw new AgentException($"Services of {_options.NodeName} cannot be served by {services.ToString().ToLowerInvariant()}: {refused[0].Message}");
        }
        foreach (var rest in left)
        {
            _events.Write("OldServicesLeft", $"{rest.Key} is left of the way in which Services were served before: {rest.Message}", isWarning: true);
        }
        return [.. left.Select(static rest => $"{rest.Key}: {rest.Message}")];
    }

    private static void CheckPrograms(NetworkOptions options, ServicesKind services)
    {
        foreach (var pods in options.ClusterRanges)
        {
            if (services == ServicesKind.Iptables && IptablesProgram.Missing(pods.Family) is { } missing)
            {
                throw new AgentException(missing);
            }
        }
    }

    /// <summary>Completes when this node sends no new connections to these addresses any more, of whatever Service; with false when it did not before either.</summary>
    public async Task<bool> DepartedAsync(ValueList<IpAddress> addresses, CancellationToken cancel) =>
        await await _loop.AskAsync(state => _departures.WaitAsync(state.View.Cluster.Services, addresses, cancel));

    internal CniEndpoint Cni { get; }

    /// <summary>Where its health and its metrics are; null: nowhere.</summary>
    internal IPEndPoint? HealthEndPoint => _watch?.EndPoint;

    internal static INodeKernel OpenKernel(NodeAgentOptions options, IWriteSeam writes) =>
        new NodeKernel(new NamespaceId(options.NodeName), NetworkNamespace.Open(options.Network.ProcPath), writes);

    private static NodeAgent Make(NodeAgentOptions options, INodeKernel kernel, IWriteSeam writes)
    {
        FileStream? held = null;
        try
        {
            var files = new AgentFiles(writes, AgentFiles.IsOnDisk(options.StateDirectory));
            files.CreateDirectory(options.StateDirectory);
            held = Lock(options.StateDirectory);
            return new NodeAgent(options, kernel, files, held);
        }
        catch
        {
            held?.Dispose();
            kernel.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_tasks.Count != 0)
        {
            // While the loop still runs, to take them out.
            await _mirrors.DisposeAsync();
        }
        await _ending.CancelAsync();
        await _server.DisposeAsync();
        await (_watch?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Ended.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _nodes.Dispose();
        if (!Ended.IsFaulted)
        {
            _nodes.Finish(_state.View.Cluster);
        }
        _names?.Dispose();
        _trim?.Dispose();
        _healthChecks.Dispose();
        _kernel.Dispose();
        await _lock.DisposeAsync();
        _ending.Dispose();
    }

    internal const string LockFile = "lock";
    internal const string NodesFile = "nodes.json";

    /// <exception cref="AgentException">An agent has it.</exception>
    internal static FileStream Lock(string directory)
    {
        var path = Path.Combine(directory, LockFile);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new AgentException($"{path} is held: another agent serves this node's state; end it first", exception);
        }
    }

    private void Run()
    {
        var known = KnownNodes.Read(KnownNodesPath);
        _tasks.Add(_loop.RunAsync(_ending.Token));
        _tasks.Add(WatchKernelAsync(_ending.Token));
        _tasks.Add(_events.RunAsync(_ending.Token));
        _tasks.Add(_readiness.RunAsync(_ending.Token));
        _ = _watch?.RunAsync(_ending.Token);
        foreach (var lost in _state.Lost)
        {
            Log.Lacks(_log, lost.Line);
            _events.Write("KernelFeatureMissing", lost.Line, isWarning: true);
        }
        _ = ProbeAgain.RunAsync(_options, _state.Lost, _loop, _ending.Token);
        StartNodes(known);
        Ended = EndAsync();
    }

    private async Task EndAsync()
    {
        // The first to end ends all.
        var first = await Task.WhenAny(_tasks);
        await _ending.CancelAsync();
        await Task.WhenAll(_tasks.Select(static task => task.ContinueWith(static _ => { }, TaskScheduler.Default)));
        var reason = first.Exception?.InnerException;
        _readiness.End(reason ?? new OperationCanceledException("the agent has ended"));
        if (reason is not null and not OperationCanceledException)
        {
            Log.Failed(_log, reason);
            throw reason;
        }
    }

    private async Task WatchKernelAsync(CancellationToken cancel)
    {
        while (true)
        {
            // What somebody wrote is looked at soon, what the kernel tells in its own name (a carrier, a parameter) a little later:
            // while pods come and go it has much to tell. Either way one look serves all that happened meanwhile.
            var change = await _kernel.WaitForChangeAsync(cancel);
            var isKernels = change.Writers.Count == 1 && change.Writers.Contains(0u);
            await Task.Delay(isKernels ? _options.RepairPause * KernelsOwnPauses : _options.RepairPause, _options.Time, cancel);
            _loop.Post(new AgentWork.Kernel(change));
        }
    }

    private void StartNodes(ClusterView known)
    {
        var remembered = known.Nodes.Values.Concat(_options.Nodes.Where(node => known.Node(node.Name) is null));
        var work = new AgentWork.Nodes([.. remembered.Select(static node => (node.Name, (ClusterNode?)node))], All: true);
        if (_options.Api is not { } api)
        {
            _loop.Post(work);
            return;
        }
        var nodes = Informer<Kubernetes.Objects.Node>(api);
        _tasks.Add(new NodeFeed(nodes, _loop).RunAsync(_ending.Token));
        _hearsOfServices = _options.Cluster.Services != ServicesKind.None || _names is not null;
        if (_hearsOfServices)
        {
            _tasks.Add(new ServiceFeed(
                Informer<Kubernetes.Objects.Service>(api, ServiceFeed.Keep), Informer<Kubernetes.Objects.EndpointSlice>(api, ServiceFeed.Keep), _loop, _names, LocalAnswer.Dns(_options.Cluster)).RunAsync(_ending.Token));
        }
        if (work.Changed.Count != 0)
        {
            _ = RememberAsync(nodes.Synced, work, _ending.Token);
        }
    }

    private Informer<T> Informer<T>(KubernetesClient api, Func<T, T>? keep = null) where T : class, Kubernetes.Objects.IResource<T>
    {
        var watch = new object();
        return new(api, ListOptions.All, _options.Random) { Keep = keep, OnTrouble = trouble => _api.Failed(watch, trouble), OnRecovery = () => _api.Recovered(watch) };
    }

    // With an API that does not answer, what was known last is the best there is; but its list, if it comes soon, is better.
    private async Task RememberAsync(Task synced, AgentWork.Nodes work, CancellationToken cancel)
    {
        try
        {
            await synced.WaitAsync(_options.ApiPatience, _options.Time, cancel);
        }
        catch (TimeoutException)
        {
            _loop.Post(work);
        }
        catch (OperationCanceledException)
        {
            // The agent is ending.
        }
    }

    // Runs on the loop, between two rounds.
    private void RoundDone(bool nodesChanged)
    {
        _mirrors.Look(_state.View.Node);
        _nodes.Look(_state.View.Cluster, nodesChanged);
        if (!ReferenceEquals(_checkedServices, _state.View.Cluster.Services))
        {
            _checkedServices = _state.View.Cluster.Services;
            _healthChecks.Update(HealthChecks.Of(_state.View));
            TellRefusals();
            _departures.Look(_checkedServices);
        }
        _readiness.Look(nodesChanged);
    }

    // What nodes do not do of what a Service asks for, once for each change of the reason.
    private void TellRefusals()
    {
        var now = new HashSet<Refusal>();
        foreach (var refusal in _state.Planner.Index.Refusals())
        {
            if (refusal.Cause.Subject.Kind == SubjectKind.Service && now.Add(refusal) && !_toldRefusals.Contains(refusal))
            {
                _events.WriteOfService(refusal.Cause.Subject.Scope, refusal.Cause.Subject.Name, "NotServedAsAsked", refusal.Line);
            }
        }
        _toldRefusals = now;
    }

    private void Repaired(RepairReport report)
    {
        _options.Metrics?.Repaired(report.GaveWay);
        _repaired++;
        _repairs.AddFirst(new Happening(_options.Time.GetUtcNow(), report.Text));
        if (_repairs.Count > MostRecentRepairs)
        {
            _repairs.RemoveLast();
        }
        Log.Repaired(_log, report.Text);
        _events.Write(report.GaveWay ? "NetworkRepairGaveWay" : "NetworkRepaired", report.Text, isWarning: true);
    }

    private async Task<PlanDocument> PlanAsync(IReadOnlyList<EntryKey>? keys, PlanSearch? about)
    {
        var node = _options.NodeName;
        if (keys is not null)
        {
            return await _loop.AskAsync(state => PlanDocument.Of(state.Planner.Index, node, keys));
        }
        // What may be long is printed as it is sent, beside the loop.
        var excerpt = await _loop.AskAsync(state => about is null ? PlanExcerpt.Of(state.Planner.Index) : PlanExcerpt.About(state.Planner.Index, about));
        return excerpt.ToDocument(node);
    }

    private async Task<byte[]?> ExplainNameAsync(IReadOnlyDictionary<string, string> query, CancellationToken cancel) =>
        _names is { } own ? own.Explain(query) : _options.Api is { } api ? await AskedNames.ExplainAsync(_options, api, query, cancel) : null;

    private async Task<byte[]> ReportAsync(CancellationToken cancel)
    {
        // Repairs are the loop's, like all that is asked here.
        var report = await _loop.AskAsync(state =>
        {
            var gauges = NodeGauges.Of(state);
            var options = state.View.Node.Options;
            return new NodeReport(
                _options.NodeName, Environment.ProcessId, _startedAt, Environment.WorkingSet, NodeTrouble.Of(state), _api.Last,
                options.Overlay.ToString().ToLowerInvariant(), options.Services.ToString().ToLowerInvariant(),
                [.. gauges.LeasesByRange.Select(held => new RangeUse(held.Key, held.Value, gauges.CapacityByRange[held.Key]))],
                gauges.Pods, gauges.Nodes, gauges.Services, gauges.EntriesByLayer, gauges.Connections, gauges.MostConnections, _repaired, [.. _repairs], [.. state.Lost.Select(static lost => lost.Line)]);
        });
        return JsonSerializer.SerializeToUtf8Bytes(report, NodeReportJson.Default.NodeReport);
    }

    private async Task<byte[]> ObservedAsync(CancellationToken cancel)
    {
        var json = new MemoryStream();
        StateJson.Write(json, await _loop.AskAsync(static state => state.Observe(state.Home)));
        return json.ToArray();
    }

    private string KnownNodesPath => Path.Combine(_options.StateDirectory, NodesFile);

    private static partial class Log
    {
        [LoggerMessage(1003, LogLevel.Warning, "{What}")]
        public static partial void Repaired(ILogger log, string what);

        [LoggerMessage(1018, LogLevel.Warning, "{What}")]
        public static partial void Lacks(ILogger log, string what);

        [LoggerMessage(1004, LogLevel.Error, "the agent has failed")]
        public static partial void Failed(ILogger log, Exception reason);
    }
}
