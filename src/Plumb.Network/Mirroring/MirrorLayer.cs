using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Overlay;

namespace Plumb.Network.Mirroring;

/// <summary>
/// Copies of pods' packets for another node: filters at the node's end of the pod's cable send each into a VXLAN tunnel (RFC 7348) that has one end on each
/// of the two nodes and no other purpose.
/// </summary>
/// <remarks>
/// A copy cannot be copied again: filters stand on pods' cables alone, and the tunnel's packets go between the nodes' own addresses. Nor does the node that
/// receives copies take them for packets of its own: see <see cref="PlanTunnel"/>.
/// </remarks>
public sealed class MirrorLayer : ILayer
{
    /// <summary>IANA's for VXLAN.</summary>
    private const int Port = 4789;

    /// <summary>Preference of the first mirror's filters. u32 keeps what two sides of a device hold under one preference together, so each side has its own.</summary>
    private const int FirstPreference = 112;

    public string Name => "mirror";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        if (change.Subject.Kind == SubjectKind.Mirror)
        {
            return [new PlanKey(Name, change.Subject)];
        }
        // There are hardly ever any.
        var kind = change.Subject.Kind;
        return kind == SubjectKind.Node || kind == SubjectKind.Machine || kind == SubjectKind.Sandbox
            ? after.Node.Mirrors.Values.Select(mirror => new PlanKey(Name, mirror.Subject))
            : [];
    }

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        var mirror = node.Mirrors.Values.FirstOrDefault(mirror => mirror.Subject == key.Subject);
        if (mirror is null || node.Underlay is not { } wire || wire.AddressOf(PathMtu.TunnelFamily(wire)) is not { } own)
        {
            return;
        }
        var cause = mirror.Origin;
        if (mirror.Source is not { } source)
        {
            PlanTunnel(mirror, node, wire, own.Address, cause, write);
            return;
        }
        if (cluster.Node(mirror.Peer)?.AddressOf(own.Address.Family) is not { } remote)
        {
            write.Refuse($"{mirror.Peer} has no {(own.Address.Family == IpFamily.V4 ? "IPv4" : "IPv6")} address that a tunnel could end at", cause);
            return;
        }
        if (node.Sandbox(source) is not { } sandbox)
        {
            write.Refuse($"{mirror.Pod} is not on this node any more", cause);
            return;
        }
        PlanTunnel(mirror, node, wire, own.Address, cause, write);
        write.Add(new FdbEntry(node.Namespace, mirror.Device, default) { Remote = remote, State = NeighbourState.Permanent }, cause);
        PlanFilters(mirror, node.Namespace, sandbox.NodeEnd, cause, write);
    }

    private static void PlanTunnel(Mirror mirror, NodeFacts node, Underlay wire, IpAddress own, Origin cause, IPlanWriter write)
    {
        var (home, device) = (node.Namespace, mirror.Device);
        write.Add(
            new LinkEntry(home, device, new LinkType.Vxlan(mirror.Vni)
            {
                Port = Port,
                Local = own,
                Device = wire.Device,
                Learning = false,
                // What a pod gives its cable in one piece of 64 KB arrives as the packets that a wire would have seen, and each is counted.
                GsoMaxSegments = 1,
            })
            {
                // Too little for IPv6 (RFC 8200 section 5), so that the node's own never sees a frame of these: a router's advertisement, say. The tunnel carries longer ones
                // all the same, since nobody routes into it.
                MtuBytes = PathMtu.SmallestIPv6Bytes - 1,
                Up = true,
            },
            cause);
        // Frames to one station are somebody else's here; those to all are not answered, and believed only from where their sender lives.
        write.Add(new SysctlEntry(home, $"net/ipv4/conf/{device}/arp_ignore", "8"), cause);
        write.Add(new SysctlEntry(home, $"net/ipv4/conf/{device}/rp_filter", "1"), cause);
    }

    // At the node's end of the cable, because a tunnel to another node has to stand in the node's namespace and a filter sends only to devices of its own. What the pod sends comes in there.
    private static void PlanFilters(Mirror mirror, NamespaceId home, string cable, Origin cause, IPlanWriter write)
    {
        write.Add(QdiscEntry.OfFilters(home, cable), cause);
        foreach (var (hook, direction) in (ReadOnlySpan<(TrafficHook, MirrorDirection)>)[(TrafficHook.Ingress, MirrorDirection.Egress), (TrafficHook.Egress, MirrorDirection.Ingress)])
        {
            if (mirror.Direction != direction && mirror.Direction != MirrorDirection.Both)
            {
                continue;
            }
            // Continue: others' filters and other mirrors come after.
            var copy = new FilterAction.Mirred(MirredTo.EgressMirror, mirror.Device, FilterVerdict.Continue) { Cookie = ActionCookie.Plumb };
            write.Add(
                new FilterEntry(home, cable, hook, (ushort)(FirstPreference + (2 * mirror.Number) + (hook == TrafficHook.Egress ? 1 : 0))) { Rules = [new FilterRule([], [copy])] },
                cause);
        }
    }
}
