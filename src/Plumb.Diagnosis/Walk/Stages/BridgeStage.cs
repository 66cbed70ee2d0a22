using Plumb.Diagnosis.Walk.Segments;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary><c>br_handle_frame_finish</c>, <c>br_forward</c>, <c>br_flood</c>: up to the host, out by the port that the address is behind, or by all.</summary>
internal sealed class BridgeStage : IStage
{
    public Stage Stage => Stage.Bridge;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var space = traveller.Space;
        var port = traveller.Port is { } name ? space.Link(name) : null;
        var bridge = space.Link(port?.Master ?? traveller.Out!);
        if (bridge?.Up != true)
        {
            return [traveller.Drop($"the bridge {bridge?.Name} is down", bridge, bridge?.Name)];
        }
        if (traveller.Tag is not null && bridge.Type is LinkType.Bridge { VlanFiltering: true })
        {
            return [traveller.End(Ending.Undecided, $"{bridge.Name} looks at tags of VLANs, which is not followed", traveller.Note("VLAN filtering", bridge, bridge.Name))];
        }
        // What bears a tag is shown to no rules (bridge-nf-filter-vlan-tagged).
        if (port is not null && !traveller.IsShown && traveller.Tag is null && BridgeFilter.IsOn(traveller))
        {
            return BridgeFilter.Enter(traveller with { CameBy = port.Name }, around, bridge);
        }
        var to = traveller.FrameDestination;
        if (port is not null && IsOwn(space, bridge, to))
        {
            // What sits on the bridge takes it first. ip_sabotage_in: what was shown already does not meet those hooks again.
            var next = traveller.Tag is not null || Station.TakesForAnother(space, bridge.Name, to) ? Stage.Receive : traveller.IsShown ? Stage.Route : Stage.Prerouting;
            return [(traveller with { In = bridge.Name, Port = null, IsShown = false }).Go(next, traveller.Note($"{port.Name} → {bridge.Name}", port, port.Name))];
        }
        if (to.IsMulticast)
        {
            return [traveller.End(Ending.Undecided, "a frame for many: only frames to one station are followed", traveller.Note("multicast", bridge, bridge.Name))];
        }
        if (Known(space, bridge.Name, to) is { } entry)
        {
            return Out(traveller, bridge, port, space.Link(entry.Device)!, entry);
        }
        // A copy leaves by every port; the one behind which somebody takes it counts.
        var ports = space.PortsOf(bridge.Name).Where(other => BridgePorts.MayPass(port, other) && Floods(other, traveller)).ToList();
        return ports.Find(other => around.Segment.Leads(space, other.Name, to)) is { } leading
            ? Out(traveller, bridge, port, leading, null)
            : Closed(traveller, around, bridge, to) is { } closed
            ? [traveller.Drop($"{to} is behind {closed.Name}, which {(closed.Up == true ? "has no carrier" : "is down")}", closed, closed.Name)]
            : ports.Find(other => around.Segment.LeavesSight(space, other.Name)) is { } outward
            ? Out(traveller, bridge, port, outward, null)
            : [traveller.Drop($"{bridge.Name} does not know where {to} is, and no port that it would flood leads there", bridge, bridge.Name)];
    }

    // The port at whose other end the station would be, did it pass frames.
    private static LinkEntry? Closed(Traveller traveller, Surroundings around, LinkEntry bridge, MacAddress to) =>
        traveller.Space.PortsOf(bridge.Name).FirstOrDefault(port => !traveller.Space.Carries(port.Name)
            && port.Type is LinkType.Veth { PeerNamespace: { } there, PeerName: { } name } && around.World.Find(there)?.Link(name)?.Mac == to);

    // An answer to a question that was asked just before has taught the bridge.
    private static bool Floods(LinkEntry port, Traveller traveller) => port.Port?.Flood != false || (traveller.WasAsked && port.Port?.Learning != false);

    private static bool IsOwn(Worlds.Space space, LinkEntry bridge, MacAddress mac) =>
        bridge.Mac == mac || space.PortsOf(bridge.Name).Any(port => port.Mac == mac) || Station.TakesForAnother(space, bridge.Name, mac);

    private static FdbEntry? Known(Worlds.Space space, string bridge, MacAddress mac)
    {
        foreach (var port in space.PortsOf(bridge))
        {
            foreach (var entry in space.Fdb(port.Name))
            {
                if (entry.Mac == mac && entry.Remote is null && (entry.OfMaster || (entry.State & NeighbourState.Permanent) == 0))
                {
                    return entry;
                }
            }
        }
        return null;
    }

    private static IEnumerable<Step> Out(Traveller traveller, LinkEntry bridge, LinkEntry? from, LinkEntry to, FdbEntry? entry)
    {
        if (BridgePorts.Objection(from, to) is { } objection)
        {
            return [traveller.Drop(objection, to, to.Name)];
        }
        return traveller.IsShown
            ? BridgeFilter.Leave(traveller, bridge, to, passed => Send(passed with { IsShown = false }, bridge, from, to, entry))
            : [Send(traveller, bridge, from, to, entry)];
    }

    private static Step Send(Traveller traveller, LinkEntry bridge, LinkEntry? from, LinkEntry to, FdbEntry? entry)
    {
        var length = traveller.Packet.LengthOnLink;
        if (to.MtuBytes is { } mtu && length > mtu + TransmitStage.VlanBytes)
        {
            return traveller.Drop($"{length} bytes do not fit the MTU of {mtu} of the port {to.Name}: the bridge drops it without a word", to, to.Name);
        }
        var hop = traveller.Note($"{(from is null ? bridge.Name : $"{from.Name} → {bridge.Name}")} → {to.Name}{(entry is null ? " (flooded)" : "")}", entry ?? (Entry)to, to.Name);
        return new Step.On((traveller with { Out = to.Name }).To(Stage.Transmit, hop));
    }
}
