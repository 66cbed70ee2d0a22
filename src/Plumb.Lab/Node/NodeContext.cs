using Plumb.Lab.Cni;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Volumes;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Node;

/// <summary>Completes when no node sends new connections to a pod's addresses any more; with false when none did before.</summary>
internal delegate Task<bool> EndpointsGone(IReadOnlyList<IpAddress> addresses, CancellationToken cancel);

/// <summary>What the pods of one node share.</summary>
/// <param name="Network">The node's own network namespace: that of hostNetwork pods.</param>
/// <param name="DnsServers">The cluster's DNS server, at an address of each family.</param>
/// <param name="EndpointsGone">What a pod that goes waits for before it stops to listen.</param>
/// <param name="KernelTurn">One at a time for all nodes of the lab: namespaces are made under one kernel lock, and two who wait for it block two threads.</param>
internal sealed record NodeContext(
    NodeReport Report,
    NetworkNamespace Network,
    IReadOnlyList<IpAddress> DnsServers,
    INodeApi Api,
    EventQueue Events,
    CniClient Cni,
    ContainerRuntime Containers,
    ServiceVariables Services,
    NodeSignals Signals,
    EndpointsGone EndpointsGone,
    SemaphoreSlim KernelTurn,
    TimeProvider Time)
{
    public string Name => Report.Name;

    /// <summary>Where volumes and variables come from.</summary>
    public IPodSources Sources { get; init; } = new NoSources();

    /// <summary>The node's own /etc/resolv.conf.</summary>
    public string ResolverFile { get; init; } = "";
}

/// <summary>What pods of a node wait for that no timer tells: each is a task that completes when it next happens.</summary>
internal sealed class NodeSignals
{
    private TaskCompletionSource _networkReady = New();
    private TaskCompletionSource _addressFreed = New();

    /// <summary>Completed while the node has a CNI configuration.</summary>
    public Task NetworkReady => Volatile.Read(ref _networkReady).Task;

    /// <summary>Completes when the next pod of this node has given its address back.</summary>
    public Task AddressFreed => Volatile.Read(ref _addressFreed).Task;

    public void SetNetworkReady(bool ready)
    {
        if (ready)
        {
            _networkReady.TrySetResult();
        }
        else if (_networkReady.Task.IsCompleted)
        {
            Volatile.Write(ref _networkReady, New());
        }
    }

    public void FreeAddress() => Interlocked.Exchange(ref _addressFreed, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
