using System.Collections.Immutable;
using Plumb.Linux.Addresses;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>
/// Which endpoints of a Service's port a node may choose from, by the rules of the API: ready ones, near ones where hints say so,
/// and if none is ready those that are going but still answer.
/// </summary>
/// <param name="Cluster">For the policy Cluster.</param>
/// <param name="Local">On this node, for the policy Local.</param>
/// <param name="LocalReady">How many of this node's are ready.</param>
/// <param name="Any">Whether there is a usable endpoint on any node.</param>
internal sealed record EndpointChoice(List<PoolMember> Cluster, List<PoolMember> Local, int LocalReady, bool Any)
{
    public static EndpointChoice Of(
        ClusterServicePort port, IpFamily family, ImmutableArray<ServiceSlice> slices, string node, string zone)
    {
        var all = Candidates(port, family, slices);
        var ready = all.FindAll(static candidate => candidate.Endpoint.IsReady);
        var lastResort = ready.Count == all.Count ? [] : all.FindAll(static candidate => !candidate.Endpoint.IsReady && candidate.Endpoint.IsLastResort);
        var localReady = ready.FindAll(IsHere);
        var cluster = ready.Count != 0 ? Near(ready, node, zone) : lastResort;
        var local = localReady.Count != 0 ? localReady : lastResort.FindAll(IsHere);
        return new EndpointChoice(Members(cluster, node), Members(local, node), localReady.Count, all.Count != 0 && (ready.Count != 0 || lastResort.Count != 0));

        bool IsHere(Candidate candidate) => candidate.Endpoint.Node == node;
    }

    private static List<Candidate> Candidates(ClusterServicePort port, IpFamily family, ImmutableArray<ServiceSlice> slices)
    {
        var all = new List<Candidate>();
        HashSet<Backend>? seen = null;
        foreach (var slice in slices)
        {
            if (slice.Family != family || slice.PortOf(port) is not { } target)
            {
                continue;
            }
            foreach (var endpoint in slice.Endpoints)
            {
                var backend = new Backend(endpoint.Address, target.Port);
                // One endpoint may stand in two slices while it moves from one to the other.
                if ((seen ??= []).Add(backend))
                {
                    all.Add(new Candidate(backend, endpoint, slice));
                }
                else if (endpoint.IsReady)
                {
                    var at = all.FindIndex(candidate => candidate.Backend == backend);
                    if (!all[at].Endpoint.IsReady)
                    {
                        all[at] = new Candidate(backend, endpoint, slice);
                    }
                }
            }
        }
        return all;
    }

    // Hints hold only if every ready endpoint has them and one of them is for this place: else some clients would have nobody.
    private static List<Candidate> Near(List<Candidate> ready, string node, string zone)
    {
        if (ready.TrueForAll(static candidate => candidate.Endpoint.ForNodes.Count != 0)
            && ready.FindAll(candidate => candidate.Endpoint.ForNodes.Contains(node)) is { Count: > 0 } forNode)
        {
            return forNode;
        }
        return zone.Length != 0
            && ready.TrueForAll(static candidate => candidate.Endpoint.ForZones.Count != 0)
            && ready.FindAll(candidate => candidate.Endpoint.ForZones.Contains(zone)) is { Count: > 0 } forZone
            ? forZone
            : ready;
    }

    private static List<PoolMember> Members(List<Candidate> candidates, string node)
    {
        var members = new List<PoolMember>(candidates.Count);
        foreach (var candidate in candidates)
        {
            members.Add(new PoolMember(candidate.Backend, candidate.Slice.Origin, candidate.Endpoint.Node.Length == 0 || candidate.Endpoint.Node == node));
        }
        return members;
    }

    private readonly record struct Candidate(Backend Backend, SliceEndpoint Endpoint, ServiceSlice Slice);
}
