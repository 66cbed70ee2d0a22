using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>What all back ends remember alike: which endpoints each Service's pools have, in which slots.</summary>
internal static class PoolMemory
{
    public static NodeFacts Remember(IReadOnlyCollection<Change> changes, NetworkView before, NetworkView after)
    {
        var touched = new HashSet<Subject>();
        foreach (var change in changes)
        {
            touched.UnionWith(ServicesOf(change.Subject, before, after));
        }
        return touched.Count == 0
            ? after.Node
            : after.Node.With(PoolHistory.Follow(after.Node.Pools, touched, after.Cluster, after.Node.Name));
    }

    public static IEnumerable<EndedFlow> Ended(Change change, NetworkView before, NetworkView after)
    {
        foreach (var service in ServicesOf(change.Subject, before, after))
        {
            foreach (var flow in EndedFlows.Of(service, before, after))
            {
                yield return flow;
            }
        }
    }

    public static IEnumerable<EndedFlow> Unserved(NetworkView view)
    {
        foreach (var service in view.Cluster.Services.All)
        {
            if (view.Node.Pools.Of(service.Subject) is not { } pools)
            {
                continue;
            }
            foreach (var flow in EndedFlows.Unserved(service, pools))
            {
                yield return flow;
            }
        }
    }

    /// <summary>The Services whose pools or entries a change may concern.</summary>
    public static IEnumerable<Subject> ServicesOf(Subject subject, NetworkView before, NetworkView after)
    {
        if (subject.Kind == SubjectKind.Service)
        {
            yield return subject;
        }
        else if (subject.Kind == SubjectKind.EndpointSlice)
        {
            var (was, now) = (before.Cluster.Services.Slice(subject)?.Service, after.Cluster.Services.Slice(subject)?.Service);
            if (was is { } old)
            {
                yield return old;
            }
            if (now is { } owner && now != was)
            {
                yield return owner;
            }
        }
        else if (subject == Subject.Node(after.Node.Name)
            && before.Cluster.Node(subject.Name)?.Zone != after.Cluster.Node(subject.Name)?.Zone)
        {
            foreach (var service in after.Cluster.Services.All)
            {
                yield return service.Subject;
            }
        }
    }
}
