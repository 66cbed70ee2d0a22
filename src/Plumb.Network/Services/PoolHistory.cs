using System.Collections.Immutable;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>Brings a node's pools up to the cluster's Services and endpoints with as few changes of slots as can be.</summary>
internal static class PoolHistory
{
    /// <param name="services">Those that may have changed.</param>
    public static PoolTable Follow(PoolTable table, IEnumerable<Subject> services, ClusterView cluster, string nodeName)
    {
        var builder = table.ToBuilder();
        var zone = cluster.Node(nodeName)?.Zone ?? "";
        // Whoever goes makes room before anybody comes: an address that is given on keeps its number.
        var stay = new List<ClusterService>();
        foreach (var subject in services)
        {
            if (cluster.Services.Service(subject) is { } service)
            {
                stay.Add(service);
            }
            else
            {
                builder.Remove(subject);
            }
        }
        foreach (var service in stay)
        {
            var was = builder.Of(service.Subject);
            var now = new ServicePools(
                service.Subject,
                was?.Number ?? builder.Allocate(service.ClusterIPs[0]),
                Ports(service, cluster.Services.SlicesOf(service.Subject), nodeName, zone, was));
            builder.Set(now);
        }
        return builder.Build();
    }

    private static ImmutableArray<PortPools> Ports(
        ClusterService service, ImmutableArray<ServiceSlice> slices, string node, string zone, ServicePools? was)
    {
        var ports = ImmutableArray.CreateBuilder<PortPools>(Math.Min(service.Ports.Count, PoolMark.MostPorts) * service.ClusterIPs.Count);
        foreach (var address in service.ClusterIPs)
        {
            for (var index = 0; index < service.Ports.Count && index < PoolMark.MostPorts; index++)
            {
                var before = Find(was, address.Family, index);
                var choice = EndpointChoice.Of(service.Ports[index], address.Family, slices, node, zone);
                var usesLocal = service.IsLocalInside || (service.IsLocalOutside && service.IsReachedFromOutside);
                ports.Add(new PortPools(
                    address.Family,
                    index,
                    PoolOf(choice.Cluster, PoolProgram.Refuse, service, before?.Cluster),
                    // Nobody here while others have some: silence, so that whoever balances tries another node. Nobody at all: refused.
                    usesLocal ? PoolOf(choice.Local, choice.Any ? PoolProgram.Drop : PoolProgram.Refuse, service, before?.Local) : null,
                    choice.LocalReady));
            }
        }
        return ports.MoveToImmutable();
    }

    private static PortPools? Find(ServicePools? pools, Linux.Addresses.IpFamily family, int index)
    {
        foreach (var port in pools?.Ports ?? [])
        {
            if (port.Family == family && port.Index == index)
            {
                return port;
            }
        }
        return null;
    }

    private static Pool PoolOf(List<PoolMember> members, PoolProgram without, ClusterService service, Pool? before)
    {
        if (members.Count == 0)
        {
            return new Pool(without, []);
        }
        if (members.Count > PoolProgram.MostMembers)
        {
            members.RemoveRange(PoolProgram.MostMembers, members.Count - PoolProgram.MostMembers);
        }
        return new Pool(PoolProgram.Spread(members.Count, service.AffinitySeconds), Arrange(members, before?.Members ?? []));
    }

    /// <summary>What stays keeps its slot; what comes fills holes, then the end; what holes are left the last ones move into.</summary>
    internal static ImmutableArray<PoolMember> Arrange(List<PoolMember> members, ImmutableArray<PoolMember> before)
    {
        if (before.IsEmpty)
        {
            return [.. members];
        }
        var wanted = new Dictionary<Backend, PoolMember>(members.Count);
        foreach (var member in members)
        {
            wanted[member.Backend] = member;
        }
        var slots = new List<PoolMember?>(Math.Max(members.Count, before.Length));
        foreach (var member in before)
        {
            slots.Add(wanted.Remove(member.Backend, out var stays) ? stays : null);
        }
        var hole = 0;
        foreach (var member in members)
        {
            if (!wanted.ContainsKey(member.Backend))
            {
                continue;
            }
            while (hole < slots.Count && slots[hole] is not null)
            {
                hole++;
            }
            if (hole == slots.Count)
            {
                slots.Add(member);
            }
            else
            {
                slots[hole] = member;
            }
        }
        for (; hole < slots.Count; hole++)
        {
            if (slots[hole] is not null)
            {
                continue;
            }
            while (slots.Count > hole && slots[^1] is null)
            {
                slots.RemoveAt(slots.Count - 1);
            }
            if (hole < slots.Count)
            {
                slots[hole] = slots[^1];
                slots.RemoveAt(slots.Count - 1);
            }
        }
        var arranged = ImmutableArray.CreateBuilder<PoolMember>(slots.Count);
        foreach (var slot in slots)
        {
            arranged.Add(slot!.Value);
        }
        return arranged.MoveToImmutable();
    }
}
