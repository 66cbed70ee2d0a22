using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Exposure;

/// <summary>
/// Ports of the node that lead to a pod on it. Rules are as many as ever, elements one for each port; a node without such ports has neither.
/// </summary>
public sealed class HostPortsLayer : ILayer
{
    /// <summary>As <c>kubectl explain</c> writes it. A runtime tells which port it is, not of which container.</summary>
    private const string Field = "spec.containers.ports.hostPort";

    public string Name => "hostports";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after) => SandboxKeys.Touched(Name, change, after);

    /// <summary>A datagram has no connection of its own that would notice that it goes to whoever had the port, or to nobody.</summary>
    public IEnumerable<EndedFlow> Ended(Change change, NetworkView before, NetworkView after)
    {
        if (change.Subject.Kind != SubjectKind.Sandbox)
        {
            yield break;
        }
        var id = SandboxId.From(change.Subject);
        var (was, now) = (before.Node.Sandbox(id), after.Node.Sandbox(id));
        if (was?.Ports == now?.Ports && was?.Leases == now?.Leases)
        {
            yield break;
        }
        foreach (var (port, backend) in Datagrams(was))
        {
            yield return new EndedFlow.Unmarked(backend.Address.Family, IpProtocol.Udp, port.HostAddress, port.Number, backend);
        }
        foreach (var (port, backend) in Datagrams(now))
        {
            // To this node alone: the same port of others is asked by every pod, as that of a DNS server outside.
            foreach (var address in port.HostAddress is { } at ? [at] : AddressesOf(after.Node, backend.Address.Family))
            {
                yield return new EndedFlow.ToFrontend(backend.Address.Family, IpProtocol.Udp, address, port.Number);
            }
        }
    }

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        foreach (var pods in node.Options.ClusterRanges)
        {
            if (node.Sandbox(SandboxId.From(key.Subject)) is { Ports.Count: > 0 } sandbox && sandbox.LeaseOf(pods.Family) is { } lease)
            {
                PlanPorts(sandbox, lease.Address, pods, node, write);
            }
        }
    }

    private static void PlanPorts(Sandbox sandbox, IpAddress address, IpPrefix pods, NodeFacts node, IPlanWriter write)
    {
        var cause = sandbox.Origin.At(Field);
        var program = new HostPortsProgram(node, pods.Family);
        var isOpen = false;
        foreach (var port in sandbox.Ports)
        {
            if (!port.IsOpenIn(pods.Family))
            {
                continue;
            }
            isOpen = true;
            write.Add(
                port.HostAddress is { } at
                    ? program.PortsAt.Element([at, port.Protocol, port.Number], [address, port.PodPort])
                    : program.Ports.Element([port.Protocol, port.Number], [address, port.PodPort]),
                cause);
        }
        if (!isOpen)
        {
            return;
        }
        AddressSets.Plan(program.Table, pods, write);
        // Of whoever comes first and whoever goes last.
        foreach (var entry in program.Entries())
        {
            write.Add(entry, cause);
        }
        write.Add(program.Hairpin.Element([address, address]), cause);
    }

    private static IEnumerable<IpAddress> AddressesOf(NodeFacts node, IpFamily family) =>
        node.Underlay?.Addresses.Select(static prefix => prefix.Address).Where(address => address.Family == family) ?? [];

    private static List<(HostPort Port, Backend Backend)> Datagrams(Sandbox? sandbox)
    {
        var all = new List<(HostPort, Backend)>();
        foreach (var port in sandbox?.Ports ?? [])
        {
            foreach (var lease in sandbox!.Leases)
            {
                if (port.Protocol == IpProtocol.Udp && port.IsOpenIn(lease.Address.Family))
                {
                    all.Add((port, new Backend(lease.Address, port.PodPort)));
                }
            }
        }
        return all;
    }
}
