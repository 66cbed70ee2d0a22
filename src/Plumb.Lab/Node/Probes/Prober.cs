using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Probes;

/// <summary>What the probes of a container's run say, told when it turns.</summary>
internal interface IProbed
{
    /// <summary>The startup probe has succeeded, or there is none.</summary>
    void Started();

    void Ready(bool ready);

    /// <summary>A startup or liveness probe has failed for good: the run is to be ended.</summary>
    void Failed(string kind, Probe probe);
}

/// <summary>A container's probes during one run of it, as a kubelet's workers make them.</summary>
/// <param name="startedAt">When the run began: initial delays count from then (a time stamp of the node's clock, which no change of the date moves).</param>
internal sealed class Prober(NodeContext node, PodName pod, ContainerField field, Container spec, ProbeAttempt attempt, long startedAt, IProbed told)
{
    private const int DefaultPeriodSeconds = 10;
    private const int DefaultFailureThreshold = 3;

    public static bool IsNeeded(Container spec) => spec.StartupProbe is not null || spec.LivenessProbe is not null || spec.ReadinessProbe is not null;

    /// <param name="over">The run is over.</param>
    /// <param name="leaving">The container is asked to end: who it serves is still of interest, whether it lives is not.</param>
    public async Task RunAsync(CancellationToken leaving, CancellationToken over)
    {
        try
        {
            if (spec.StartupProbe is { } startup && !await StartAsync(startup, leaving))
            {
                told.Failed("startup", startup);
                return;
            }
            told.Started();
            await Task.WhenAll(LiveAsync(leaving), ServeAsync(over));
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested || over.IsCancellationRequested)
        {
            // The container ends, and its probes with it.
        }
    }

    private async Task<bool> StartAsync(Probe probe, CancellationToken cancel)
    {
        var started = false;
        await RunAsync("Startup", probe, passes: false, result => started = result, once: true, cancel);
        return started;
    }

    private async Task LiveAsync(CancellationToken cancel)
    {
        if (spec.LivenessProbe is { } probe)
        {
            await RunAsync("Liveness", probe, passes: true, _ => told.Failed("liveness", probe), once: true, cancel);
        }
    }

    private Task ServeAsync(CancellationToken cancel)
    {
        if (spec.ReadinessProbe is { } probe)
        {
            return RunAsync("Readiness", probe, passes: false, told.Ready, once: false, cancel);
        }
        told.Ready(true);
        return Task.CompletedTask;
    }

    /// <summary>Probes at each tick, and tells when as many results in a row as the threshold says contradict what was held until then.</summary>
    /// <param name="passes">What is held at first.</param>
    /// <param name="once">Until the first telling. A startup probe tells its failure, too, which is what was held.</param>
    private async Task RunAsync(string kind, Probe probe, bool passes, Action<bool> tell, bool once, CancellationToken cancel)
    {
        var (successes, failures) = (0, 0);
        var left = TimeSpan.FromSeconds(probe.InitialDelaySeconds) - node.Time.GetElapsedTime(startedAt);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, node.Time, cancel);
        }
        // A probe that takes longer than the period misses ticks; it does not gather them.
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(probe.PeriodSeconds ?? DefaultPeriodSeconds), node.Time);
        do
        {
            bool? turned = null;
            if (await AttemptAsync(kind, probe, cancel))
            {
                (successes, failures) = (successes + 1, 0);
                turned = successes >= (probe.SuccessThreshold ?? 1) ? true : null;
            }
            else
            {
                (successes, failures) = (0, failures + 1);
                turned = failures >= (probe.FailureThreshold ?? DefaultFailureThreshold) ? false : null;
            }
            if (turned is { } result && (result != passes || kind == "Startup"))
            {
                passes = result;
                tell(result);
                if (once)
                {
                    return;
                }
            }
        }
        while (await ticks.WaitForNextTickAsync(cancel));
    }

    private async Task<bool> AttemptAsync(string kind, Probe probe, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(TimeSpan.FromSeconds(probe.TimeoutSeconds ?? 1), node.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        var failure = await attempt.RunAsync(probe, either.Token);
        cancel.ThrowIfCancellationRequested();
        if (failure is not null)
        {
            node.Events.Add(PodEvent.Unhealthy(pod, field, kind, failure));
        }
        return failure is null;
    }
}
