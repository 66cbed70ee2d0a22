using Plumb.Lab.Containers;

namespace Plumb.Lab.Node;

/// <summary>How a pod's containers end: main ones together, side cars after them in the reverse of their order, all within one grace period.</summary>
internal sealed class PodExit(NodeContext node, CancellationToken shutdown)
{
    // Nodes hear of an endpoint that goes within milliseconds, on a machine that is overrun within seconds; one that a person wrote may stay for ever.
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(15);

    private readonly TaskCompletionSource _hurried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _hurry;
    private long _due = long.MaxValue;

    /// <summary>From now on so much time is left at most: another deletion may ask for less than the first.</summary>
    public void Hurry(TimeSpan left)
    {
        var due = node.Time.GetTimestamp() + (long)(left.TotalSeconds * node.Time.TimestampFrequency);
        lock (_hurried)
        {
            if (due >= _due)
            {
                return;
            }
            // The first one's own time is kept by what is stopped.
            var isFirst = _due == long.MaxValue && left > TimeSpan.Zero;
            _due = due;
            _hurry?.Dispose();
            _hurry = isFirst ? null : node.Time.CreateTimer(_ => _hurried.TrySetResult(), null, left, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Ends the containers. A process is asked at once, as everywhere; a built-in workload goes on serving until no node sends it new connections, as a
    /// program that knows its trade does.
    /// </summary>
    public async Task LeaveAsync(IReadOnlyList<RunningContainer> containers, PodSandbox? sandbox, TimeSpan grace)
    {
        var builtIn = containers.Where(static one => one.IsBuiltIn).ToList();
        // Addresses of a node belong to others, too.
        if (grace > TimeSpan.Zero && builtIn.Count > 0 && sandbox is { IsOfNode: false })
        {
            var others = StopInOrderAsync([.. containers.Where(static one => !one.IsBuiltIn)], grace);
            using var patience = new CancellationTokenSource(grace < LongestLeave ? grace : LongestLeave, node.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, shutdown);
            try
            {
                if (await node.EndpointsGone(sandbox.Addresses, either.Token).WaitAsync(either.Token))
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
        await StopAsync(containers, grace);
    }

    /// <summary>Ends all, and removes what is left of them.</summary>
    public async Task StopAsync(IReadOnlyList<RunningContainer> containers, TimeSpan grace)
    {
        await StopInOrderAsync(containers, grace);
        foreach (var running in containers)
        {
            await running.DisposeAsync();
        }
        _hurry?.Dispose();
    }

    private async Task StopInOrderAsync(IReadOnlyList<RunningContainer> containers, TimeSpan grace)
    {
        var stopping = OrderAsync(containers, grace);
        if (await Task.WhenAny(stopping, _hurried.Task) != stopping)
        {
            await Task.WhenAll(containers.Select(static one => one.KillAsync()));
        }
        await stopping;
    }

    private async Task OrderAsync(IReadOnlyList<RunningContainer> containers, TimeSpan grace)
    {
        var since = node.Time.GetTimestamp();
        await Task.WhenAll(containers.Where(static one => !one.IsSidecar).Select(one => one.StopAsync(grace)));
        foreach (var sidecar in containers.Where(static one => one.IsSidecar).Reverse())
        {
            var left = grace - node.Time.GetElapsedTime(since);
            await sidecar.StopAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }
}
