using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary>One frame for all, followed over cables, through bridges and tunnels, to every host that hears it.</summary>
/// <param name="answerTo">Only where an answer to this address, to one station alone, finds the same way back; null: wherever.</param>
internal sealed class Broadcast(IWorld world, Segment segment, Uppers uppers, MacAddress? answerTo)
{
    private readonly HashSet<(NamespaceId, string, int?)> _seen = [];

    // What sent it, if that sits on another device: those beside it are particular about whom they hear.
    private (Station At, Station Below, LinkType.Stacked Type)? _sender;

    public List<Station> Found { get; } = [];

    /// <summary>It also goes where nobody sees from here.</summary>
    public bool LeavesSight { get; private set; }

    /// <param name="tag">The VLAN whose tag the frame bears.</param>
    public void Send(Space space, string device, int? tag = null)
    {
        if (space.Link(device) is not { } link || !space.Carries(device) || !_seen.Add((space.Id, device, tag)))
        {
            return;
        }
        switch (link.Type)
        {
            case LinkType.Veth { PeerNamespace: { } there, PeerName: { } name } when world.Find(there) is { } peer:
                Arrive(peer, name, tag);
                break;
            case LinkType.Bridge:
                Flood(space, device, null, tag);
                break;
            case LinkType.Vxlan vxlan:
                foreach (var entry in space.Fdb(device))
                {
                    if (entry is { Mac.IsZero: true, Remote: { } remote } && segment.FarEnd(space, link, vxlan, remote) is { } far)
                    {
                        Arrive(far.Space, far.Device, tag);
                    }
                }
                break;
            case LinkType.Stacked stacked when uppers.Below(stacked) is { } below:
                _sender ??= (new Station(space, device), below, stacked);
                Beside(new Station(space, device), below, stacked);
                Send(below.Space, below.Device, stacked is LinkType.Vlan vlan ? vlan.Id : tag);
                break;
            case LinkType.Loopback:
                break;
            default:
                LeavesSight = true;
                break;
        }
    }

    // Those on the same device whom a frame reaches without leaving it.
    private void Beside(Station sender, Station below, LinkType.Stacked type)
    {
        switch (type)
        {
            case LinkType.Macvlan { Mode: MacvlanMode.Bridge }:
                foreach (var other in uppers.On<LinkType.Macvlan>(below.Space, below.Device))
                {
                    if (other.At != sender && other.Type.Mode == MacvlanMode.Bridge)
                    {
                        Arrive(other.At.Space, other.At.Device, null);
                    }
                }
                break;
            case LinkType.Ipvlan { Mode: IpvlanMode.L2, Flags: IpvlanFlags.None }:
                foreach (var other in uppers.On<LinkType.Ipvlan>(below.Space, below.Device))
                {
                    if (other.At != sender)
                    {
                        Arrive(other.At.Space, other.At.Device, null);
                    }
                }
                break;
            default:
                break;
        }
    }

    private void Arrive(Space space, string device, int? tag)
    {
        if (space.Link(device) is not { Up: true } link)
        {
            return;
        }
        if (link.Master is { Length: > 0 } master && space.Link(master) is { Type: LinkType.Bridge } bridge)
        {
            if (bridge.Up == true && (answerTo is not { } asker || LeadsBack(space, link, asker)))
            {
                Hear(space, master, tag);
                Flood(space, master, link, tag);
            }
            return;
        }
        Hear(space, device, tag);
    }

    // The host hears it, and so do those whose devices sit on this one.
    private void Hear(Space space, string device, int? tag)
    {
        if (tag is { } id)
        {
            foreach (var upper in uppers.On<LinkType.Vlan>(space, device))
            {
                if (upper.Type.Id == id)
                {
                    Arrive(upper.At.Space, upper.At.Device, null);
                }
            }
            return;
        }
        var sender = _sender is { } from && from.Below == new Station(space, device) ? from.Type as LinkType.Macvlan : null;
        if (sender is { Mode: not (MacvlanMode.Bridge or MacvlanMode.Vepa) })
        {
            // Back to where it came from, and to nobody else.
            return;
        }
        Found.Add(new Station(space, device));
        if (Macvlan.IsHintedAt(space, device))
        {
            foreach (var upper in uppers.On<LinkType.Macvlan>(space, device))
            {
                if (Macvlan.Hears(upper.Type.Mode, sender?.Mode, isReflected: true) && upper.At != _sender?.At)
                {
                    Arrive(upper.At.Space, upper.At.Device, null);
                }
            }
        }
        if (space.MayCarryIpvlan)
        {
            foreach (var upper in uppers.On<LinkType.Ipvlan>(space, device))
            {
                if (upper.Type.Mode == IpvlanMode.L2)
                {
                    Arrive(upper.At.Space, upper.At.Device, null);
                }
            }
        }
    }

    private void Flood(Space space, string bridge, LinkEntry? from, int? tag)
    {
        foreach (var port in space.PortsOf(bridge))
        {
            if (BridgePorts.MayPass(from, port) && port.Port?.BroadcastFlood != false)
            {
                Send(space, port.Name, tag);
            }
        }
    }

    // The question has taught the bridge by which port its asker is, unless the port learns nothing: then it must be told, or flood.
    private static bool LeadsBack(Space space, LinkEntry port, MacAddress asker) =>
        port.Port?.Learning != false || port.Port.Flood != false || space.Fdb(port.Name).Any(entry => entry.Mac == asker && entry.Remote is null);
}
