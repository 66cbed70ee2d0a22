using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Sysctls;

namespace Plumb.Lab.Containers;

/// <summary>What all containers of a pod have in common, known once its sandbox stands.</summary>
/// <param name="Network">The pod's, or the node's for `hostNetwork`; it outlives the pod's containers.</param>
/// <param name="Addresses">The pod's, the main one first.</param>
public sealed record PodFacts(ObjectKey Pod, string Uid, string NodeName, NetworkNamespace Network, IReadOnlyList<IpAddress> Addresses)
{
    public string Namespace => Pod.Namespace;

    public string Name => Pod.Name;

    /// <summary>The node's own addresses: `status.hostIP`, `status.hostIPs`.</summary>
    public IReadOnlyList<IpAddress> NodeAddresses { get; init; } = [];

    /// <summary>`spec.hostname`, else the pod's name.</summary>
    public string HostName { get; init; } = Pod.Name;

    /// <summary>What `shareProcessNamespace` makes; null: each container has its own.</summary>
    internal PodProcesses? Processes { get; init; }

    /// <summary>Before somebody runs a program in the pod: makes what could wait until then.</summary>
    internal Func<CancellationToken, Task> Prepare { get; init; } = static _ => Task.CompletedTask;

    /// <summary>`hostPID`: the containers see the lab's processes, which is all that the nodes have.</summary>
    public bool HasNodeProcesses { get; init; }

    /// <summary>`hostIPC`: the containers have what all such pods of the lab have together.</summary>
    public bool HasNodeIpc { get; init; }

    /// <summary>Of each container's ipc namespace (`sysctls`).</summary>
    public IReadOnlyList<KernelParameter> IpcParameters { get; init; } = [];

    /// <summary>The whole text of the containers' /etc/hosts.</summary>
    public string HostsFile { get; init; } = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

    /// <summary>The whole text of the containers' /etc/resolv.conf.</summary>
    public string ResolverFile { get; init; } = "";

    public string ServiceAccountName { get; init; } = "default";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>`KUBERNETES_SERVICE_HOST` and its like: what the kubelet adds to every container; `env` may override it.</summary>
    public IReadOnlyDictionary<string, string> ServiceEnvironment { get; init; } = new Dictionary<string, string>();
}
