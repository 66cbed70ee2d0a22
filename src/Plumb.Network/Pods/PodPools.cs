using Plumb.Linux.Addresses;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Overlay;

namespace Plumb.Network.Pods;

/// <summary>A range that a node gives its pods' addresses from.</summary>
/// <param name="Cause">Who says so: a field of the Node object, or a sandbox that still holds an address of it.</param>
public readonly record struct PodPool(IpPrefix Range, Origin Cause)
{
    /// <summary>The bridge's address in this range.</summary>
    public IpPrefix Gateway => new(Range.First.Plus(1), Range.Length);
}

/// <summary>Which ranges this node's bridge serves.</summary>
public static class PodPools
{
    /// <summary>Ranges that new pods may get addresses from, with the lines that say why others may not be used.</summary>
    public static IReadOnlyList<PodPool> Usable(ClusterView cluster, NodeFacts node, ICollection<(string Line, Origin Cause)> refused)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(refused);
        if (cluster.Node(node.Name) is not { } self)
        {
            return [];
        }
        foreach (var problem in self.Problems)
        {
            refused.Add((problem, self.Origin));
        }
        var pools = new List<PodPool>(2);
        for (var i = 0; i < self.PodRanges.Count; i++)
        {
            var cause = self.Origin.At($"spec.podCIDRs[{i}]");
            var range = self.PodRanges[i].Network;
            if (RangeRules.Problem(cluster, self, range, node.Options) is { } problem)
            {
                refused.Add((problem, cause));
            }
            else if (!PathMtu.Carries(node, range.Family))
            {
                refused.Add((TooSmallForIPv6(node), cause));
            }
            else
            {
                pools.Add(new PodPool(range, cause));
            }
        }
        return pools;
    }

    private static string TooSmallForIPv6(NodeFacts node)
    {
        var remedy = node.Options.PodMtuBytes is null && node.Underlay is { } wire
            ? $"raise the MTU of {wire.Device} ({wire.MtuBytes})"
            : "choose a larger one";
        return $"an MTU of {PathMtu.OfPods(node)} bytes leaves pods without IPv6, which needs {PathMtu.SmallestIPv6Bytes}: {remedy}";
    }

    /// <summary>
    /// The usable ones, and those that a sandbox still holds an address of: a node that was given another range, or that cannot
    /// reach the API, keeps its pods' router.
    /// </summary>
    internal static IReadOnlyList<PodPool> Served(ClusterView cluster, NodeFacts node, ICollection<(string Line, Origin Cause)> refused)
    {
        var usable = Usable(cluster, node, refused);
        List<PodPool>? all = null;
        foreach (var range in node.PoolsInUse)
        {
            if (!usable.Any(pool => pool.Range == range))
            {
                all ??= [.. usable];
                all.Add(new PodPool(range, new Origin(Subject.Machine, "leases")));
            }
        }
        return all ?? usable;
    }
}
