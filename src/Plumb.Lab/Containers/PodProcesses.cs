using Plumb.Linux.Namespaces;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers;

/// <summary>
/// The pid namespace that the containers of a pod share (`shareProcessNamespace`). Its first process outlives them all and reaps what they leave, as a pause container
/// does; it begins with the first of them.
/// </summary>
internal sealed class PodProcesses(NetworkNamespace network, string hostName) : IDisposable
{
    private readonly Lock _gate = new();
    private SpawnedProcess? _first;
    private bool _isOver;

    /// <exception cref="ContainerStartException">The pod is on its way out.</exception>
    public SpawnedProcess First
    {
        get
        {
            lock (_gate)
            {
                return _isOver ? throw new ContainerStartException("StartError", "the pod's processes have ended") : _first ??= Start();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
            // With it ends whoever is left.
            _first?.Kill();
            _first?.Dispose();
        }
    }

    // A shell that waits reaps whatever comes to be its child.
    private SpawnedProcess Start() => Spawn.Start(new SpawnRequest("/bin/sh")
    {
        Arguments = ["-c", "sleep infinity & while :; do wait; done"],
        Output = SpawnStream.Null,
        Error = SpawnStream.Null,
        Namespaces = new SpawnNamespaces { Network = network, HostName = hostName, OwnIpc = true, OwnPids = true },
    });
}
