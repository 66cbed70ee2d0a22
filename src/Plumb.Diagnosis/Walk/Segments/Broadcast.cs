using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary>One frame for all, followed over cables, through bridges and tunnels to every host that hears it.</summary>
internal sealed class Broadcast(IWorld world, Segment segment, MacAddress? answerTo, List<Station> found)
{
    private readonly HashSet<(NamespaceId, string)> _seen = [];

    public void Send(Space space, string device)
    {
        if (space.Link(device) is not { } link || !space.Carries(device) || !_seen.Add((space.Id, device)))
        {
            return;
        }
        switch (link.Type)
        {
            case LinkType.Veth { PeerNamespace: { } there, PeerName: { } name }:
                if (world.Find(there) is { } peer)
                {
                    Arrive(peer, name);
                }
                break;
            case LinkType.Bridge:
                Flood(space, device, null);
                break;
            case LinkType.Vxlan vxlan:
                foreach (var entry in space.Fdb(device))
                {
                    if (entry is { Mac.IsZero: true, Remote: { } remote } && segment.FarEnd(space, link, vxlan, remote) is { } far)
                    {
                        Arrive(far.Space, far.Device);
                    }
                }
                break;
            default:
                break;
        }
    }

    private void Arrive(Space space, string device)
    {
        if (space.Link(device) is not { Up: true } link)
        {
            return;
        }
        if (link.Master is { Length: > 0 } master && space.Link(master) is { Type: LinkType.Bridge } bridge)
        {
            if (bridge.Up == true && (answerTo is not { } asker || LeadsBack(space, link, asker)))
            {
                found.Add(new Station(space, master));
                Flood(space, master, link);
            }
            return;
        }
        found.Add(new Station(space, device));
    }

    private void Flood(Space space, string bridge, LinkEntry? from)
    {
        foreach (var port in space.PortsOf(bridge))
        {
            if (BridgePorts.MayPass(from, port) && port.Port?.BroadcastFlood != false)
            {
                Send(space, port.Name);
            }
        }
    }

    // The question has taught the bridge by which port its asker is, unless the port learns nothing: then it must be told, or flood.
    private static bool LeadsBack(Space space, LinkEntry port, MacAddress asker) =>
        port.Port?.Learning != false || port.Port.Flood != false || space.Fdb(port.Name).Any(entry => entry.Mac == asker && entry.Remote is null);
}
