using System.Globalization;
using System.Net.Sockets;
using Plumb.Agent;
using Plumb.Kubernetes.Clients;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Benchmarks.Scale;

/// <summary>A node's agent, whole, with connections of its own to the API, over a kernel that is not there.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly KubernetesClient _api;
    private readonly NetworkNamespace _network = NetworkNamespace.Open("/proc/self/ns/net");
    private readonly string _directory;
    private NodeAgent? _agent;
    private long _bytes;
    private (long Bytes, TaskCompletionSource Heard)? _awaited;

    public FakeNode(ClusterConnection connection, int number, string directory)
    {
        Number = number;
        _directory = Path.Combine(directory, number.ToString(CultureInfo.InvariantCulture));
        Kernel = new WireOnlyKernel(new NamespaceId(ScaleCluster.NodeName(number)), IpAddress.Parse(ScaleCluster.NodeAddress(number)));
        _api = new KubernetesClient(connection with { Connect = ConnectAsync }, TimeProvider.System, "plumb-agent");

        async ValueTask<Stream> ConnectAsync(CancellationToken cancel)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(connection.Server.Host, connection.Server.Port, cancel);
            return new CountedStream(new NetworkStream(socket, ownsSocket: true), Came);
        }
    }

    public int Number { get; }

    public WireOnlyKernel Kernel { get; }

    /// <summary>What came from the API so far, TLS included.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Completes when so many bytes more have come.</summary>
    public Task WhenHeard(int more)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited = (Bytes + more, heard);
        return heard.Task;
    }

    /// <summary>Size of what the agent remembers of the other nodes, in bytes.</summary>
    public long KnownNodesBytes => new FileInfo(Path.Combine(_directory, NodeAgent.NodesFile)) is { Exists: true } file ? file.Length : 0;

    /// <summary>Returns when the table of all Services is written.</summary>
    public async Task StartAsync(int services, CancellationToken cancel)
    {
        Directory.CreateDirectory(_directory);
        var table = Kernel.WhenTableWritten(services);
        var options = new NodeAgentOptions
        {
            NodeName = ScaleCluster.NodeName(Number),
            Network = _network,
            StateDirectory = _directory,
            SocketPath = Path.Combine(_directory, "s"),
            Cluster = NetworkOptions.Default with { ClusterRanges = [IpPrefix.Parse(ScaleCluster.PodRange)], ServiceRanges = [IpPrefix.Parse(ScaleCluster.ServiceRange)] },
            Api = _api,
            Random = new Random(Number),
        };
        _agent = await NodeAgent.StartAsync(options, Kernel, IWriteSeam.None, cancel);
        var first = await Task.WhenAny(Task.WhenAll(_agent.Ready, table), _agent.Ended);
        await first;
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }
        _api.Dispose();
        _network.Dispose();
    }

    private void Came(int read)
    {
        var now = Interlocked.Add(ref _bytes, read);
        if (_awaited is { } awaited && now >= awaited.Bytes)
        {
            _awaited = null;
            awaited.Heard.TrySetResult();
        }
    }
}
