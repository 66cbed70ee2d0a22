using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Plumb.Api;
using Plumb.Api.Controllers;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Agents;
using Plumb.Lab.Cni;
using Plumb.Lab.Containers;
using Plumb.Lab.HostPorts;
using Plumb.Lab.Manifests;
using Plumb.Lab.Node;
using Plumb.Lab.Node.Volumes;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;
using Plumb.Linux.Containers;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab;

/// <summary>How the nodes' part and the agents in this process reach the API; a test's link can be cut.</summary>
internal delegate ValueTask<Stream> ApiLink(ApiServer api, CancellationToken cancel);

/// <summary>A cluster on this machine, in this process. It lives as long as this object.</summary>
public sealed class Lab : IAsyncDisposable
{
    // Whoever waits for pods that never come gets the cluster to look at them.
    private static readonly TimeSpan PodPatience = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _setting = new(1);
    private LabOptions _options;
    private readonly IProgress<LabProgress> _progress;
    private readonly ApiLink _link;
    private ControlGroup? _group;
    private LabCommandRunner? _commands;
    private readonly TimeProvider _time;
    private readonly WireAddresses _addresses;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource _stopAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, Kubelet> _kubelets = [];
    private readonly ConcurrentDictionary<string, LabNode> _nodes = [];
    private readonly PodRouter _router;
    private readonly TaskCompletionSource<ApiServer> _apiStarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Ended from the last to the first; what runs on nodes before what it asks and stands on, though both begin at once.
    private readonly ConcurrentStack<Func<ValueTask>> _nodeParts = new();
    private readonly ConcurrentStack<Func<ValueTask>> _parts = new();
    private LabLog? _log;
    private Machines? _machines;
    private NodePortsOnHost? _hostPorts;
    private ApiServer? _api;
    private LabPhase _phase = LabPhase.Starting;
    private ValueList<string> _oldServicesLeft = [];

    private Lab(LabOptions options, IProgress<LabProgress> progress, TimeProvider time, ApiLink link)
    {
        _link = link;
        _options = options;
        _progress = progress;
        _time = time;
        _addresses = new WireAddresses(options);
        _router = new PodRouter(_kubelets);
        StartedAt = options.AskedAt ?? time.GetUtcNow();
        Paths = new RunPaths(options.RuntimeRoot ?? RunPaths.FindRoot(), options.Name);
    }

    public RunPaths Paths { get; }

    public DateTimeOffset StartedAt { get; }

    /// <summary>Completes when somebody asked through the lab's socket that it ends.</summary>
    public Task StopAsked => _stopAsked.Task;

    /// <summary>The API server of a lab that has started.</summary>
    internal ApiServer Api => _api!;

    /// <summary>What streams into and out of containers reach.</summary>
    internal NodeRuntime Runtime => new(_kubelets);

    internal IReadOnlyDictionary<string, Kubelet> Kubelets => _kubelets;

    /// <summary>Completes when the start does; fails when the lab ends before.</summary>
    internal Task Started => _started.Task;

    /// <summary>Returns when all nodes are Ready, the manifests' objects created and, where asked for, their pods Ready.</summary>
    /// <param name="commands">Runs the command lines that the lab is handed; null: it takes none.</param>
    /// <param name="group">The control group in which containers have theirs; null: they have none.</param>
    /// <exception cref="LabException">The lab cannot be; nothing of it is left.</exception>
    public static Task<Lab> StartAsync(
        LabOptions options, IProgress<LabProgress> progress, LabCommandRunner? commands, TimeProvider time, CancellationToken cancel, ControlGroup? group = null) =>
        StartAsync(options, progress, time, static (api, _) => new(api.Connect()), cancel, commands, group);

