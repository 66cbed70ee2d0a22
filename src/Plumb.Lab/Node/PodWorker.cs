using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Files;
using Plumb.Lab.Node.Resizing;
using Plumb.Lab.Node.Security;
using Plumb.Lab.Node.Volumes;
using Plumb.Network.Facts;
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
    private static readonly TimeSpan SilentStart = TimeSpan.FromSeconds(1);

    private readonly NodeContext _node;
    private readonly PodReport _report;
    private readonly PodStatusWriter _status;
    private readonly PodContainers _containers;
    private readonly PodResizer _resizer;
    private readonly PodVolumes _volumes;
    private readonly CancellationTokenSource _delete = new();
    private readonly CancellationTokenSource _deadline = new();
    private readonly CancellationTokenSource _revived = new();
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _shutdown;
    private readonly Lock _gate = new();
    private readonly PodExit _exit;
    private readonly ActiveDeadline _activeDeadline;
    private Pod _pod;
    private bool _isObjectGone;

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
            ObservedGeneration = pod.Metadata.Generation,
            HostAddresses = node.Report.Addresses,
            StartTime = node.Time.GetUtcNow(),
            RestartPolicy = ContainerSpecs.RestartPolicyOf(pod),
            InitContainers = [.. pod.Spec.InitContainers.Select(static one => ContainerReport.Of("initContainers", one))],
            Containers = [.. pod.Spec.Containers.Select(static one => ContainerReport.Of("containers", one))],
        };
        _exit = new PodExit(node, _shutdown);
        _activeDeadline = new ActiveDeadline(node.Time, Expire);
        _volumes = new PodVolumes(node, Name, pod);
        _report.ReadinessGates = GatesOf(pod);
        _status = new PodStatusWriter(node, Name, () => _report.ToPatch(node.Time.GetUtcNow()), _gate, shutdown);
        _containers = new PodContainers(node, Name, _report, _volumes, _gate, _status.Changed);
        _resizer = new PodResizer(node, Name, _report, _containers, _gate, _status.Changed);
    }

    public PodName Name { get; }

    /// <summary>Null until the pod has its network, and after.</summary>
    public PodSandbox? Sandbox { get; private set; }

    /// <summary>What the pod's containers have in common; null while there is no sandbox.</summary>
    public PodFacts? Facts { get; private set; }

    /// <summary>Completes when nothing of the pod is left on the node.</summary>
    public Task Done { get; private set; } = Task.CompletedTask;

    /// <summary>Completes when the object is gone from the API, or is there again as if nobody had deleted it.</summary>
    public Task Gone => _gone.Task;

    /// <summary>
    /// Not null: the pod was told to end, and its object is there and not deleted, as after the API's store was replaced by an older copy. What has ended does not
    /// run on: once this is <see cref="Done"/> the pod begins anew.
    /// </summary>
    public Pod? Revived
    {
        get
        {
            lock (_gate)
            {
                return _delete.IsCancellationRequested && !_isObjectGone && _pod.Metadata.DeletionTimestamp is null ? _pod : null;
            }
        }
    }

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

    /// <param name="after">What has to be over first: the same pod on another node.</param>
    public void Start(Task? after = null) => Done = after is null ? RunAsync() : StartAfterAsync(after);

    /// <summary>Tells the API the pod's status once more.</summary>
    public void TellAgain()
    {
        if (!IsObjectGone && Revived is null)
        {
            _status.Again();
        }
    }

    /// <summary>The object changed: its deletion, what others say of its readiness, its labels, and new containers for debugging matter to a pod that runs.</summary>
    public void Update(Pod pod)
    {
        bool turned, limited;
        lock (_gate)
        {
            limited = HasOtherBandwidth(pod, _pod);
            _pod = pod;
            _isObjectGone = false;
            var gates = GatesOf(pod);
            // A pod that is to end, which is a generation too, says so with its next status.
            turned = !gates.SequenceEqual(_report.ReadinessGates) || (_report.ObservedGeneration != pod.Metadata.Generation && pod.Metadata.DeletionTimestamp is null);
            (_report.ReadinessGates, _report.ObservedGeneration) = (gates, pod.Metadata.Generation);
        }
        if (turned)
        {
            _status.Changed();
        }
        if (pod.Spec.Volumes.Count > 0)
        {
            _volumes.Update(pod);
        }
        if (limited)
        {
            FollowBandwidth();
        }
        _activeDeadline.Set(pod.Spec.ActiveDeadlineSeconds);
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            _exit.Hurry(ContainerSpecs.GraceOf(pod));
            _delete.Cancel();
        }
        else if (_delete.IsCancellationRequested)
        {
            _status.Stop();
            _revived.Cancel();
            _gone.TrySetResult();
        }
        else
        {
            _resizer.Follow(pod, _delete.Token);
            if (pod.Spec.EphemeralContainers.Count > 0 && Facts is { } facts)
            {
                _ = _containers.DebugAsync(facts, pod, _delete.Token);
            }
        }
    }

    /// <summary>The object is gone: the node said that it may, or nobody waited for the node (grace 0).</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _isObjectGone = true;
        }
        _status.Stop();
        _gone.TrySetResult();
        _exit.Hurry(TimeSpan.Zero);
        _delete.Cancel();
    }

    /// <summary>The container of this name that runs or ran; null when it was never started.</summary>
    public IContainer? Find(string container) => _containers.Find(container);

    /// <summary>The reason that the container's state has while it waits.</summary>
    public string WhyNotStarted(string container)
    {
        lock (_gate)
        {
            return _report.Find(container)?.Status.Reason ?? ContainerStatus.Creating.Reason;
        }
    }

    /// <summary>No program runs in the pod unless somebody runs one there: built-in workloads serve it.</summary>
    private bool IsBuiltIn(Pod pod) => pod.Spec.InitContainers.Concat(pod.Spec.Containers).All(container =>
        _node.Containers.IsBuiltIn(ContainerSpecs.Main(pod, container, [], []))
        && container.Lifecycle is null && (container.ReadinessProbe?.Exec ?? container.LivenessProbe?.Exec ?? container.StartupProbe?.Exec) is null);

    private bool IsObjectGone
    {
        get
        {
            lock (_gate)
            {
                return _isObjectGone;
            }
        }
    }

    private async Task StartAfterAsync(Task after)
    {
        await after.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await RunAsync();
    }

    private async Task RunAsync()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_delete.Token, _deadline.Token, _shutdown);
        using var deadline = _activeDeadline;
        deadline.Set(_pod.Spec.ActiveDeadlineSeconds);
        try
        {
            try
            {
                if (IsAdmitted())
                {
                    await StartAsync(end.Token);
                    await RestAsync(end.Token);
                }
            }
            catch (OperationCanceledException) when (_deadline.IsCancellationRequested && !_delete.IsCancellationRequested && !_shutdown.IsCancellationRequested)
            {
                await _exit.LeaveAsync(_containers.Started, Sandbox, ContainerSpecs.GraceOf(_pod));
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
                await _exit.LeaveAsync(_containers.Started, Sandbox, TimeSpan.Zero);
            }
            // Everything has ended: the object stays until somebody deletes it, without a sandbox.
            deadline.Dispose();
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

    private bool IsAdmitted()
    {
        if (PodSysctls.Refusal(_pod) is not { } refusal)
        {
            return true;
        }
        lock (_gate)
        {
            _report.Failure = ("SysctlForbidden", "Pod was rejected: " + refusal);
            _report.IsRejected = true;
        }
        _node.Events.Add(PodEvent.SysctlForbidden(Name, refusal));
        return false;
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
            foreach (var container in _report.InitContainers.Concat(_report.Containers))
            {
                container.WaitForInitialization();
            }
        }
        if (_pod.Spec.Volumes.Count > 0)
        {
            await _volumes.SetUpAsync(tokensLater: IsBuiltIn(_pod), failed: _status.Changed, cancel);
        }
        Sandbox = _pod.Spec.HostNetwork
            ? PodSandbox.OfNode(_node, Name)
            : await PodSandbox.CreateAsync(_node, Name, ContainerSpecs.PortMappings(_pod), PodSysctls.NetworkOf(_pod), () => _pod.Metadata.Annotations, failed: _status.Changed, cancel, _shutdown);
        if (_pod.Spec.HostUsers == false)
        {
            _node.Events.Add(PodEvent.UserNamespaceShared(Name));
        }
        // They may have changed meanwhile.
        FollowBandwidth();
        lock (_gate)
        {
            _report.PodAddresses = Sandbox.Addresses;
        }
        await _node.Services.Synced.WaitAsync(cancel);
        var facts = Facts = SandboxFacts.Of(_node, Name, _pod, Sandbox, _volumes.CompleteAsync);
        for (var i = 0; i < _report.InitContainers.Count; i++)
        {
            var container = await _containers.LaunchAsync(facts, _pod, _pod.Spec.InitContainers[i], _report.InitContainers[i], ContainerSpecs.Init, cancel);
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
            await _containers.LaunchAsync(facts, _pod, _pod.Spec.Containers[i], _report.Containers[i], ContainerSpecs.Main, cancel);
        }
        if (_pod.Spec.EphemeralContainers.Count > 0)
        {
            await _containers.DebugAsync(facts, _pod, _delete.Token);
        }
    }

    /// <summary>Until every main container has ended for good; then side cars have nobody left to help.</summary>
    private async Task RestAsync(CancellationToken cancel)
    {
        foreach (var running in _containers.Started)
        {
            if (!running.IsSidecar)
            {
                await running.Container.Ended.WaitAsync(cancel);
            }
        }
        foreach (var running in _containers.Started.Where(static one => one.IsSidecar).Reverse())
        {
            await running.StopAsync(ContainerSpecs.GraceOf(_pod)).WaitAsync(cancel);
        }
    }

    private async Task EndAsync()
    {
        if (_shutdown.IsCancellationRequested)
        {
            await _exit.StopAsync(_containers.Started, TimeSpan.Zero);
            return;
        }
        TimeSpan grace;
        lock (_gate)
        {
            _report.Terminating = true;
            grace = ContainerSpecs.GraceOf(_pod);
        }
        var started = _containers.Started;
        foreach (var running in started)
        {
            if (running.Report.Status.Phase == ContainerPhase.Running)
            {
                _node.Events.Add(PodEvent.Killing(Name, running.Report.Field));
            }
        }
        try
        {
            await _exit.LeaveAsync(started, Sandbox, grace);
        }
#pragma warning disable CA1031 // Whatever it is: it is said, and the pod goes.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            _node.Events.Add(PodEvent.FailedSync(Name, broken.Message));
        }
        await RemoveSandboxAsync();
        _volumes.Dispose();
        PodDirectory.Delete(_node.Containers.DirectoryOf(Name.Uid));
        if (!_shutdown.IsCancellationRequested && !IsObjectGone)
        {
            await _status.FinishAsync();
            await ConfirmAsync();
        }
    }

    // Whoever is there again must not be deleted for what was asked of another life.
    private async Task ConfirmAsync()
    {
        using var wanted = CancellationTokenSource.CreateLinkedTokenSource(_shutdown, _revived.Token);
        try
        {
            wanted.Token.ThrowIfCancellationRequested();
            await _node.Api.ConfirmDeletionAsync(Name, wanted.Token);
        }
        catch (OperationCanceledException) when (_revived.IsCancellationRequested)
        {
            // It is.
        }
    }

    private void FollowBandwidth()
    {
        if (Sandbox is { IsOfNode: false } sandbox)
        {
            sandbox.Follow(() => _pod.Metadata.Annotations, _delete.Token);
        }
    }

    private static bool HasOtherBandwidth(Pod one, Pod other) =>
        one.Metadata.Annotations.GetValueOrDefault(Bandwidth.IngressAnnotation) != other.Metadata.Annotations.GetValueOrDefault(Bandwidth.IngressAnnotation)
        || one.Metadata.Annotations.GetValueOrDefault(Bandwidth.EgressAnnotation) != other.Metadata.Annotations.GetValueOrDefault(Bandwidth.EgressAnnotation);

    private async Task RemoveSandboxAsync()
    {
        if (Sandbox is { } sandbox)
        {
            Sandbox = null;
            Facts?.Processes?.Dispose();
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

    private static List<(string Type, string? Status)> GatesOf(Pod pod) =>
        [.. pod.Spec.ReadinessGates.Select(gate => (gate.ConditionType, pod.Status.Conditions.FirstOrDefault(one => one.Type == gate.ConditionType)?.Status))];
}
