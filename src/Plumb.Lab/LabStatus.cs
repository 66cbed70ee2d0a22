using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab;

/// <summary>A lab as its own process sees it: what <c>plumb status</c> shows.</summary>
/// <param name="Kubeconfig">Path of the file that kubectl and client libraries read.</param>
/// <param name="Api">Address of the API server, <c>https://127.0.0.1:PORT</c>.</param>
/// <param name="ProcessId">The lab's process as its user sees it, for <c>nsenter</c> and <c>kill</c>.</param>
/// <param name="Machines">Nodes in order, then <c>outside</c>, then the wire.</param>
public sealed record LabStatus(
    LabName Name,
    LabPhase Phase,
    string Kubeconfig,
    Uri Api,
    int ProcessId,
    DateTimeOffset StartedAt,
    OverlayKind Overlay,
    ValueList<IpPrefix> PodRanges,
    ValueList<IpPrefix> ServiceRanges,
    IReadOnlyList<MachineStatus> Machines,
    IReadOnlyList<SandboxStatus> Pods)
{
    /// <summary>The wire that nodes and the outside client are on.</summary>
    public ValueList<IpPrefix> NodeRanges { get; init; }

    /// <summary>What serves ClusterIPs on the nodes.</summary>
    public ServicesKind Services { get; init; }

    /// <summary>What was left of the way before when it was set, a line for each with the node's name.</summary>
    public ValueList<string> OldServicesLeft { get; init; }

    /// <summary>Resident memory of the lab's process in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Node ports that can be asked on the host.</summary>
    public ValueList<HostPortStatus> HostPorts { get; init; }
}

/// <summary>A node port of a Service, seen from the host.</summary>
/// <param name="Service"><c>namespace/name</c></param>
/// <param name="Protocol"><c>TCP</c> or <c>UDP</c></param>
/// <param name="HostPort">Of 127.0.0.1; null: none could be opened.</param>
/// <param name="Warning">What is not as one would expect, in one line; null: nothing.</param>
public sealed record HostPortStatus(string Service, string Protocol, ushort NodePort, ushort? HostPort, string? Warning);

/// <summary>A pod's /etc/resolv.conf, and the node that it is on.</summary>
public sealed record PodResolver(string Node, string File);

public enum LabPhase
{
    Starting = 1,
    Ready,
    Stopping,
}

/// <summary>A machine of the lab: a network namespace on the wire.</summary>
/// <param name="Id">The namespace's name in the lab's world.</param>
/// <param name="Addresses">On the wire, one of each family, the preferred one first.</param>
/// <param name="NamespacePath">Where another process of the same user finds the namespace: <c>/proc/PID/fd/N</c>.</param>
/// <param name="Ready">For a node: the condition Ready of its Node object; null for what is no node.</param>
/// <param name="AgentProcessId">Of a node whose agent is a process of its own, as the asking process sees it.</param>
public sealed record MachineStatus(
    string Name, NamespaceId Id, ValueList<IpAddress> Addresses, string NamespacePath, bool? Ready, int? AgentProcessId = null);

/// <summary>A pod's sandbox on a node.</summary>
/// <param name="Id">The namespace's name in plans of the node; the node's own for a pod of the host's network.</param>
/// <param name="Addresses">One of each family, the main one first.</param>
/// <param name="Container">Process id of the first container's command as the lab's user sees it; null for built-in workloads.</param>
public sealed record SandboxStatus(
    string Namespace, string Name, string Node, NamespaceId Id, ValueList<IpAddress> Addresses, string NamespacePath, string Phase, int? Container = null);
