using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Probes;
using ContainerStatus = Plumb.Lab.Containers.ContainerStatus;

namespace Plumb.Lab.Node;

/// <summary>
/// A container that was started: turns what it tells of itself into the pod's status and into events, runs its hooks, and probes it while it runs.
/// </summary>
internal sealed class RunningContainer(
    NodeContext node, PodName pod, Kubernetes.Objects.Container wanted, TimeSpan grace, ContainerReport report, Lock gate, Action changed)
    : IProbed, IAsyncDisposable
{
    // A hook that took all the time leaves the program this much to hear of its end.
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    private readonly Lock _probing = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IContainer? _container;
    private PodFacts? _facts;
    private Run? _run;
    private int _runsTold = -1;
    private readonly HashSet<ContainerRemark> _remarked = [];
    private bool _backOffTold;

    public ContainerReport Report => report;

    public IContainer Container => _container ?? throw new InvalidOperationException("the container was not started");

    /// <summary>Null while it is only about to be started.</summary>
    public IContainer? Found => _container;

    public bool IsSidecar => ContainerSpecs.IsSidecar(wanted);

    /// <summary>Completes when the first run has started: hook and startup probe included.</summary>
    public Task Started => _started.Task;

    public void Start(PodFacts facts, ContainerSpec spec, IContainer? target)
    {
        _facts = facts;
        report.BeginRun(wanted);
        _container = node.Containers.Create(facts, spec, (_, status) => OnChanged(status), target);
        report.ImageId = _container.ImageId;
        node.Events.Add(
            _container.Substitution.Length == 0
                ? PodEvent.Pulled(pod, report.Field, spec.Image)
                : PodEvent.ImageSubstituted(pod, report.Field, spec.Image, _container.Substitution));
        // A resize that came while it was made found nothing here; one that comes now finds it.
        lock (gate)
        {
            _container.Limits = ContainerSpecs.LimitsOf(report.Allocated);
        }
        _container.Start();
    }

    /// <summary>Gives the container other limits: at once, or, where it has to start anew for them, then.</summary>
    public async Task ResizeAsync(ContainerLimits limits, bool restarts)
    {
        if (_container is not { } container)
        {
            return;
        }
        container.Limits = limits;
        if (!restarts)
        {
            if (container.HoldLimits() is { } remark)
            {
                node.Events.Add(PodEvent.Remarked(pod, report.Field, remark));
            }
        }
        else if (container.Status.Phase == ContainerPhase.Running)
        {
            node.Events.Add(PodEvent.KillingToResize(pod, report.Field));
            await RestartAsync(grace);
        }
    }

    public bool IsBuiltIn => _container?.IsBuiltIn ?? false;

    public Task SettleAsync(CancellationToken cancel) => _container?.SettleAsync(cancel) ?? Task.CompletedTask;

    /// <summary>The hook, then what the runtime does; both within the time.</summary>
    public async Task StopAsync(TimeSpan time)
    {
        Leave();
        if (_container is not { } container)
        {
            return;
        }
        if (time > TimeSpan.Zero && container.Status.Phase == ContainerPhase.Running)
        {
            time = await BeforeStopAsync(time);
        }
        await container.StopAsync(time);
    }

    /// <summary>At once, whatever goes on.</summary>
    public Task KillAsync() => _container?.StopAsync(TimeSpan.Zero) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _container?.DisposeAsync() ?? default;

    void IProbed.Started()
    {
        lock (gate)
        {
            report.HasStarted = true;
        }
        _started.TrySetResult();
        changed();
    }

    void IProbed.Ready(bool ready)
    {
        lock (gate)
        {
            report.ProbeSucceeds = ready;
        }
        changed();
    }

    void IProbed.Failed(string kind, Probe probe)
    {
        node.Events.Add(PodEvent.KillingUnhealthy(pod, report.Field, kind));
        _ = RestartAsync(probe.TerminationGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : grace);
    }

    private async Task RestartAsync(TimeSpan time) => await Container.RestartAsync(await BeforeStopAsync(time));

    /// <returns>What is left of the time.</returns>
    private async Task<TimeSpan> BeforeStopAsync(TimeSpan time)
    {
        if (wanted.Lifecycle?.PreStop is not { } hook)
        {
            return time;
        }
        var since = node.Time.GetTimestamp();
        using var patience = new CancellationTokenSource(time, node.Time);
        if (await RunHookAsync(hook, patience.Token) is { } why)
        {
            node.Events.Add(PodEvent.FailedHook(pod, report.Field, "PreStop", why));
        }
        var left = time - node.Time.GetElapsedTime(since);
        return left > LeastGrace ? left : LeastGrace;
    }

    private async Task<string?> RunHookAsync(LifecycleHandler hook, CancellationToken cancel)
    {
        try
        {
            if (hook.Sleep is { } sleep)
            {
                await Task.Delay(TimeSpan.FromSeconds(sleep.Seconds), node.Time, cancel);
                return null;
            }
            return await Attempt().RunAsync(hook, cancel);
        }
        catch (OperationCanceledException)
        {
            return "the container's grace period is over";
        }
    }

    private ProbeAttempt Attempt() => new(node.Network, _facts!.Addresses[0], wanted, Container);

    private void OnChanged(ContainerStatus status)
    {
        bool started, backsOff;
        lock (gate)
        {
            report.Status = status;
            started = status.Phase == ContainerPhase.Running && _runsTold != status.RestartCount;
            if (started)
            {
                _runsTold = status.RestartCount;
                report.BeginRun(wanted);
            }
            backsOff = status is { Phase: ContainerPhase.Waiting, Reason: "CrashLoopBackOff" };
            (_backOffTold, backsOff) = (backsOff, backsOff && !_backOffTold);
        }
        if (started)
        {
            node.Events.Add(PodEvent.Created(pod, report.Field));
            node.Events.Add(PodEvent.Started(pod, report.Field));
            foreach (var remark in _container?.Remarks ?? [])
            {
                if (_remarked.Add(remark))
                {
                    node.Events.Add(PodEvent.Remarked(pod, report.Field, remark));
                }
            }
            Begin();
        }
        else if (status.Phase != ContainerPhase.Running)
        {
            End();
        }
        if (backsOff)
        {
            node.Events.Add(PodEvent.BackOff(pod, report.Field));
        }
        if (status is { Phase: ContainerPhase.Terminated, Exit: { Reason: "StartError" } exit })
        {
            node.Events.Add(PodEvent.Failed(pod, report.Field, exit.Message));
        }
        changed();
    }

    private void Begin()
    {
        if (wanted.Lifecycle?.PostStart is null && !Prober.IsNeeded(wanted))
        {
            _started.TrySetResult();
            return;
        }
        var run = new Run(new CancellationTokenSource(), new CancellationTokenSource());
        lock (_probing)
        {
            _run?.End();
            _run = run;
        }
        _ = FollowAsync(run, node.Time.GetTimestamp());
    }

    private async Task FollowAsync(Run run, long startedAt)
    {
        if (wanted.Lifecycle?.PostStart is { } hook && await RunHookAsync(hook, run.Over.Token) is { } why)
        {
            if (!run.Over.IsCancellationRequested)
            {
                node.Events.Add(PodEvent.FailedHook(pod, report.Field, "PostStart", why));
                await RestartAsync(grace);
            }
            return;
        }
        await new Prober(node, pod, report.Field, wanted, Attempt(), startedAt, this).RunAsync(run.Leaving.Token, run.Over.Token);
    }

    private void Leave()
    {
        lock (_probing)
        {
            _run?.Leaving.Cancel();
        }
    }

    private void End()
    {
        lock (_probing)
        {
            _run?.End();
            _run = null;
        }
    }

    /// <summary>One run of the container, from the probes' side.</summary>
    private sealed record Run(CancellationTokenSource Leaving, CancellationTokenSource Over)
    {
        public void End()
        {
            Leaving.Cancel();
            Over.Cancel();
        }
    }
}
