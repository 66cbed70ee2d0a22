using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Files;
using Plumb.Lab.Node.Volumes;
using Container = Plumb.Kubernetes.Objects.Container;
using ContainerStatus = Plumb.Lab.Containers.ContainerStatus;

namespace Plumb.Lab.Node;

/// <summary>
/// One pod's life on its node: sandbox, init containers, containers, and the way back. It is one asynchronous method, which waits
/// for what happens; a pod that runs costs no thread and no timer.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no handle: there is nothing to dispose of.")]
internal sealed class PodWorker
{
    // A pod that has not started after so long shows its state; one that has, shows it with its first status.
    // A timer counts to 49 days; no lab lives that long.
    private const long MostSeconds = 4_000_000;

    private static readonly TimeSpan SilentStart = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(30);

    private readonly NodeContext _node;
    private readonly PodReport _report;
    private readonly PodStatusWriter _status;
    private readonly List<RunningContainer> _containers = [];
    private readonly PodVolumes _volumes;
    private readonly CancellationTokenSource _delete = new();
    private readonly CancellationTokenSource _deadline = new();
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _shutdown;
    private readonly Lock _gate = new();
    private readonly PodExit _exit;
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
            InitContainers = [.. pod.Spec.InitContainers.Select(static one => new ContainerReport(one.Name, one.Image ?? "", completes: !ContainerSpecs.IsSidecar(one)) { IsSidecar = ContainerSpecs.IsSidecar(one) })],
            Containers = [.. pod.Spec.Containers.Select(static one => new ContainerReport(one.Name, one.Image ?? "", completes: false))],
        };
        _exit = new PodExit(node, _shutdown);
        _volumes = new PodVolumes(node, Name, pod);
        _report.ReadinessGates = GatesOf(pod);
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

    /// <summary>The object changed: its deletion, what others say of its readiness, its labels, and new containers for debugging matter to a pod that runs.</summary>
    public void Update(Pod pod)
    {
        bool turned;
        lock (_gate)
        {
            _pod = pod;
            var gates = GatesOf(pod);
            turned = !gates.SequenceEqual(_report.ReadinessGates);
            _report.ReadinessGates = gates;
        }
        if (turned)
        {
            _status.Changed();
        }
        if (pod.Spec.Volumes.Count > 0)
        {
            _volumes.Update(pod);
        }
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            _exit.Hurry(GraceOf(pod));
            _delete.Cancel();
        }
        else if (pod.Spec.EphemeralContainers.Count > 0 && Facts is { } facts)
        {
            _ = DebugAsync(facts, pod);
        }
    }

    /// <summary>The object is gone: the node said that it may, or nobody waited for the node (grace 0).</summary>
    public void Forget()
    {
        _gone.TrySetResult();
        _exit.Hurry(TimeSpan.Zero);
        _delete.Cancel();
    }

    /// <summary>The container of this name that runs or ran; null when it was never started.</summary>
    public IContainer? Find(string container)
    {
        lock (_gate)
        {
            return _containers.Find(one => one.Report.Name == container)?.Found;
        }
    }

    /// <summary>The reason that the container's state has while it waits.</summary>
    public string WhyNotStarted(string container)
    {
        lock (_gate)
        {
            return _report.Find(container)?.Status.Reason ?? ContainerStatus.Creating.Reason;
        }
    }

    private async Task RunAsync()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_delete.Token, _deadline.Token, _shutdown);
        using var deadline = _pod.Spec.ActiveDeadlineSeconds is { } seconds
            ? _node.Time.CreateTimer(_ => Expire(), null, TimeSpan.FromSeconds(Math.Clamp(seconds, 0, MostSeconds)), Timeout.InfiniteTimeSpan)
            : null;
        try
        {
            try
            {
                await StartAsync(end.Token);
                await RestAsync(end.Token);
            }
            catch (OperationCanceledException) when (_deadline.IsCancellationRequested && !_delete.IsCancellationRequested && !_shutdown.IsCancellationRequested)
            {
                await _exit.LeaveAsync(_containers, Sandbox, GraceOf(_pod));
            }
#pragma warning disable CA1031 // Whatever it is: the pod says so, and can still be deleted.
            catch (Exception broken) when (broken is not OperationCanceledException)
#pragma warning restore CA1031
            {
                lock (_gate)
                {
                    _report.Failure = ("FailedSync", broken.Message);
                }
                _node.Events.Add(PodEvent.FailedSync(Name, broken.Message));
                await _exit.LeaveAsync(_containers, Sandbox, TimeSpan.Zero);
            }
            // Everything has ended: the object stays until somebody deletes it, without a sandbox.
            await RemoveSandboxAsync();
            _status.Changed();
            using var rest = CancellationTokenSource.CreateLinkedTokenSource(_delete.Token, _shutdown);
            await Task.Delay(Timeout.InfiniteTimeSpan, rest.Token);
        }
        catch (OperationCanceledException) when (_delete.IsCancellationRequested || _shutdown.IsCancellationRequested)
        {
            // Deleted, or the node ends.
        }
        await EndAsync();
    }

    private void Expire()
    {
        lock (_gate)
        {
            _report.Failure = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
        }
        _node.Events.Add(PodEvent.DeadlineExceeded(Name));
        _deadline.Cancel();
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
        if (_pod.Spec.Volumes.Count > 0)
        {
            await _volumes.SetUpAsync(failed: _status.Changed, cancel);
        }
        Sandbox = _pod.Spec.HostNetwork
            ? PodSandbox.OfNode(_node, Name)
            : await PodSandbox.CreateAsync(_node, Name, ContainerSpecs.PortMappings(_pod), failed: _status.Changed, cancel, _shutdown);
        lock (_gate)
        {
            _report.PodAddresses = Sandbox.Addresses;
        }
        await _node.Services.Synced.WaitAsync(cancel);
        var facts = Facts = FactsOf(_pod, Sandbox);
        for (var i = 0; i < _report.InitContainers.Count; i++)
        {
            var container = await LaunchAsync(facts, _pod.Spec.InitContainers[i], _report.InitContainers[i], ContainerSpecs.Init, cancel);
            if (container.IsSidecar)
            {
                await Task.WhenAny(container.Started, container.Container.Ended).WaitAsync(cancel);
                continue;
            }
            await container.Container.Ended.WaitAsync(cancel);
            if (!container.Report.HasSucceeded)
            {
                return;
            }
        }
        for (var i = 0; i < _report.Containers.Count; i++)
        {
            await LaunchAsync(facts, _pod.Spec.Containers[i], _report.Containers[i], ContainerSpecs.Main, cancel);
        }
        if (_pod.Spec.EphemeralContainers.Count > 0)
        {
            await DebugAsync(facts, _pod);
        }
    }

    private delegate ContainerSpec SpecOf(Pod pod, Container container, IReadOnlyList<EnvironmentVariable> environment, IReadOnlyList<ContainerMount> mounts);

    private async Task<RunningContainer> LaunchAsync(PodFacts facts, Container wanted, ContainerReport report, SpecOf specOf, CancellationToken cancel)
    {
        var running = new RunningContainer(_node, Name, wanted, GraceOf(_pod), report, _gate, _status.Changed);
        var spec = await ConfigureAsync(facts, wanted, report, specOf, cancel);
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

    /// <summary>Puts in what the container's variables and mounts refer to; what is missing is said, and waited for.</summary>
    private async Task<ContainerSpec> ConfigureAsync(PodFacts facts, Container wanted, ContainerReport report, SpecOf specOf, CancellationToken cancel)
    {
        for (var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)); ; backOff.Next())
        {
            string missing;
            try
            {
                var variables = await new VariableSources(_node.Sources, Name.Namespace).ReadAsync(wanted, cancel);
                var spec = specOf(_pod, wanted, variables, []);
                return wanted.VolumeMounts.Count == 0 ? spec : spec with { Mounts = _volumes.MountsOf(wanted, ContainerEnvironment.Build(facts, spec)) };
            }
            catch (Exception refused) when (refused is MissingSourceException or ContainerStartException)
            {
                missing = refused.Message;
            }
            lock (_gate)
            {
                report.Status = ContainerStatus.Creating with { Reason = "CreateContainerConfigError", Message = missing };
            }
            _node.Events.Add(PodEvent.Failed(Name, report.Name, missing));
            _status.Changed();
            await Task.Delay(backOff.Delay, _node.Time, cancel);
        }
    }

    /// <summary>Starts the debugging containers that are new.</summary>
    private async Task DebugAsync(PodFacts facts, Pod pod)
    {
        foreach (var wanted in pod.Spec.EphemeralContainers)
        {
            ContainerReport report;
            lock (_gate)
            {
                if (_report.EphemeralContainers.Exists(known => known.Name == wanted.Name))
                {
                    continue;
                }
                _report.EphemeralContainers.Add(report = new ContainerReport(wanted.Name, wanted.Image ?? "", completes: false));
            }
            try
            {
                await LaunchAsync(facts, wanted, report, ContainerSpecs.Ephemeral, _delete.Token);
            }
            catch (OperationCanceledException) when (_delete.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Until every main container has ended for good; then side cars have nobody left to help.</summary>
    private async Task RestAsync(CancellationToken cancel)
    {
        foreach (var running in Started())
        {
            if (!running.IsSidecar)
            {
                await running.Container.Ended.WaitAsync(cancel);
            }
        }
        foreach (var running in Started().Where(static one => one.IsSidecar).Reverse())
        {
            await running.StopAsync(GraceOf(_pod)).WaitAsync(cancel);
        }
    }

    private List<RunningContainer> Started()
    {
        lock (_gate)
        {
            return [.. _containers];
        }
    }

    private async Task EndAsync()
    {
        if (_shutdown.IsCancellationRequested)
        {
            await _exit.StopAsync(Started(), TimeSpan.Zero);
            return;
        }
        TimeSpan grace;
        lock (_gate)
        {
            _report.Terminating = true;
            grace = GraceOf(_pod);
        }
        var started = Started();
        foreach (var running in started)
        {
            if (running.Report.Status.Phase == ContainerPhase.Running)
            {
                _node.Events.Add(PodEvent.Killing(Name, running.Report.Name));
            }
        }
        await _exit.LeaveAsync(started, Sandbox, grace);
        await RemoveSandboxAsync();
        _volumes.Dispose();
        PodDirectory.Delete(_node.Containers.DirectoryOf(Name.Uid));
        if (!_shutdown.IsCancellationRequested)
        {
            await _status.FinishAsync();
            await _node.Api.ConfirmDeletionAsync(Name, _shutdown);
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
        var hostName = PodFiles.HostName(pod, _node.Name);
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

    /// <summary>The deletion's own, else the pod's.</summary>
    private static TimeSpan GraceOf(Pod pod) =>
        pod.Metadata.DeletionGracePeriodSeconds is { } asked ? TimeSpan.FromSeconds(asked)
        : pod.Spec.TerminationGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultGrace;

    private string ResolverOf(Pod pod)
    {
        var file = ResolverFile.Of(pod, _node.DnsServers, _node.ResolverFile);
        foreach (var what in file.Cut)
        {
            _node.Events.Add(PodEvent.DnsConfigForming(Name, what));
        }
        return file.Text;
    }

    private static List<(string Type, string? Status)> GatesOf(Pod pod) =>
        [.. pod.Spec.ReadinessGates.Select(gate => (gate.ConditionType, pod.Status.Conditions.FirstOrDefault(one => one.Type == gate.ConditionType)?.Status))];
}
