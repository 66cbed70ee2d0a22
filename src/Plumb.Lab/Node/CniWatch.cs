namespace Plumb.Lab.Node;

/// <summary>Tells the nodes when something in their CNI directories changes. One for a lab: the kernel grants a user few of its watchers.</summary>
internal sealed class CniWatch : IDisposable
{
    private readonly FileSystemWatcher _watcher;
    private readonly Dictionary<string, Kubelet> _nodes = new(StringComparer.Ordinal);

    /// <param name="root">A directory above the CNI directories of all nodes.</param>
    public CniWatch(string root)
    {
        _watcher = new FileSystemWatcher(root)
        {
            IncludeSubdirectories = true,
            NotifyFilter = NotifyFilters.FileName,
        };
        _watcher.Created += (_, change) => Tell(change.FullPath);
        _watcher.Deleted += (_, change) => Tell(change.FullPath);
        _watcher.Renamed += (_, change) => Tell(change.FullPath);
    }

    public void Add(string directory, Kubelet node) => _nodes.Add(directory, node);

    /// <summary>From now on; whoever was added looks for what came before.</summary>
    public void Start() => _watcher.EnableRaisingEvents = true;

    public void Dispose() => _watcher.Dispose();

    private void Tell(string path)
    {
        if (_nodes.TryGetValue(Path.GetDirectoryName(path) ?? "", out var node))
        {
            _ = node.CheckNetworkAsync();
        }
    }
}