    internal static async Task<Lab> StartAsync(
        LabOptions options, IProgress<LabProgress> progress, TimeProvider time, ApiLink link, CancellationToken cancel, LabCommandRunner? commands = null, ControlGroup? group = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var lab = new Lab(options, progress, time, link) { _commands = commands, _group = group };
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, lab._abandoned.Token);
            await lab.StartAsync(either.Token);
            lab._started.TrySetResult();
            return lab;
        }
        catch (OperationCanceledException) when (lab.StopAsked.IsCompleted && !cancel.IsCancellationRequested)
        {
            await lab.DisposeAsync();
            throw lab.EndedBefore();
        }
        catch (Exception refused) when (DiskFault.Reason(refused) is not null)
        {
            await lab.DisposeAsync();
            throw new LabException(
                $"cannot write the lab's run directory {lab.Paths.Directory}: {DiskFault.Reason(refused)}; make room or set XDG_RUNTIME_DIR to a directory of your own",
                refused);
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public LabProgress Step(LabStep step, string? detail = null) => new(step, _time.GetUtcNow() - StartedAt, detail);

    public LabStatus Status()
    {
        LabNode[] nodes = [.. InOrder()];
        return new LabStatus(
            _options.Name,
            _phase,
            Paths.Kubeconfig,
            LabReport.Address(_api),
            Environment.ProcessId,
            StartedAt,
            _options.Overlay,
            _options.PodRanges,
            _options.ServiceRanges,
            _machines is null ? [] : LabReport.Machines(_machines, _addresses, _nodes),
            LabReport.Pods(nodes))
        {
            NodeRanges = _options.NodeRanges,
            Services = _options.Services,
            OldServicesLeft = _oldServicesLeft,
            MemoryBytes = Environment.WorkingSet,
            HostPorts = [.. _hostPorts?.Status() ?? []],
        };
    }

    /// <summary>
    /// Has every node go over to another way of serving Services, one after the other, with no connection lost. Waits until the lab has started.
    /// </summary>
    /// <param name="cancel">Until the first node begins: some that have gone over and others that have not are no network that anybody asked for.</param>
    /// <exception cref="LabException">A node cannot; all are as they were.</exception>
    public async Task SetServicesAsync(ServicesKind services, CancellationToken cancel)
    {
        await Started.WaitAsync(cancel);
        await _setting.WaitAsync(cancel);
        try
        {
            var left = await ServicesOfNodes.SetAsync(InOrder(), _options.Services, services, _log);
            _options = _options with { Services = services };
            _oldServicesLeft = [.. left];
            _log?.Write("set", $"Services by {services.ToString().ToLowerInvariant()}");
        }
        finally
        {
            _setting.Release();
        }
    }

    /// <summary>Begins to end the lab; whoever waits on <see cref="StopAsked"/> does it.</summary>
    public void Stop()
    {
        if (_stopAsked.TrySetResult())
        {
            _abandoned.Cancel();
        }
    }

    /// <summary>Ends all processes, closes all namespaces, removes all files.</summary>
    public async ValueTask DisposeAsync()
    {
        _phase = LabPhase.Stopping;
        if (_started.TrySetException(EndedBefore()))
        {
            _ = _started.Task.Exception; // nobody may have waited for it
        }
        await _ending.CancelAsync();
        while (_nodeParts.TryPop(out var part) || _parts.TryPop(out part))
        {
            await part();
        }
        _ending.Dispose();
        _setting.Dispose();
        _abandoned.Dispose();
    }

    private LabException EndedBefore() => new($"the lab '{_options.Name}' was ended before it was ready");

    private async Task StartAsync(CancellationToken cancel)
    {
        var manifests = ManifestSet.Read(_options.Manifests, _options.From);
        var run = await RunDirectory.ClaimAsync(Paths, _time, cancel);
        Own(run);
        _log = new LabLog(Paths.Log, _time);
        Own(_log);
        Report(Step(LabStep.Claimed));

        // The API and the nodes begin together; who asks the API before it listens waits in Connect.
        var client = new KubernetesClient(
            new ClusterConnection
            {
                Server = new Uri("http://in-process"),
                Connect = async connecting => await _link(await _apiStarted.Task.WaitAsync(connecting), connecting),
            },
            _time,
            "plumb-lab");
        Own(client);
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var api = Task.Run(StartApiAsync, cancel);
        var nodes = Task.Run(() => StartNodesAsync(client, together.Token), cancel);
        try
        {
            await await Task.WhenAny(api, nodes);
            await Task.WhenAll(api, nodes);
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(api, nodes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        var objects = manifests.Order(_api!.Registry.Catalog);
        // Not before all nodes are Ready: the first one would get all the pods.
        await ManifestCreation.CreateAsync(
            client, objects, done => Report(Step(LabStep.Manifests) with { Done = done, Total = objects.Count }), cancel);
        if (_options.WaitForPods)
        {
            await WaitForPodsAsync(manifests.ExpectedPods(_options.Nodes), cancel);
        }
        _phase = LabPhase.Ready;
        Report(Step(LabStep.Ready) with { Lab = Status() });
    }

    private async Task StartApiAsync()
    {
        try
        {
            _api = await ApiServer.StartAsync(
                new ApiServerOptions
                {
                    Listen = new IPEndPoint(IPAddress.Loopback, _options.ApiPort),
                    Token = RandomNumberGenerator.GetHexString(48, lowercase: true),
                    CertificateAddresses = [.. _addresses.Wire.Select(static own => own.Address.ToIPAddress())],
                    ServiceNetwork = _options.ServiceRanges[0].ToNetwork(),
                    ServiceNetworkV6 = _options.ServiceRanges.SecondNetwork(),
                    Advertised = new IPEndPoint(_addresses.Wire[0].Address.ToIPAddress(), ApiDoor.Port),
                    Time = _time,
                    Random = Random.Shared,
                    Runtime = Runtime,
                    AdmitServiceAccounts = true,
                    Loggers = _log,
                },
                _ending.Token);
        }
        catch (IOException refused) when (_options.ApiPort != 0)
        {
            throw new LabException(
                $"port {_options.ApiPort} of 127.0.0.1 cannot be had for the API: {refused.Message.TrimEnd('.')}; choose another with --api-port, or leave it out",
                refused);
        }
        Own(_api);
        _apiStarted.SetResult(_api);
        var controllers = new ControllerOptions
        {
            Time = _time,
            ClusterNetwork = _options.PodRanges[0].ToNetwork(),
            ClusterNetworkV6 = _options.PodRanges.SecondNetwork(),
            Loggers = _log,
        };
        var plane = new ControlPlane(_api, controllers, _kubelets, _log, _ending.Token);
        Own(plane);
        RunDirectory.WriteFile(Paths.Kubeconfig, _api.Kubeconfig($"plumb-{_options.Name}"));
        Own(await LabSocket.OpenAsync(Paths.Socket, new LabDesk(this, plane, _nodes, _commands), _ending.Token));
        Report(Step(LabStep.Api));
    }

    private async Task StartNodesAsync(KubernetesClient client, CancellationToken cancel)
    {
        _machines = Machines.Build(_addresses);
        OwnOnNodes(_machines);
        Report(Step(LabStep.Wire));
        var door = new ApiDoor(_machines.Wire, _addresses.Wire[0].Address, _apiStarted.Task, _time);
        OwnOnNodes(door);
        var containers = new ContainerRuntime(Paths.Directory, ThisProgram.CommandLine, _time, _options.Images, _group);
        OwnOnNodes(containers);
        RunDirectory.MakeDirectory(Paths.CniDirectory);
        var watch = new CniWatch(Paths.CniDirectory, (who, fault) => _log?.Write(who, fault.Message));
        OwnOnNodes(watch);
        var kernelTurn = new SemaphoreSlim(1);
        OwnOnNodes(kernelTurn);
        var agents = new AgentFactory(_options, client, Paths, _apiStarted.Task, door, _addresses.DnsServers, _log!, _time);
        var names = await WireNames.StartAsync(
            _machines.Wire, [.. _addresses.Wire.Select(static own => own.Address)], agents.Forward, _log!.CreateLogger("wire"), _time);
        OwnOnNodes(names);
        var api = new NodeApi(client, _time);
        var services = FollowServices(client);
        var sources = new PodSources(client, _time, (what, fault) => _log?.Write(what, fault.Message), _ending.Token);
        for (var number = 1; number <= _addresses.NodeCount; number++)
        {
            var name = WirePlan.NodeId(number).Name;
            var paths = new NodePaths(Paths, name);
            paths.Make();
            NetworkConfiguration.Give(_options.CniConfigurations ?? [], paths.CniConfiguration, _addresses.PodRanges(number)[0]);
            var kubelet = new Kubelet(new NodeContext(
                new NodeReport(name, WireAddresses.Of(_addresses.Node(number)), _addresses.PodRanges(number)),
                _machines.Nodes[number - 1],
                _addresses.DnsServers,
                api,
                new EventQueue(name, api, _time),
                CniClient.Of(paths, _machines.Nodes[number - 1], _time),
                containers,
                services,
                new NodeSignals(),
                EndpointsGoneAsync,
                kernelTurn,
                _time)
            {
                ResolverFile = names.ResolverFile,
                Sources = sources,
            });
            OwnOnNodes(kubelet);
            watch.Add(paths.CniConfiguration, kubelet);
            _kubelets.Add(name, kubelet);
        }
        watch.Start();
        FollowPods(client);
        var ready = 0;
        await Task.WhenAll(_kubelets.Values.Select(async (kubelet, index) =>
        {
            var network = _machines.Nodes[index];
            // Both have much to compile when they are the first: on a processor each.
            var registered = Task.Run(() => kubelet.RegisterAsync(cancel), cancel);
            var agent = await agents.StartAsync(kubelet.Name, network, _addresses.Node(index + 1)[0].Address, cancel);
            OwnOnNodes(agent);
            var node = new LabNode(kubelet, agent, WirePlan.NodeId(index + 1), new NodePaths(Paths, kubelet.Name));
            _nodes[node.Name] = node;
            await registered;
            // Nodes that are to have no network do not become Ready.
            await (_options.CniConfigurations is { Count: 0 } ? Task.CompletedTask : kubelet.Ready.WaitAsync(cancel));
            Report(Step(LabStep.Nodes) with { Done = Interlocked.Increment(ref ready), Total = _addresses.NodeCount });
        }));
    }

    private ServiceVariables FollowServices(KubernetesClient client)
    {
        var services = new Informer<Service>(client, ListOptions.All, Random.Shared) { OnTrouble = trouble => _log?.Write("services", trouble.Message) };
        var variables = new ServiceVariables(services);
        var ports = _hostPorts = new NodePortsOnHost(_machines!.Wire, _addresses.Places(), client, _log!, _time);
        OwnOnNodes(ports);
        _ = FollowAsync("services", services.RunAsync(_ending.Token));
        _ = FollowAsync("services", FollowServicesAsync(services, variables, ports));
        return variables;
    }

    private async Task FollowServicesAsync(Informer<Service> services, ServiceVariables variables, NodePortsOnHost ports)
    {
        await foreach (var change in services.Changes.ReadAllAsync(_ending.Token))
        {
            variables.Forget();
            await ports.TakeAsync(change);
        }
    }

    private void FollowPods(KubernetesClient client)
    {
        var pods = new Informer<Pod>(client, ListOptions.All, Random.Shared) { OnTrouble = trouble => _log?.Write("pods", trouble.Message) };
        _ = FollowAsync("pods", pods.RunAsync(_ending.Token));
        _ = FollowAsync("pods", _router.RunAsync(pods, _ending.Token));
    }

    // A lab that no longer hears of its pods must not look as if it did.
    private async Task FollowAsync(string what, Task following)
    {
        try
        {
            await following;
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The lab is ending.
        }
        catch (Exception fault)
        {
            _log?.Write(what, $"no longer followed, the lab ends: {fault}");
            Stop();
        }
    }

    private async Task WaitForPodsAsync(int expected, CancellationToken cancel)
    {
        if (expected == 0)
        {
            return;
        }
        _router.ReadyChanged = ready => Report(Step(LabStep.Pods) with { Done = Math.Min(ready, expected), Total = expected });
        try
        {
            await _router.WaitReadyAsync(expected).WaitAsync(PodPatience, _time, cancel);
        }
        catch (TimeoutException)
        {
            Report(Step(LabStep.Pods, $"not all pods are Ready after {PodPatience.TotalSeconds:0} s; `kubectl get pods -A` and `kubectl describe pod` tell why"));
        }
        _router.ReadyChanged = null;
    }

    private IEnumerable<LabNode> InOrder() =>
        Enumerable.Range(1, _addresses.NodeCount).Select(number => _nodes.GetValueOrDefault(WirePlan.NodeId(number).Name)).OfType<LabNode>();

    private void Report(LabProgress step)
    {
        _log?.Write("start", $"{step.Elapsed.TotalMilliseconds,6:0} ms {step.Step}{(step.Total > 0 ? $" {step.Done}/{step.Total}" : "")} {step.Detail}".TrimEnd());
        _progress.Report(step);
    }

    private async Task<bool> EndpointsGoneAsync(IReadOnlyList<IpAddress> addresses, CancellationToken cancel) =>
        (await Task.WhenAll(_nodes.Values.Select(node => node.Agent.DepartedAsync([.. addresses], cancel)))).Contains(true);

    private void Own(IDisposable part) => _parts.Push(() => End(part));

    private void Own(IAsyncDisposable part) => _parts.Push(part.DisposeAsync);

    private void OwnOnNodes(IDisposable part) => _nodeParts.Push(() => End(part));

    private void OwnOnNodes(IAsyncDisposable part) => _nodeParts.Push(part.DisposeAsync);

    private static ValueTask End(IDisposable part)
    {
        part.Dispose();
        return default;
    }
}
