using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Files;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node;

/// <summary>
/// One pod's life on its node: sandbox, init containers, containers, and the way back. It is one asynchronous method, which waits
/// for what happens; a pod that runs costs no thread and no timer.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no handle: there is nothing to dispose of.")]
internal sealed class PodWorker
{
    // A pod that has not started after so long shows its state; one that has, shows it with its first status.
    private static readonly TimeSpan SilentStart = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(30);

    // Nodes hear of an endpoint that goes within milliseconds; one that a person wrote may stay for ever.
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(5);

    private readonly NodeContext _node;
    private readonly PodReport _report;
    private readonly PodStatusWriter _status;
    private readonly List<RunningContainer> _containers = [];
    private readonly CancellationTokenSource _delete = new();
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _shutdown;
    private readonly Lock _gate = new();
    private Pod _pod;

    /// <param name="shutdown">The node ends: nothing is told to the API any more.</param>
    public PodWorker(NodeContext node, Pod pod, CancellationToken shutdown)
    {
        _node = node;
        _pod = pod;
        _shutdown = shutdown;
        Name = new PodName(pod.Metadata.Namespace ?? "default", pod.Metadata.Name, pod.Metadata.Uid ?? "");
        _report = new PodReport
        {
            Uid = Name.Uid,
            HostAddresses = node.Report.Addresses,
            StartTime = node.Time.GetUtcNow(),
            RestartPolicy = ContainerSpecs.RestartPolicyOf(pod),
            InitContainers = [.. pod.Spec.InitContainers.Select(static one => new ContainerReport(one.Name, one.Image ?? "", completes: !ContainerSpecs.IsSidecar(one)))],
            Containers = [.. pod.Spec.Containers.Select(static one => new ContainerReport(one.Name, one.Image ?? "", completes: false))],
        };
        _status = new PodStatusWriter(node, Name, () => _report.ToPatch(node.Time.GetUtcNow()), _gate, shutdown);
    }

    public PodName Name { get; }

    /// <summary>Null until the pod has its network, and after.</summary>
    public PodSandbox? Sandbox { get; private set; }

    /// <summary>What the pod's containers have in common; null while there is no sandbox.</summary>
    public PodFacts? Facts { get; private set; }

    /// <summary>Completes when nothing of the pod is left on the node.</summary>
    public Task Done { get; private set; } = Task.CompletedTask;

    /// <summary>Completes when the object is gone from the API.</summary>
    public Task Gone => _gone.Task;

    public string Phase
    {
        get
        {
            lock (_gate)
            {
                return _report.Phase;
            }
        }
    }

    public void Start() => Done = RunAsync();

