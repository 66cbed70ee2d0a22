using Plumb.Linux.Native;

namespace Plumb.Lab.Node;

/// <summary>Tells the nodes when something in their CNI directories changes. One for a lab: the kernel grants a user few of its watchers.</summary>
/// <param name="parent">Holds the directories of all nodes: one that is removed and made again is another to the kernel.</param>
/// <param name="failed">Told of a node that could not look, or tell what it saw.</param>
internal sealed class CniWatch(string parent, Action<string, Exception> failed) : IAsyncDisposable
{
    private readonly DirectoryWatch _watch = new();
    private readonly Dictionary<string, Kubelet> _nodes = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    public void Add(string directory, Kubelet node)
    {
        _nodes.Add(directory, node);
        _watch.Add(directory);
    }

    /// <summary>When all have been added; whoever was looks for what came before.</summary>
    public void Start()
    {
        _watch.Add(parent);
        _watching = WatchAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _watch.Dispose();
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (true)
        {
            var changed = await _watch.WaitAsync(_stop.Token);
            var isAnyNew = changed.Contains(parent);
            foreach (var (directory, node) in _nodes)
            {
                if (isAnyNew && Directory.Exists(directory))
                {
                    Renew(directory);
                }
                if (isAnyNew || changed.Contains(directory))
                {
                    _ = CheckAsync(node);
                }
            }
        }
    }

    private void Renew(string directory)
    {
        try
        {
            _watch.Add(directory);
        }
        catch (SystemCallException gone)
        {
            failed("cni", gone); // again; when it comes back its parent tells
        }
    }

    private async Task CheckAsync(Kubelet node)
    {
        try
        {
            await node.CheckNetworkAsync();
        }
        catch (OperationCanceledException)
        {
            // The node ends.
        }
#pragma warning disable CA1031 // Whatever it is: the node looks again with its next heartbeat, and the others go on.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            failed(node.Name, broken);
        }
    }
}
