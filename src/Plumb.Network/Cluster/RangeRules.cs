using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Network.Cluster;

/// <summary>Pods, services and nodes may not share an address: a packet to it would have two places to go.</summary>
public static class RangeRules
{
    /// <summary>One line for each pair of chosen ranges that does not go together; none when all is well.</summary>
    public static IReadOnlyList<string> Problems(NetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<string>();
        foreach (var pods in options.ClusterRanges)
        {
            foreach (var services in options.ServiceRanges)
            {
                if (pods.Overlaps(services))
                {
                    problems.Add($"pod range {pods} and service range {services} overlap: choose two that share no address");
                }
            }
        }
        AddTwice(options.ClusterRanges, "pod", problems);
        AddTwice(options.ServiceRanges, "service", problems);
        return problems;
    }

    /// <summary>One line for each chosen range that holds addresses of the wire between the nodes.</summary>
    public static IReadOnlyList<string> Problems(NetworkOptions options, Underlay wire)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(wire);
        var problems = new List<string>();
        foreach (var address in wire.Addresses)
        {
            foreach (var pods in options.ClusterRanges)
            {
                if (pods.Overlaps(address))
                {
                    problems.Add($"pod range {pods} and the nodes' network {address.Network} (device {wire.Device}) overlap: choose a pod range outside it");
                }
            }
            foreach (var services in options.ServiceRanges)
            {
                if (services.Overlaps(address))
                {
                    problems.Add($"service range {services} and the nodes' network {address.Network} (device {wire.Device}) overlap: choose a service range outside it");
                }
            }
        }
        return problems;
    }

    /// <summary>Why a node may not give addresses from a range of its own, in one line; null when it may.</summary>
    public static string? Problem(ClusterView cluster, ClusterNode node, IpPrefix range, NetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(options);
        if (cluster.StrongerClaim(node, range) is { } rival)
        {
            return $"pod range {range} overlaps that of node {rival.Name} ({string.Join(", ", rival.PodRanges)}), which is older: give {node.Name} another spec.podCIDR";
        }
        var inside = false;
        foreach (var pods in options.ClusterRanges)
        {
            inside |= pods.Contains(range);
        }
        if (!inside)
        {
            return $"pod range {range} is not inside the cluster's {string.Join(", ", options.ClusterRanges)}: its packets would be taken for strangers'";
        }
        const int smallestHostBits = 2;
        return range.Address.BitLength - range.Length < smallestHostBits
            ? $"pod range {range} has no room for a gateway and a pod: give {node.Name} a shorter prefix"
            : null;
    }

    private static void AddTwice(ValueList<IpPrefix> ranges, string what, List<string> problems)
    {
        for (var i = 0; i < ranges.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (ranges[i].Family == ranges[j].Family)
                {
                    problems.Add($"two {what} ranges of one family, {ranges[j]} and {ranges[i]}: give one IPv4 and one IPv6 range at most");
                }
            }
        }
    }
}