    /// <summary>The object changed; only a deletion matters to a pod that runs.</summary>
    public void Update(Pod pod)
    {
        lock (_gate)
        {
            _pod = pod;
        }
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            _delete.Cancel();
        }
    }

    /// <summary>The object is gone: the node said that it may, or nobody waited for the node (grace 0).</summary>
    public void Forget()
    {
        _gone.TrySetResult();
        _delete.Cancel();
    }

    /// <summary>The container of this name that runs or ran; null when it was never started.</summary>
    public IContainer? Find(string container)
    {
        lock (_gate)
        {
            return _containers.Find(one => one.Report.Name == container)?.Container;
        }
    }

    private async Task RunAsync()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_delete.Token, _shutdown);
        try
        {
            await StartAsync(end.Token);
            await RestAsync(end.Token);
            // Everything has ended by itself: the object stays until somebody deletes it, without a sandbox.
            await RemoveSandboxAsync();
            _status.Changed();
            await WaitAsync(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Deleted, or the node ends.
        }
        await EndAsync();
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var silence = _node.Time.CreateTimer(_ => _status.Changed(), null, SilentStart, Timeout.InfiniteTimeSpan);
        if (_report.InitContainers.Count > 0)
        {
            foreach (var container in _report.Containers)
            {
                container.WaitForInitialization();
            }
        }
        Sandbox = _pod.Spec.HostNetwork
            ? PodSandbox.OfNode(_node, Name)
            : await PodSandbox.CreateAsync(_node, Name, failed: _status.Changed, cancel, _shutdown);
        lock (_gate)
        {
            _report.PodAddresses = Sandbox.Addresses;
        }
        await _node.Services.Synced.WaitAsync(cancel);
        var facts = Facts = FactsOf(_pod, Sandbox);
        for (var i = 0; i < _report.InitContainers.Count; i++)
        {
            var spec = _pod.Spec.InitContainers[i];
            var container = await LaunchAsync(facts, ContainerSpecs.Init(_pod, spec, EnvironmentOf(spec), []), spec, _report.InitContainers[i], cancel);
            if (!ContainerSpecs.IsSidecar(spec))
            {
                await container.Container.Ended.WaitAsync(cancel);
                if (!container.Report.HasSucceeded)
                {
                    return;
                }
            }
        }
        for (var i = 0; i < _report.Containers.Count; i++)
        {
            var spec = _pod.Spec.Containers[i];
            await LaunchAsync(facts, ContainerSpecs.Main(_pod, spec, EnvironmentOf(spec), []), spec, _report.Containers[i], cancel);
        }
    }

    private async Task<RunningContainer> LaunchAsync(PodFacts facts, ContainerSpec spec, Container wanted, ContainerReport report, CancellationToken cancel)
    {
        var running = new RunningContainer(_node, Name, wanted, GraceOf(_pod), report, _gate, _status.Changed);
        await _node.KernelTurn.WaitAsync(cancel);
        try
        {
            lock (_gate)
            {
                _containers.Add(running);
            }
            running.Start(facts, spec);
        }
        finally
        {
            _node.KernelTurn.Release();
        }
        return running;
    }

    /// <summary>Until every container has ended for good.</summary>
    private async Task RestAsync(CancellationToken cancel)
    {
        foreach (var running in _containers.ToArray())
        {
            await running.Container.Ended.WaitAsync(cancel);
        }
    }

    private static async Task WaitAsync(CancellationToken cancel) => await Task.Delay(Timeout.InfiniteTimeSpan, cancel);

    private async Task EndAsync()
    {
        if (_shutdown.IsCancellationRequested)
        {
            await StopContainersAsync(TimeSpan.Zero);
            return;
        }
        TimeSpan grace;
        lock (_gate)
        {
            _report.Terminating = true;
            grace = _pod.Metadata.DeletionGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : GraceOf(_pod);
        }
        foreach (var running in _containers)
        {
            if (running.Report.Status.Phase == ContainerPhase.Running)
            {
                _node.Events.Add(PodEvent.Killing(Name, running.Report.Name));
            }
        }
        await LeaveAsync(grace);
        await RemoveSandboxAsync();
        if (!_shutdown.IsCancellationRequested)
        {
            await _status.FinishAsync();
            await _node.Api.ConfirmDeletionAsync(Name, _shutdown);
        }
    }

    /// <summary>
    /// Ends the containers. A process is asked at once, as everywhere; a built-in workload goes on serving until no node sends it new connections, as a
    /// program that knows its trade does.
    /// </summary>
    private async Task LeaveAsync(TimeSpan grace)
    {
        var builtIn = _containers.FindAll(static one => one.IsBuiltIn);
        // Addresses of a node belong to others, too.
        if (grace > TimeSpan.Zero && builtIn.Count > 0 && Sandbox is { IsOfNode: false } sandbox)
        {
            var others = Task.WhenAll(_containers.Where(static one => !one.IsBuiltIn).Select(one => one.StopAsync(grace)));
            using var patience = new CancellationTokenSource(grace < LongestLeave ? grace : LongestLeave, _node.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _shutdown);
            try
            {
                if (await _node.EndpointsGone(sandbox.Addresses, either.Token))
                {
                    await Task.WhenAll(builtIn.Select(one => one.SettleAsync(either.Token)));
                }
            }
            catch (OperationCanceledException)
            {
                // Somebody's slice still names the pod; or the node ends.
            }
            await others;
        }
        await StopContainersAsync(grace);
    }

    private async Task StopContainersAsync(TimeSpan grace)
    {
        await Task.WhenAll(_containers.Select(one => one.StopAsync(grace)));
        foreach (var running in _containers)
        {
            await running.Container.DisposeAsync();
        }
    }

    private async Task RemoveSandboxAsync()
    {
        if (Sandbox is { } sandbox)
        {
            Sandbox = null;
            Facts = null;
            lock (_gate)
            {
                _report.SandboxGone = true;
            }
            try
            {
                await sandbox.RemoveAsync(_shutdown);
            }
            catch (OperationCanceledException) when (_shutdown.IsCancellationRequested)
            {
                // The node's namespaces go with it.
            }
        }
    }

    private PodFacts FactsOf(Pod pod, PodSandbox sandbox)
    {
        var hostName = pod.Spec.HostNetwork ? _node.Name : string.IsNullOrEmpty(pod.Spec.Hostname) ? pod.Metadata.Name : pod.Spec.Hostname;
        return new PodFacts(new ObjectKey("Pod", Name.Namespace, Name.Name), Name.Uid, _node.Name, sandbox.Network, sandbox.Addresses)
        {
            NodeAddresses = _node.Report.Addresses,
            HostName = hostName,
            HostsFile = PodFiles.Hosts(pod, sandbox.Addresses, hostName),
            ResolverFile = ResolverOf(pod),
            ServiceAccountName = pod.Spec.ServiceAccountName ?? "default",
            Labels = pod.Metadata.Labels,
            Annotations = pod.Metadata.Annotations,
            ServiceEnvironment = _node.Services.Of(Name.Namespace, pod.Spec.EnableServiceLinks ?? true),
        };
    }

    private static TimeSpan GraceOf(Pod pod) =>
        pod.Spec.TerminationGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultGrace;

    private string ResolverOf(Pod pod)
    {
        var file = ResolverFile.Of(pod, _node.DnsServers, _node.ResolverFile);
        foreach (var what in file.Cut)
        {
            _node.Events.Add(PodEvent.DnsConfigForming(Name, what));
        }
        return file.Text;
    }

    private static EnvironmentVariable[] EnvironmentOf(Container container) =>
        [.. container.Env.Select(static one => new EnvironmentVariable(one.Name, one.Value ?? "", one.ValueFrom?.FieldRef?.FieldPath))];
}
