using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Cluster;

/// <summary>
/// What the network needs of a Node object. Two are equal when the network has nothing to do between them: a heartbeat is no
/// change.
/// </summary>
public sealed record ClusterNode(string Name)
{
    private Origin? _origin;

    /// <summary>InternalIP addresses (status.addresses) in the object's order.</summary>
    public ValueList<IpAddress> Addresses { get; init; }

    /// <summary>spec.podCIDRs, else spec.podCIDR: the ranges that the node gives its pods' addresses from.</summary>
    public ValueList<IpPrefix> PodRanges { get; init; }

    /// <summary>The label topology.kubernetes.io/zone; empty: in no zone.</summary>
    public string Zone { get; init; } = "";

    /// <summary>metadata.creationTimestamp: of two nodes that claim one range the older keeps it.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>One line for each field that is not what it should be (<c>spec.podCIDRs[1]: 'x' is not …</c>); such fields are left out above.</summary>
    public ValueList<string> Problems { get; init; }

    public Origin Origin => _origin ??= new Origin(Subject.Node(Name));

    public IpAddress? AddressOf(IpFamily family)
    {
        foreach (var address in Addresses)
        {
            if (address.Family == family)
            {
                return address;
            }
        }
        return null;
    }

    public bool Equals(ClusterNode? other) =>
        other is not null
        && Name == other.Name
        && Addresses == other.Addresses
        && PodRanges == other.PodRanges
        && Created == other.Created
        && Zone == other.Zone
        && Problems == other.Problems;

    public override int GetHashCode() => HashCode.Combine(Name, Addresses, PodRanges);
}
