using Plumb.Linux.Native;

namespace Plumb.Lab.Node;

/// <summary>Tells the nodes when something in their CNI directories changes. One for a lab: the kernel grants a user few of its watchers.</summary>
internal sealed class CniWatch : IAsyncDisposable
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
    public void Start() => _watching = WatchAsync();

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
            foreach (var directory in await _watch.WaitAsync(_stop.Token))
            {
                _ = _nodes[directory].CheckNetworkAsync();
            }
        }
    }
}
