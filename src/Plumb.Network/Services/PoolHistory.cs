using System.Collections.Immutable;
using Plumb.Linux.Addresses;
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
            var number = was?.Number ?? builder.Allocate(service.ClusterIPs[0]);
            var slices = cluster.Services.SlicesOf(service.Subject);
            builder.Set(new ServicePools(service.Subject, number, Ports(service, slices, nodeName, zone, Before)));

            ImmutableArray<Backend> Before(IpFamily family, int index, bool local)
            {
                if (was is null)
                {
                    return builder.Found(family, PoolMark.Of(number, index, local));
                }
                var port = Find(was, family, index);
                return [.. ((local ? port?.Local : port?.Cluster)?.Members ?? []).Select(static member => member.Backend)];
            }
        }
        return builder.Build();
    }

    private static ImmutableArray<PortPools> Ports(
        ClusterService service, ImmutableArray<ServiceSlice> slices, string node, string zone, Func<IpFamily, int, bool, ImmutableArray<Backend>> before)
    {
        var ports = ImmutableArray.CreateBuilder<PortPools>(Math.Min(service.Ports.Count, PoolMark.MostPorts) * service.ClusterIPs.Count);
        foreach (var address in service.ClusterIPs)
        {
            for (var index = 0; index < service.Ports.Count && index < PoolMark.MostPorts; index++)
            {
                var choice = EndpointChoice.Of(service.Ports[index], address.Family, slices, node, zone);
                var usesLocal = service.IsLocalInside || (service.IsLocalOutside && service.IsReachedFromOutside);
                ports.Add(new PortPools(
                    address.Family,
                    index,
                    PoolOf(choice.Cluster, PoolProgram.Refuse, service, before(address.Family, index, false)),
                    // Nobody here while others have some: silence, so that whoever balances tries another node. Nobody at all: refused.
                    usesLocal ? PoolOf(choice.Local, choice.Any ? PoolProgram.Drop : PoolProgram.Refuse, service, before(address.Family, index, true)) : null,
                    choice.LocalReady));
            }
        }
        return ports.MoveToImmutable();
    }

    private static PortPools? Find(ServicePools pools, IpFamily family, int index)
    {
        foreach (var port in pools.Ports)
        {
            if (port.Family == family && port.Index == index)
            {
                return port;
            }
        }
        return null;
    }

    private static Pool PoolOf(List<PoolMember> members, PoolProgram without, ClusterService service, ImmutableArray<Backend> before)
    {
        if (members.Count == 0)
        {
            return new Pool(without, []);
        }
        var leftOut = Math.Max(0, members.Count - PoolProgram.MostMembers);
        members.RemoveRange(members.Count - leftOut, leftOut);
        return new Pool(PoolProgram.Spread(members.Count, service.AffinitySeconds), Arrange(members, before)) { LeftOut = leftOut };
    }

    /// <summary>What stays keeps its slot; what comes fills holes, then the end; what holes are left the last ones move into.</summary>
    internal static ImmutableArray<PoolMember> Arrange(List<PoolMember> members, ImmutableArray<Backend> before)
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
        foreach (var backend in before)
        {
            slots.Add(wanted.Remove(backend, out var stays) ? stays : null);
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
