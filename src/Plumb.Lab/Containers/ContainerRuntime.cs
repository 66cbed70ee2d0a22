using System.Net;
using System.Net.Sockets;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers.Runs;
using Plumb.Lab.Images;
using Plumb.Lab.Workloads;
using Plumb.Linux.Containers;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Containers;

/// <summary>What a node's kubelet part makes containers with. One for a whole lab: its built-in workloads share one server.</summary>
/// <param name="directory">Of the lab; each pod has a folder `pods/UID` in it.</param>
/// <param name="launcher">This program, which enters the roots of containers that have their own.</param>
/// <param name="images">Name → directory of an image that is at hand (<see cref="ImageStore.Take"/>).</param>
/// <param name="group">In which each container that runs a program gets a control group of its own; null: the machine permits none.</param>
public sealed class ContainerRuntime(
    string directory, IReadOnlyList<string> launcher, TimeProvider time, IReadOnlyDictionary<string, string>? images = null, ControlGroup? group = null) : IAsyncDisposable
{
    private readonly WorkloadServer _workloads = new(time);
    // What containers' users write is not the lab's user's to remove, should the lab be killed.
    private readonly MemoryDirectory? _pods = ContainerUser.AreSubordinate ? new MemoryDirectory(Path.Combine(directory, "pods")) : null;
    private readonly LabImages _images = LabImages.Load(images ?? new Dictionary<string, string>());

    /// <summary>A pod's own directory: its volumes and its containers' files.</summary>
    internal string DirectoryOf(string podUid) => Path.Combine(directory, "pods", podUid);

    /// <summary>Whether a workload of this process serves the container. Others run programs.</summary>
    public bool IsBuiltIn(ContainerSpec container)
    {
        ArgumentNullException.ThrowIfNull(container);
        return container.Command.Count == 0 && _images.Find(container.Image) is null;
    }

    /// <param name="changed">
    /// Called at each change of the container's status, one after another, on a pool thread. It must not block, and must not await the container.
    /// </param>
    /// <param name="target">Of the same pod; its processes are those that the container sees (<see cref="ContainerSpec.Target"/>).</param>
    public IContainer Create(PodFacts pod, ContainerSpec container, Action<IContainer, ContainerStatus> changed, IContainer? target = null)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(container);
        ArgumentNullException.ThrowIfNull(changed);
        var image = _images.Find(container.Image);
        container = image is null ? container : ImageSpecs.Of(container, image);
        var files = new ContainerFiles(Path.Combine(DirectoryOf(pod.Uid), "containers", container.Name), pod, container, image, launcher);
        IContainerKind kind = IsBuiltIn(container)
            ? new WorkloadKind(pod, container, files, _workloads, group, time)
            : new ProcessKind(pod, container, files, image, target as Container, group, time);
        return new Container(pod, container, files, kind, time, changed);
    }

    /// <summary>A connection to a port of the pod's own loopback address (`kubectl port-forward`), to whichever family listens.</summary>
    /// <exception cref="PodStreamException">Nobody listens.</exception>
    public static async ValueTask<Stream> ConnectAsync(PodFacts pod, int port, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(pod);
        try
        {
            return await ConnectAsync(pod.Network, new IPEndPoint(IPAddress.Loopback, port), cancel);
        }
        catch (SocketException)
        {
            // A server that listens on IPv6 alone.
        }

        try
        {
            return await ConnectAsync(pod.Network, new IPEndPoint(IPAddress.IPv6Loopback, port), cancel);
        }
        catch (Exception error) when (error is SocketException or Linux.Native.SystemCallException)
        {
            throw PodStreamException.Internal($"dial tcp 127.0.0.1:{port} in the pod's network namespace: connect: connection refused");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _images.Dispose();
        await _workloads.DisposeAsync();
        _pods?.Dispose();
    }

    private static async ValueTask<Stream> ConnectAsync(NetworkNamespace network, IPEndPoint to, CancellationToken cancel) =>
        new NetworkStream(await network.ConnectTcpAsync(to, cancel), ownsSocket: true);
}
