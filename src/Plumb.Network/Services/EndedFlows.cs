using System.Collections.Immutable;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>The flows that a change of one Service ends: UDP's, and where the Service asks for it TCP's.</summary>
internal static class EndedFlows
{
    public static IEnumerable<EndedFlow> Of(Subject subject, NetworkView before, NetworkView after)
    {
        var (was, now) = (before.Node.Pools.Of(subject), after.Node.Pools.Of(subject));
        if (before.Cluster.Services.Service(subject) is { } oldService && was is not null)
        {
            foreach (var flow in Gone(oldService, was, after.Cluster.Services.Service(subject), now))
            {
                if (MayBe(flow))
                {
                    yield return flow;
                }
            }
            foreach (var flow in Cut(oldService, was, before.Cluster.Services, after.Cluster.Services))
            {
                if (MayBe(flow))
                {
                    yield return flow;
                }
            }
        }
        if (after.Cluster.Services.Service(subject) is { } service)
        {
            foreach (var flow in Come(before.Cluster.Services.Service(subject), service))
            {
                yield return flow;
            }
        }

        // To look for connections without a mark is to look at all that have nothing to do with Services.
        bool MayBe(EndedFlow flow) => flow is not EndedFlow.Unmarked || after.Node.HasUnmarked;
    }

    /// <summary>UDP's to a Service's addresses, from before anybody served them: they went wherever the node's routes lead.</summary>
    public static IEnumerable<EndedFlow> Unserved(ClusterService service, ServicePools pools)
    {
        foreach (var port in pools.Ports)
        {
            if (service.Ports[port.Index].Protocol == IpProtocol.Udp)
            {
                foreach (var (address, number) in Frontends(service, port))
                {
                    yield return new EndedFlow.ToFrontend(port.Family, IpProtocol.Udp, address, number);
                }
            }
        }
    }

    private static IEnumerable<EndedFlow> Gone(ClusterService oldService, ServicePools was, ClusterService? service, ServicePools? now)
    {
        foreach (var port in was.Ports)
        {
            if (oldService.Ports[port.Index].Protocol != IpProtocol.Udp)
            {
                continue;
            }
            // A mark means a place among the ports: another port there now is another pool.
            var same = service is not null && port.Index < service.Ports.Count && service.Ports[port.Index].Protocol == IpProtocol.Udp
                ? now?.Ports.FirstOrDefault(other => other.Index == port.Index && other.Family == port.Family)
                : null;
            foreach (var (pool, local, left) in new[] { (port.Cluster, false, same?.Cluster), (port.Local, true, same?.Local) })
            {
                foreach (var backend in Lost(pool?.Members ?? [], left?.Members ?? []))
                {
                    var mark = PoolMark.Of(was.Number, port.Index, local);
                    yield return new EndedFlow.ToBackend(port.Family, IpProtocol.Udp, new ConnectionMark(mark.Value), backend);
                    foreach (var (address, number) in Frontends(oldService, port))
                    {
                        yield return new EndedFlow.Unmarked(port.Family, IpProtocol.Udp, address, number, backend);
                    }
                }
            }
        }
    }

    // An endpoint that is going, or not ready for a while, is in its slice and keeps its connections: TCP's end with the endpoint itself.
    private static IEnumerable<EndedFlow> Cut(ClusterService oldService, ServicePools was, ClusterServices before, ClusterServices after)
    {
        var service = after.Service(oldService.Subject);
        var (oldSlices, slices) = (before.SlicesOf(oldService.Subject), after.SlicesOf(oldService.Subject));
        if (!(service ?? oldService).EndsTcp || (service is not null && oldSlices == slices && oldService.Ports == service.Ports))
        {
            yield break;
        }
        foreach (var port in was.Ports)
        {
            var wanted = oldService.Ports[port.Index];
            if (wanted.Protocol != IpProtocol.Tcp)
            {
                continue;
            }
            var stays = service is not null && port.Index < service.Ports.Count && service.Ports[port.Index].Protocol == IpProtocol.Tcp;
            var left = stays ? Backends(service!.Ports[port.Index], port.Family, slices) : [];
            foreach (var backend in Backends(wanted, port.Family, oldSlices))
            {
                if (left.Contains(backend))
                {
                    continue;
                }
                yield return new EndedFlow.ToBackend(port.Family, IpProtocol.Tcp, new ConnectionMark(PoolMark.Of(was.Number, port.Index, local: false).Value), backend);
                yield return new EndedFlow.ToBackend(port.Family, IpProtocol.Tcp, new ConnectionMark(PoolMark.Of(was.Number, port.Index, local: true).Value), backend);
                foreach (var (address, number) in Frontends(oldService, port))
                {
                    yield return new EndedFlow.Unmarked(port.Family, IpProtocol.Tcp, address, number, backend);
                }
            }
        }
    }

    /// <summary>All endpoints of a port, whatever they are fit for.</summary>
    private static HashSet<Backend> Backends(ClusterServicePort port, IpFamily family, ImmutableArray<ServiceSlice> slices)
    {
        var all = new HashSet<Backend>();
        foreach (var slice in slices)
        {
            if (slice.Family == family && slice.PortOf(port) is { } target)
            {
                foreach (var endpoint in slice.Endpoints)
                {
                    all.Add(new Backend(endpoint.Address, target.Port));
                }
            }
        }
        return all;
    }

    private static IEnumerable<(IpAddress? Address, ushort Port)> Frontends(ClusterService service, PortPools pools)
    {
        var port = service.Ports[pools.Index];
        foreach (var address in service.ClusterIPs.Concat(service.ExternalIPs).Concat(service.BalancerAddresses))
        {
            if (address.Family == pools.Family)
            {
                yield return (address, port.Port);
            }
        }
        if (port.NodePort != 0)
        {
            yield return (null, port.NodePort);
        }
    }

    private static IEnumerable<Backend> Lost(ImmutableArray<PoolMember> was, ImmutableArray<PoolMember> now)
    {
        if (was.IsEmpty || was == now)
        {
            return [];
        }
        var left = new HashSet<Backend>(now.Length);
        foreach (var member in now)
        {
            left.Add(member.Backend);
        }
        return was.Where(member => !left.Contains(member.Backend)).Select(static member => member.Backend);
    }

    // A ClusterIP is nobody's before: what is sent there is refused and not remembered. Node ports and external addresses may be somebody's.
    private static List<EndedFlow> Come(ClusterService? was, ClusterService service)
    {
        var flows = new List<EndedFlow>();
        foreach (var port in service.Ports)
        {
            if (port.Protocol != IpProtocol.Udp)
            {
                continue;
            }
            if (port.NodePort != 0 && !(was?.Ports.Any(other => other.Protocol == IpProtocol.Udp && other.NodePort == port.NodePort) ?? false))
            {
                foreach (var clusterIP in service.ClusterIPs)
                {
                    flows.Add(new EndedFlow.ToFrontend(clusterIP.Family, IpProtocol.Udp, null, port.NodePort));
                }
            }
            foreach (var address in service.ExternalIPs.Concat(service.BalancerAddresses))
            {
                if (was is null
                    || !(was.ExternalIPs.Contains(address) || was.BalancerAddresses.Contains(address))
                    || !was.Ports.Any(other => other.Protocol == IpProtocol.Udp && other.Port == port.Port))
                {
                    flows.Add(new EndedFlow.ToFrontend(address.Family, IpProtocol.Udp, address, port.Port));
                }
            }
        }
        return flows;
    }
}
