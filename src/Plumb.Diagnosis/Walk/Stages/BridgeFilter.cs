using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>
/// <c>br_netfilter</c>: where it is on, the IP packets in frames that a bridge passes on meet the hooks of IP as if this host routed them, with the
/// bridge for both devices; and what is too long for the bridge is cut. Frames for the host itself meet those hooks anyway, once.
/// </summary>
internal static class BridgeFilter
{
    public static bool IsOn(Traveller traveller) =>
        traveller.Space.IsOn(traveller.IsV4 ? "net/bridge/bridge-nf-call-iptables" : "net/bridge/bridge-nf-call-ip6tables");

    /// <summary><c>br_nf_pre_routing</c>. A destination that rules have changed is looked for anew: on the bridge, or by the host.</summary>
    public static IEnumerable<Step> Enter(Traveller traveller, Surroundings around, LinkEntry bridge)
    {
        var before = traveller.Packet.Destination;
        return Hooks.Pass(
            traveller with { In = bridge.Name, IsShown = true },
            ChainHook.Prerouting,
            passed => passed.Packet.Destination == before ? (passed with { In = null }).Go(Stage.Bridge) : Redirect(passed, around, bridge));
    }

    /// <summary><c>br_nf_forward</c>, <c>br_nf_post_routing</c> and <c>br_nf_dev_queue_xmit</c>.</summary>
    /// <param name="port">By which it leaves.</param>
    /// <param name="go">What comes after for those that pass.</param>
    public static IEnumerable<Step> Leave(Traveller traveller, LinkEntry bridge, LinkEntry port, Func<Traveller, Step> go)
    {
        var both = traveller with { In = bridge.Name, Out = bridge.Name, LeavesBy = port.Name };
        foreach (var step in Hooks.Pass(both, ChainHook.Forward, static passed => new Step.On(passed)))
        {
            if (step is not Step.On { Traveller: var passed })
            {
                yield return step;
                continue;
            }
            foreach (var later in Hooks.Pass(passed, ChainHook.Postrouting, last => Fit(last with { In = null, LeavesBy = null }, bridge, port, go)))
            {
                yield return later;
            }
        }
    }

    // br_nf_pre_routing_finish
    private static Step Redirect(Traveller traveller, Surroundings around, LinkEntry bridge)
    {
        var (space, packet) = (traveller.Space, traveller.Packet);
        var way = RouteLookup.Find(space, new RouteQuestion(packet.Source, packet.Destination, packet.Mark, packet.TrafficClass, bridge.Name, null))[0];
        if (!way.LeadsOn || way.Hop!.Device != bridge.Name || !RouteStage.Forwards(traveller, bridge.Name, out _))
        {
            return (traveller with { Port = null, IsShown = false }).Go(Stage.Route);
        }
        var next = way.NextAddress(packet.Destination);
        var asker = SourceAddress.OnDevice(space, bridge.Name, next, RouteScope.Link) ?? IpAddress.Unspecified(next.Family);
        var mac = space.Neighbour(bridge.Name, next)?.Mac ?? around.Segment.AnswerersFor(space, bridge.Name, next, asker).Select(static one => (MacAddress?)one.Mac).FirstOrDefault();
        return mac is { } found
            ? (traveller with { In = null, FrameDestination = found }).Go(Stage.Bridge, traveller.Note($"stays on {bridge.Name}: {next} is at {found}", way.Decider, bridge.Name))
            : traveller.Drop($"nobody on {bridge.Name} answers for {next}, where rules sent it", way.Decider, bridge.Name, Answers.Error(packet, Answers.HostUnreachable(packet.Family)));
    }

    // The host cuts what it passes on, as a router would; what must not be cut is dropped, and nobody is told (br_nf_ip_fragment).
    // What is too long is told by the port, and how long the pieces are by the bridge.
    private static Step Fit(Traveller traveller, LinkEntry bridge, LinkEntry port, Func<Traveller, Step> go)
    {
        var packet = traveller.Packet;
        if (port.MtuBytes is not { } most || packet.LengthOnLink <= most || bridge.MtuBytes is not { } mtu)
        {
            return go(traveller);
        }
        if (packet.DontFragment)
        {
            return traveller.Drop($"{packet.LengthOnLink} bytes do not fit the MTU of {most} of the port {port.Name}, and it must not be cut: the bridge drops it without a word", port, port.Name);
        }
        var cut = packet with { FragmentLength = mtu };
        return go((traveller with { Packet = cut }).To(Stage.Bridge, traveller.Note($"{bridge.Name} cuts it into fragments of at most {mtu} bytes (br_netfilter)", bridge, bridge.Name) with { After = cut }));
    }
}
