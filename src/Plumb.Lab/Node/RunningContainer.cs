using Plumb.Lab.Containers;
using Plumb.Lab.Node.Probes;

namespace Plumb.Lab.Node;

/// <summary>A container that was started: turns what it tells of itself into the pod's status and into events, and probes it while it runs.</summary>
internal sealed class RunningContainer(
    NodeContext node, PodName pod, Kubernetes.Objects.Container wanted, TimeSpan grace, ContainerReport report, Lock gate, Action changed)
{
    private readonly Lock _probing = new();
    private IContainer? _container;
    private PodFacts? _facts;
    private CancellationTokenSource? _run;
    private int _runsTold = -1;
    private bool _backOffTold;

    public ContainerReport Report => report;

    public IContainer Container => _container ?? throw new InvalidOperationException("the container was not started");

    public void Start(PodFacts facts, ContainerSpec spec)
    {
        _facts = facts;
        report.ProbeSucceeds = wanted.ReadinessProbe is null && wanted.StartupProbe is null;
        _container = node.Containers.Create(facts, spec, (_, status) => OnChanged(status));
        report.ImageId = _container.Substitution;
        node.Events.Add(
            _container.Substitution.Length == 0
                ? PodEvent.Pulled(pod, report.Name, spec.Image)
                : PodEvent.ImageSubstituted(pod, report.Name, spec.Image, _container.Substitution));
        _container.Start();
    }

    public bool IsBuiltIn => _container?.IsBuiltIn ?? false;

    public Task SettleAsync(CancellationToken cancel) => _container?.SettleAsync(cancel) ?? Task.CompletedTask;

    public Task StopAsync(TimeSpan time)
    {
        EndProbes();
        return _container?.StopAsync(time) ?? Task.CompletedTask;
    }

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
                report.ProbeSucceeds = wanted.ReadinessProbe is null && wanted.StartupProbe is null;
            }
            backsOff = status is { Phase: ContainerPhase.Waiting, Reason: "CrashLoopBackOff" };
            (_backOffTold, backsOff) = (backsOff, backsOff && !_backOffTold);
        }
        if (started)
        {
            node.Events.Add(PodEvent.Created(pod, report.Name));
            node.Events.Add(PodEvent.Started(pod, report.Name));
        }
        if (started && Prober.IsNeeded(wanted))
        {
            BeginProbes();
        }
        else if (status.Phase != ContainerPhase.Running)
        {
            EndProbes();
        }
        if (backsOff)
        {
            node.Events.Add(PodEvent.BackOff(pod, report.Name));
        }
        if (status is { Phase: ContainerPhase.Terminated, Exit: { Reason: "StartError" } exit })
        {
            node.Events.Add(PodEvent.Failed(pod, report.Name, exit.Message));
        }
        changed();
    }

    private void BeginProbes()
    {
        var run = new CancellationTokenSource();
        lock (_probing)
        {
            _run?.Cancel();
            _run = run;
        }
        var attempt = new ProbeAttempt(node.Network, _facts!.Addresses[0], wanted, Container);
        var prober = new Prober(node, pod, wanted, attempt, OnReady, () => Container.RestartAsync(grace));
        _ = prober.RunAsync(run.Token);
    }

    private void EndProbes()
    {
        lock (_probing)
        {
            _run?.Cancel();
            _run = null;
        }
    }

    private void OnReady(bool ready)
    {
        lock (gate)
        {
            report.ProbeSucceeds = ready;
        }
        changed();
    }
}
