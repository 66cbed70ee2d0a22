using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>
/// The elements of one Service. What others point at comes first: backends, then the pool, then the addresses that lead to it. A
/// change that takes several transactions is made in that order, and undone in the reverse one.
/// </summary>
internal readonly struct ServicePlan(
    ClusterService service, ServicePools pools, Func<IpFamily, ServicesTable?> tables, IPlanWriter write)
{
    public void Write()
    {
        foreach (var problem in service.Problems)
        {
            write.Refuse(problem, service.Origin);
        }
        foreach (var port in pools.Ports)
        {
            var cause = service.Origin.At($"spec.ports[{port.Index}]");
            if (tables(port.Family) is not { } table)
            {
                write.Refuse($"its ClusterIP is of a family that the cluster's pods have no addresses of ({port.Family})", service.Origin.At("spec.clusterIPs"));
                continue;
            }
            if (port.Cluster.LeftOut != 0)
            {
                write.Refuse(
                    $"{port.Cluster.LeftOut} of its {port.Cluster.Members.Length + port.Cluster.LeftOut} {port.Family} endpoints get no connections: nodes spread a Service over {PoolProgram.MostMembers}; make it several Services",
                    cause);
            }
            WritePool(table, port, port.Cluster, local: false, cause);
            if (port.Local is { } here)
            {
                WritePool(table, port, here, local: true, cause);
            }
            WriteFrontends(table, port, cause);
        }
    }

    private uint MarkOf(PortPools port, bool local) => PoolMark.Of(pools.Number, port.Index, local).Value;

    private void WritePool(ServicesTable table, PortPools port, Pool pool, bool local, Origin cause)
    {
        var mark = MarkOf(port, local);
        var sticks = pool.Program.AffinitySeconds is not null;
        HashSet<uint>? ids = sticks ? [] : null;
        for (var slot = 0; slot < pool.Members.Length; slot++)
        {
            var (backend, origin, mayBeHere) = pool.Members[slot];
            if (sticks)
            {
                var id = StickyId(backend, ids!);
                write.Add(table.StickyBackends.Element([mark, id], [backend.Address, backend.Port]), origin);
                write.Add(table.StickySlots.Element([mark, slot], [id]), origin);
            }
            else
            {
                write.Add(table.Backends.Element([mark, slot], [backend.Address, backend.Port]), origin);
            }
            if (mayBeHere)
            {
                write.Add(table.Hairpin.Element([backend.Address, backend.Address]), origin);
            }
        }
        write.Add(table.Pools.Element([mark], [pool.Program.Number]), cause);
    }

    // An endpoint is remembered by a number that follows from its address and port, so that it has the same one on every node and after
    // every restart; two of one pool that would have the same take the next.
    private static uint StickyId(Backend backend, HashSet<uint> taken)
    {
        const uint prime = 0x0100_0193; // FNV-1a
        var (number, id) = (backend.Address.Number, 0x811c_9dc5u);
        for (var i = 0; i < backend.Address.ByteLength; i++, number >>= 8)
        {
            id = (id ^ (byte)number) * prime;
        }
        id = (((id ^ (byte)backend.Port) * prime) ^ (uint)(backend.Port >> 8)) * prime;
        while (!taken.Add(id))
        {
            id++;
        }
        return id;
    }

    private void WriteFrontends(ServicesTable table, PortPools port, Origin cause)
    {
        var (protocol, number, nodePort) = (service.Ports[port.Index].Protocol, service.Ports[port.Index].Port, service.Ports[port.Index].NodePort);
        foreach (var address in service.ClusterIPs)
        {
            if (address.Family == table.Family)
            {
                write.Add(table.Frontends.Element([address, protocol, number], [MarkOf(port, service.IsLocalInside)]), cause);
            }
        }
        var outside = MarkOf(port, service.IsLocalOutside);
        // Inside the cluster the policy for outside does not hold: any endpoint will do.
        var inside = MarkOf(port, local: false);
        foreach (var address in service.ExternalIPs)
        {
            WriteExternal(table, address, protocol, number, outside, inside, cause);
        }
        foreach (var address in service.BalancerAddresses)
        {
            WriteExternal(table, address, protocol, number, outside, inside, cause);
            if (address.Family == table.Family && service.SourceRanges.Count != 0)
            {
                WriteGuard(table, address, protocol, number);
            }
        }
        if (nodePort != 0)
        {
            write.Add(table.NodePorts.Element([protocol, nodePort], [outside]), cause);
            if (service.IsLocalOutside)
            {
                write.Add(table.NodePortsInside.Element([protocol, nodePort], [inside]), cause);
            }
        }
    }

    private void WriteExternal(ServicesTable table, IpAddress address, IpProtocol protocol, ushort number, uint outside, uint inside, Origin cause)
    {
        if (address.Family != table.Family)
        {
            return;
        }
        write.Add(table.Frontends.Element([address, protocol, number], [outside]), cause);
        if (service.IsLocalOutside)
        {
            write.Add(table.FrontendsInside.Element([address, protocol, number], [inside]), cause);
        }
    }

    private void WriteGuard(ServicesTable table, IpAddress address, IpProtocol protocol, ushort number)
    {
        var cause = service.Origin.At("spec.loadBalancerSourceRanges");
        foreach (var range in service.SourceRanges)
        {
            if (range.Family == table.Family)
            {
                write.Add(table.GuardedAllow.Element([address, protocol, number, range], []), cause);
            }
        }
        write.Add(table.Guarded.Element([address, protocol, number], []), cause);
    }
}
