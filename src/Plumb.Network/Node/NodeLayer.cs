using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Node;

/// <summary>The node as a router: what its kernel must be told before it carries other people's packets.</summary>
public sealed class NodeLayer : ILayer
{
    public string Name => "node";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        if (change.Subject == Subject.Machine)
        {
            yield return new PlanKey(Name, Subject.Machine);
        }
    }

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        var (home, options) = (node.Namespace, node.Options);
        var pods = new Origin(Subject.Option("cluster-cidr"));
        foreach (var problem in RangeRules.Problems(options))
        {
            write.Refuse(problem, pods);
        }
        foreach (var range in options.ClusterRanges)
        {
            if (range.Family == IpFamily.V4)
            {
                write.Add(new SysctlEntry(home, "net/ipv4/ip_forward", "1"), pods);
                // The kernel sends redirects when either `all` or the device says so; the bridge must never.
                write.Add(new SysctlEntry(home, "net/ipv4/conf/all/send_redirects", "0"), pods);
            }
            else
            {
                write.Add(new SysctlEntry(home, "net/ipv6/conf/all/forwarding", "1"), pods);
            }
        }
        if (node.Underlay is { } wire)
        {
            PlanWire(node, wire, write);
        }
        else
        {
            write.Refuse(
                "the device on the wire between the nodes is not known, and nothing of pods can be planned: it is the one that has the InternalIP of status.addresses",
                new Origin(Subject.Node(node.Name), "status.addresses"));
        }
    }

    private static void PlanWire(NodeFacts node, Underlay wire, IPlanWriter write)
    {
        var cause = new Origin(Subject.Node(node.Name), "status.addresses");
        foreach (var problem in RangeRules.Problems(node.Options, wire))
        {
            write.Refuse(problem, cause);
        }
        if (wire.AddressOf(IpFamily.V4) is null)
        {
            return;
        }
        var conf = $"net/ipv4/conf/{wire.Device}";
        // Loose: answers of pods may leave by another device than their questions came in by.
        write.Add(new SysctlEntry(node.Namespace, $"{conf}/rp_filter", "2"), cause);
        // The wire hears of the wire's addresses only, not of those on the bridge and the tunnel.
        write.Add(new SysctlEntry(node.Namespace, $"{conf}/arp_ignore", "1"), cause);
        write.Add(new SysctlEntry(node.Namespace, $"{conf}/arp_announce", "2"), cause);
    }
}
