using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>Which interface of which container: the pair by which a runtime names an attachment (CNI_CONTAINERID, CNI_IFNAME).</summary>
public readonly record struct SandboxId(string ContainerId, string Interface) : IComparable<SandboxId>
{
    public Subject Subject => new(SubjectKind.Sandbox, ContainerId, Interface);

    public static SandboxId From(Subject subject) => new(subject.Scope, subject.Name);

    public int CompareTo(SandboxId other) => Subject.CompareTo(other.Subject);

    public override string ToString() => $"{ContainerId} {Interface}";
}

/// <summary>A container's attachment to the network: a fact of the node, made by CNI ADD and ended by DEL.</summary>
/// <param name="Namespace">The container's network namespace, by the name that entries use.</param>
/// <param name="Leases">Its addresses, each with the pool that it is from; one of each family at most.</param>
public sealed record Sandbox(SandboxId Id, NamespaceId Namespace, ValueList<PodLease> Leases)
{
    private Origin? _origin;

    /// <summary>Kubernetes namespace and name of the pod (K8S_POD_NAMESPACE, K8S_POD_NAME of CNI_ARGS); empty for a container that is no pod.</summary>
    public string PodScope { get; init; } = "";

    public string PodName { get; init; } = "";

    /// <summary>K8S_POD_UID; empty when the runtime does not tell.</summary>
    public string PodUid { get; init; } = "";

    public Origin Origin => _origin ??= new Origin(
        PodName.Length != 0 ? Subject.Pod(PodScope, PodName) : new Subject(SubjectKind.Sandbox, "", Id.ContainerId));

    /// <summary>By which name entries of a container's namespace go: the pod's, and enough of the container's id to tell two of one name apart.</summary>
    /// <param name="containerId">CNI_CONTAINERID</param>
    public static NamespaceId NameOf(string containerId, string podScope, string podName)
    {
        var shortId = Devices.ShortId(containerId, Devices.PodEnd);
        return new NamespaceId(podName.Length == 0 ? shortId : $"{podScope}/{podName}@{shortId}");
    }

    /// <summary>Name of the veth end on the node.</summary>
    public string NodeEnd => Devices.NodeEnd(Id.ContainerId, Id.Interface);

    /// <summary>Name of the device on the node in which what the pod sends waits, where it may not send as fast as it can.</summary>
    public string Queue => Devices.Queue(Id.ContainerId, Id.Interface);

    public Bandwidth Bandwidth { get; init; }

    /// <summary>The node's ports that lead here.</summary>
    public ValueList<HostPort> Ports { get; init; }

    public PodLease? LeaseOf(IpFamily family)
    {
        foreach (var lease in Leases)
        {
            if (lease.Address.Family == family)
            {
                return lease;
            }
        }
        return null;
    }

    /// <summary>The hardware address that the runtime asked for (capability <c>mac</c> of CNI); null: none.</summary>
    public MacAddress? OwnMac { get; init; }

    /// <summary>The hardware address of the pod's end: made of its first address where nobody asked for another.</summary>
    public MacAddress Mac => OwnMac ?? Devices.PodMac(Leases[0].Address);

    public bool Equals(Sandbox? other) =>
        other is not null
        && Id == other.Id
        && Namespace == other.Namespace
        && Leases == other.Leases
        && PodScope == other.PodScope
        && PodName == other.PodName
        && PodUid == other.PodUid
        && OwnMac == other.OwnMac
        && Ports == other.Ports
        && Bandwidth == other.Bandwidth;

    public override int GetHashCode() => HashCode.Combine(Id, Namespace, Leases);
}

/// <summary>An address that a pod holds, and the range of the node that it is from.</summary>
public readonly record struct PodLease(IpAddress Address, IpPrefix Pool)
{
    /// <summary>The pods' router: the first address of the range, on the bridge.</summary>
    public IpAddress Gateway => Pool.First.Plus(1);
}
