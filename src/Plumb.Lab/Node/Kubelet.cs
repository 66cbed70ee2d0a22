using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node;

/// <summary>
/// The kubelet's part of one node: says that the node is there and whether its network is ready, and leads its pods through their
/// lives. An object among others in the lab's process: it has no thread, and one timer for its heartbeat.
/// </summary>
internal sealed class Kubelet : IAsyncDisposable
{
    private static readonly TimeSpan LeaseInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMinutes(5);

    private readonly NodeContext _node;
    private readonly CancellationTokenSource _shutdown = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PodWorker> _pods = [];
    private readonly SemaphoreSlim _telling = new(1);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _heart = Task.CompletedTask;
    private DateTimeOffset _born;
    private DateTimeOffset _readySince;
    private bool _isReady;
    private string? _notReady = "";

    public Kubelet(NodeContext node) => _node = node;

    public string Name => _node.Name;

    public NodeContext Node => _node;

    /// <summary>Completes when the node has first told that it is Ready.</summary>
    public Task Ready => _ready.Task;

    public bool IsReady => Volatile.Read(ref _isReady);

    /// <summary>The pods on the node, at this moment.</summary>
    public IReadOnlyList<PodWorker> Pods
    {
        get
        {
            lock (_gate)
            {
                return [.. _pods.Values];
            }
        }
    }

    /// <summary>Makes the Node object, NotReady, and begins to heartbeat.</summary>
    public async Task RegisterAsync(CancellationToken cancel)
    {
        _born = _readySince = _node.Time.GetUtcNow();
        await _node.Api.CreateNodeAsync(Name, _node.Report.ToNode(_born), cancel);
        _heart = BeatAsync();
        await CheckNetworkAsync();
    }

    /// <summary>Looks whether there is a CNI configuration; when that changed, the node tells.</summary>
    public async Task CheckNetworkAsync()
    {
        await _telling.WaitAsync(_shutdown.Token);
        try
        {
            var notReady = await _node.Cni.LookAsync(_shutdown.Token);
            if (notReady == _notReady)
            {
                return;
            }
            var (ready, now) = (notReady is null, _node.Time.GetUtcNow());
            _readySince = ready == _isReady ? _readySince : now;
            await _node.Api.PatchNodeStatusAsync(Name, _node.Report.ToStatusPatch(notReady, _readySince, _born, now), _shutdown.Token);
            _notReady = notReady;
            Volatile.Write(ref _isReady, ready);
            _node.Signals.SetNetworkReady(ready);
            if (ready)
            {
                _ready.TrySetResult();
            }
        }
        finally
        {
            _telling.Release();
        }
    }

    /// <summary>A pod of this node is new or changed.</summary>
    /// <param name="after">What has to be over before it may begin.</param>
    public void Apply(Pod pod, Task? after = null)
    {
        var uid = pod.Metadata.Uid ?? "";
        PodWorker? worker;
        lock (_gate)
        {
            if (!_pods.TryGetValue(uid, out worker))
            {
                if (_shutdown.IsCancellationRequested || IsOver(pod))
                {
                    return;
                }
                worker = new PodWorker(_node, pod, _shutdown.Token);
                _pods.Add(uid, worker);
                // One that is deleted already must not begin.
                worker.Update(pod);
                worker.Start(after);
                _ = ForgetWhenGoneAsync(uid, worker);
                return;
            }
        }
        worker.Update(pod);
        if (pod.Metadata.DeletionTimestamp is null && Find(uid) is null)
        {
            // It was forgotten meanwhile, before it was known that it is there again.
            Apply(pod);
        }
    }

    /// <summary>The pod's object is gone, or is another node's.</summary>
    /// <returns>Completes when nothing of it is left here.</returns>
    public Task Remove(string uid)
    {
        var worker = Find(uid);
        worker?.Forget();
        return worker?.Done ?? Task.CompletedTask;
    }

    /// <summary>Tells the API everything once more: its store was replaced by one that has not heard it.</summary>
    public async Task TellAgainAsync(CancellationToken cancel)
    {
        await _telling.WaitAsync(cancel);
        try
        {
            var now = _node.Time.GetUtcNow();
            await _node.Api.PatchNodeStatusAsync(Name, _node.Report.ToStatusPatch(_notReady, _readySince, _born, now), cancel);
            await _node.Api.WriteLeaseAsync(_node.Report, now, cancel);
        }
        finally
        {
            _telling.Release();
        }
        foreach (var pod in Pods)
        {
            pod.TellAgain();
        }
    }

    public PodWorker? Find(string uid)
    {
        lock (_gate)
        {
            return _pods.GetValueOrDefault(uid);
        }
    }

    /// <summary>Ends the node: what ran in its pods has ended when this returns, and the API is told nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        await _shutdown.CancelAsync();
        await Task.WhenAll(Pods.Select(static pod => pod.Done)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _heart.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _node.Events.DisposeAsync();
        _node.Cni.Dispose();
    }

    // A pod that ended before this node knew of it has nothing here.
    private static bool IsOver(Pod pod) => pod.Status.Phase is "Succeeded" or "Failed" && pod.Metadata.DeletionTimestamp is null;

    // The node's own writes come back to it in the watch after the pod has ended: whoever forgot the pod by then would start it once more.
    private async Task ForgetWhenGoneAsync(string uid, PodWorker worker)
    {
        await worker.Done.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await worker.Gone;
        lock (_gate)
        {
            _pods.Remove(uid);
        }
        if (worker.Revived is { } again)
        {
            Apply(again);
        }
    }

    // A plugin may become unable to serve, and able again, without a word.
    private async Task<bool> NextBeatAsync(PeriodicTimer timer)
    {
        if (!await timer.WaitForNextTickAsync(_shutdown.Token))
        {
            return false;
        }
        await CheckNetworkAsync();
        return true;
    }

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(LeaseInterval, _node.Time);
        var statusAt = _born;
        do
        {
            var now = _node.Time.GetUtcNow();
            await _node.Api.WriteLeaseAsync(_node.Report, now, _shutdown.Token);
            if (now - statusAt >= StatusInterval)
            {
                statusAt = now;
                await _node.Api.PatchNodeStatusAsync(Name, _node.Report.ToStatusPatch(_notReady, _readySince, _born, now), _shutdown.Token);
            }
        }
        while (await NextBeatAsync(timer));
    }
}
