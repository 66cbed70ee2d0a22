using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node;

/// <summary>One watch of all pods for all nodes of the lab: each hears of its own. Counts those that are Ready for whoever waits.</summary>
internal sealed class PodRouter(IReadOnlyDictionary<string, Kubelet> nodes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Node, bool Ready)> _pods = [];
    // What ends on one node before it begins on another; only the loop looks at it.
    private readonly Dictionary<string, Task> _leaving = [];
    private readonly List<(int Ready, TaskCompletionSource Reached)> _waiting = [];
    private int _ready;

    /// <summary>Told after each change of the number of Ready pods.</summary>
    public Action<int>? ReadyChanged { get; set; }

    /// <summary>Follows the informer until it ends.</summary>
    public async Task RunAsync(Informer<Pod> pods, CancellationToken cancel)
    {
        await foreach (var change in pods.Changes.ReadAllAsync(cancel))
        {
            if (change.New is { } pod)
            {
                Apply(pod);
            }
            else
            {
                Remove(change.Latest.Metadata.Uid ?? "");
            }
        }
    }

    /// <summary>A pod is there, new or changed.</summary>
    public void Apply(Pod pod)
    {
        var uid = pod.Metadata.Uid ?? "";
        var node = pod.Spec.NodeName ?? "";
        var before = NodeOf(uid);
        Count(uid, node, pod.Status.Phase == "Succeeded" || pod.Status.Conditions.IsTrue("Ready"));
        if (before != node && nodes.TryGetValue(before, out var left))
        {
            // No pod moves; but the API's store may be replaced by one in which it was not on that node yet.
            _leaving[uid] = left.Remove(uid);
        }
        if (nodes.TryGetValue(node, out var kubelet))
        {
            kubelet.Apply(pod, _leaving.Remove(uid, out var leaving) ? leaving : null);
        }
    }

    /// <summary>The object is gone.</summary>
    public void Remove(string uid)
    {
        var node = NodeOf(uid);
        _leaving.Remove(uid);
        Count(uid, null, false);
        if (nodes.TryGetValue(node, out var kubelet))
        {
            kubelet.Remove(uid);
        }
    }

    /// <summary>Completes when so many pods are Ready (or have Succeeded) at once.</summary>
    public Task WaitReadyAsync(int count)
    {
        lock (_gate)
        {
            if (_ready >= count)
            {
                return Task.CompletedTask;
            }
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((count, reached));
            return reached.Task;
        }
    }

    private string NodeOf(string uid)
    {
        lock (_gate)
        {
            return _pods.GetValueOrDefault(uid).Node ?? "";
        }
    }

    private void Count(string uid, string? node, bool ready)
    {
        int now;
        lock (_gate)
        {
            var was = _pods.GetValueOrDefault(uid).Ready;
            if (node is null)
            {
                _pods.Remove(uid);
            }
            else
            {
                _pods[uid] = (node, ready);
            }
            if (was == ready)
            {
                return;
            }
            _ready += ready ? 1 : -1;
            now = _ready;
            _waiting.RemoveAll(waiter => waiter.Ready <= now && waiter.Reached.TrySetResult());
        }
        ReadyChanged?.Invoke(now);
    }
}
