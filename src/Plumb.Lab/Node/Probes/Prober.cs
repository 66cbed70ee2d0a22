using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Probes;

/// <summary>A container's probes, from one start of the container to the next.</summary>
/// <param name="ready">Told whether the container takes traffic, when that turns.</param>
/// <param name="kill">Ends the container's run: a startup or liveness probe has failed for good.</param>
internal sealed class Prober(
    NodeContext node, PodName pod, Kubernetes.Objects.Container spec, ProbeAttempt attempt, Action<bool> ready, Func<Task> kill)
{
    private const int DefaultPeriodSeconds = 10;
    private const int DefaultFailureThreshold = 3;

    public static bool IsNeeded(Kubernetes.Objects.Container spec) =>
        spec.StartupProbe is not null || spec.LivenessProbe is not null || spec.ReadinessProbe is not null;

    /// <param name="cancel">The run is over.</param>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            if (spec.StartupProbe is { } startup && !await WaitAsync("Startup", startup, until: true, cancel))
            {
                await kill();
                return;
            }
            await Task.WhenAll(LiveAsync(cancel), ServeAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The container ended, and its probes with it.
        }
    }

    private async Task LiveAsync(CancellationToken cancel)
    {
        if (spec.LivenessProbe is { } liveness && !await WaitAsync("Liveness", liveness, until: false, cancel))
        {
            await kill();
        }
    }

    private async Task ServeAsync(CancellationToken cancel)
    {
        if (spec.ReadinessProbe is not { } probe)
        {
            ready(true);
            return;
        }
        while (true)
        {
            if (await WaitAsync("Readiness", probe, until: true, cancel))
            {
                ready(true);
                await WaitAsync("Readiness", probe with { InitialDelaySeconds = 0 }, until: false, cancel);
                ready(false);
            }
        }
    }

    /// <summary>
    /// Probes until the result asked for has come as often in a row as its threshold says (true), or its opposite has (false).
    /// </summary>
    /// <param name="until">True: success is waited for. False: as long as there is success, it goes on; the answer is then false.</param>
    private async Task<bool> WaitAsync(string kind, Probe probe, bool until, CancellationToken cancel)
    {
        var (successes, failures) = (0, 0);
        var period = TimeSpan.FromSeconds(probe.PeriodSeconds ?? DefaultPeriodSeconds);
        await Task.Delay(until ? TimeSpan.FromSeconds(probe.InitialDelaySeconds) : period, node.Time, cancel);
        while (true)
        {
            if (await AttemptAsync(kind, probe, cancel))
            {
                failures = 0;
                if (++successes >= (probe.SuccessThreshold ?? 1) && until)
                {
                    return true;
                }
            }
            else
            {
                successes = 0;
                if (++failures >= (probe.FailureThreshold ?? DefaultFailureThreshold))
                {
                    return false;
                }
            }
            await Task.Delay(period, node.Time, cancel);
        }
    }

    private async Task<bool> AttemptAsync(string kind, Probe probe, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(TimeSpan.FromSeconds(probe.TimeoutSeconds ?? 1), node.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        var failure = await attempt.RunAsync(probe, either.Token);
        cancel.ThrowIfCancellationRequested();
        if (failure is not null)
        {
            node.Events.Add(PodEvent.Unhealthy(pod, spec.Name, kind, failure));
        }
        return failure is null;
    }
}
