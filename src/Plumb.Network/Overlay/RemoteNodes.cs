using Plumb.Linux.Addresses;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Overlay;

/// <summary>What all overlays ask about other nodes: who is touched by a change, and which of its ranges are a node's to receive.</summary>
internal static class RemoteNodes
{
    /// <summary>The node itself; on a change of this machine all; and those whose claim on a range may have become another.</summary>
    public static IEnumerable<PlanKey> Touched(string layer, Change change, NetworkView before, NetworkView after)
    {
        var subject = change.Subject;
        if (subject == Subject.Machine)
        {
            yield return new PlanKey(layer, subject);
            foreach (var name in after.Cluster.Nodes.Keys)
            {
                yield return new PlanKey(layer, Subject.Node(name));
            }
        }
        else if (subject.Kind == SubjectKind.Node)
        {
            yield return new PlanKey(layer, subject);
            if (subject.Name == after.Node.Name)
            {
                yield return new PlanKey(layer, Subject.Machine);
            }
            foreach (var rival in Rivals(subject.Name, before).Concat(Rivals(subject.Name, after)))
            {
                yield return new PlanKey(layer, Subject.Node(rival));
                if (rival == after.Node.Name)
                {
                    yield return new PlanKey(layer, Subject.Machine);
                }
            }
        }
    }

    /// <summary>The node behind a key, unless it is this one or is no more.</summary>
    public static ClusterNode? Remote(PlanKey key, ClusterView cluster, NodeFacts node) =>
        key.Subject.Kind == SubjectKind.Node && key.Subject.Name != node.Name ? cluster.Node(key.Subject.Name) : null;

    /// <summary>A node's ranges with the field that each stands in; those it may not have are refused, those that this node's MTU cannot carry left out.</summary>
    public static IEnumerable<(IpPrefix Range, Origin Cause)> Ranges(ClusterNode remote, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        foreach (var problem in remote.Problems)
        {
            write.Refuse(problem, remote.Origin);
        }
        for (var i = 0; i < remote.PodRanges.Count; i++)
        {
            var cause = remote.Origin.At($"spec.podCIDRs[{i}]");
            var range = remote.PodRanges[i].Network;
            if (RangeRules.Problem(cluster, remote, range, node.Options) is { } problem)
            {
                write.Refuse(problem, cause);
            }
            else if (PathMtu.Carries(node, range.Family))
            {
                yield return (range, cause);
            }
        }
    }

    // The kernel gives an IPv6 route without a metric 1024 (IP6_RT_PRIO_USER).
    public static uint MetricOf(IpFamily family) => family == IpFamily.V4 ? 0u : 1024u;

    private static IEnumerable<string> Rivals(string name, NetworkView view) =>
        view.Cluster.Node(name) is { } node ? view.Cluster.Rivals(node) : [];
}
