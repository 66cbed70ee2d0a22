using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Dns;

/// <summary>
/// The cluster's DNS server is on every node: its Service address is the node's own, on the loopback device, and questions to it are not
/// translated on the way (<see cref="NodeFacts.Answers"/>). They never cross the wire, which does not hear of the address (arp_ignore).
/// </summary>
public sealed class DnsLayer : ILayer
{
    private static readonly Origin _cause = new(Subject.Option("cluster-dns"));

    public string Name => "dns";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        if (change.Subject == Subject.Machine)
        {
            yield return new PlanKey(Name, Subject.Machine);
        }
    }

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        foreach (var server in node.Options.DnsServers)
        {
            write.Add(
                new AddressEntry(node.Namespace, Devices.Loopback, IpPrefix.Host(server))
                {
                    NoDuplicateDetection = server.Family == IpFamily.V6 ? true : null,
                    Protocol = RouteProtocol.Plumb,
                },
                _cause);
        }
    }
}
