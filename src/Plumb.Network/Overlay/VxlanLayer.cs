using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Overlay;

/// <summary>
/// One VXLAN tunnel between all nodes (RFC 7348), of which nothing is learned: where a range lives, which hardware address its
/// node has and which address the tunnel ends at are written down, so that no packet is ever flooded.
/// </summary>
public sealed class VxlanLayer : ILayer
{
    public string Name => "overlay";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after) =>
        RemoteNodes.Touched(Name, change, before, after);

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (node.Underlay is not { } wire || PathMtu.OfPods(node) is not { } mtuBytes)
        {
            return;
        }
        if (key.Subject == Subject.Machine)
        {
            PlanTunnel(cluster, node, wire, mtuBytes, write);
        }
        else if (RemoteNodes.Remote(key, cluster, node) is { } remote)
        {
            PlanRemote(remote, cluster, node, wire, write);
        }
    }

    private static void PlanTunnel(ClusterView cluster, NodeFacts node, Underlay wire, int mtuBytes, IPlanWriter write)
    {
        var (home, options) = (node.Namespace, node.Options);
        var cause = new Origin(Subject.Option("overlay"));
        if (wire.AddressOf(PathMtu.TunnelFamily(wire)) is not { } own)
        {
            return;
        }
        write.Add(
            new LinkEntry(home, Devices.Vxlan, new LinkType.Vxlan(options.VxlanVni)
            {
                Port = options.VxlanPort,
                Local = own.Address,
                Device = wire.Device,
                Learning = false,
            })
            {
                Mac = Devices.TunnelMac(own.Address),
                MtuBytes = mtuBytes,
                Up = true,
                NoAutomaticAddress = true,
            },
            cause);
        if (cluster.Node(node.Name) is not { } self)
        {
            return;
        }
        for (var i = 0; i < self.PodRanges.Count; i++)
        {
            var range = self.PodRanges[i].Network;
            if (RangeRules.Problem(cluster, self, range, options) is not null || !PathMtu.Carries(node, range.Family))
            {
                continue; // said where the range is served
            }
            // The node's own address in the tunnel, the range's first: never a pod's. A device without one drops what comes from
            // an address that is reached by another device, whatever rp_filter says.
            var rangeCause = self.Origin.At($"spec.podCIDRs[{i}]");
            write.Add(
                new AddressEntry(home, Devices.Vxlan, IpPrefix.Host(range.First))
                {
                    NoDuplicateDetection = range.Family == IpFamily.V6 ? true : null,
                    Protocol = RouteProtocol.Plumb,
                },
                rangeCause);
            if (range.Family == IpFamily.V4)
            {
                write.Add(new SysctlEntry(home, $"net/ipv4/conf/{Devices.Vxlan}/rp_filter", "2"), rangeCause);
            }
            else
            {
                write.Add(new SysctlEntry(home, $"net/ipv6/conf/{Devices.Vxlan}/accept_dad", "0"), rangeCause);
                write.Add(new SysctlEntry(home, $"net/ipv6/conf/{Devices.Vxlan}/accept_ra", "0"), rangeCause);
            }
        }
    }

    private static void PlanRemote(ClusterNode remote, ClusterView cluster, NodeFacts node, Underlay wire, IPlanWriter write)
    {
        var ranges = RemoteNodes.Ranges(remote, cluster, node, write).ToList();
        if (ranges.Count == 0)
        {
            return;
        }
        var addressCause = remote.Origin.At("status.addresses");
        if (remote.AddressOf(PathMtu.TunnelFamily(wire)) is not { } end)
        {
            write.Refuse($"no {(PathMtu.TunnelFamily(wire) == IpFamily.V4 ? "IPv4" : "IPv6")} InternalIP: no tunnel can end there, its pods stay out of reach", addressCause);
            return;
        }
        var home = node.Namespace;
        var mac = Devices.TunnelMac(end);
        write.Add(new FdbEntry(home, Devices.Vxlan, mac) { Remote = end, State = NeighbourState.Permanent }, addressCause);
        foreach (var (range, cause) in ranges)
        {
            // The next hop is the remote end's own address in the tunnel, which nobody has to resolve.
            write.Add(new NeighbourEntry(home, Devices.Vxlan, range.First) { Mac = mac }, cause);
            write.Add(
                new RouteEntry(home, range)
                {
                    NextHops = [new NextHop(Devices.Vxlan, range.First) { OnLink = true }],
                    Metric = RemoteNodes.MetricOf(range.Family),
                },
                cause);
        }
    }
}
