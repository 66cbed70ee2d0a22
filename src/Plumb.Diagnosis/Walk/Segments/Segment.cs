using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary>A device at which frames of a segment come up to a host.</summary>
internal readonly record struct Station(Space Space, string Device);

/// <summary>
/// Who is on the same link: cables, bridges and tunnels between hosts, without any router. Answers what a question to all (ARP, NDP) would find,
/// and where a frame that a bridge floods would arrive.
/// </summary>
internal sealed class Segment(IWorld world)
{
    // A tunnel's far end may be behind routers.
    private const int MostRouters = 8;

    /// <summary>Where a broadcast that a device sends comes up.</summary>
    /// <param name="answerTo">Only where an answer to this address, to one station alone, finds the same way back; null: wherever.</param>
    public IReadOnlyList<Station> HeardFrom(Space space, string device, MacAddress? answerTo = null)
    {
        var found = new List<Station>();
        new Broadcast(world, this, answerTo, found).Send(space, device);
        return found;
    }

    /// <summary>As above, for a frame that a bridge sends out by one of its ports.</summary>
    public bool Leads(Space space, string port, MacAddress to)
    {
        foreach (var station in HeardFrom(space, port))
        {
            if (station.Space.Link(station.Device)?.Mac == to)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Who answers for an address on a device's link, and with which hardware address.</summary>
    /// <param name="asker">The address in whose name is asked.</param>
    public IReadOnlyList<(Station Station, MacAddress Mac)> AnswerersFor(Space space, string device, IpAddress address, IpAddress asker)
    {
        var found = new List<(Station, MacAddress)>();
        foreach (var station in HeardFrom(space, device, space.Link(device)?.Mac))
        {
            if (station.Space.Link(station.Device)?.Mac is { } mac
                && NeighbourAnswer.Gives(station, address, asker)
                && (!IsTunnel(space, device) || HeardFrom(station.Space, station.Device).Contains(new Station(space, device))))
            {
                found.Add((station, mac));
            }
        }
        return found;
    }

    // A cable leads back as it leads there; a tunnel has a way of its own in each direction.
    private static bool IsTunnel(Space space, string device) => space.Link(device)?.Type is LinkType.Vxlan;

    /// <summary>The tunnel device that takes what is sent to a remote end; null: none can be seen.</summary>
    public Station? FarEnd(Space space, LinkType.Vxlan vxlan, IpAddress remote)
    {
        if (HostOf(space, remote, vxlan.Device) is not { } host)
        {
            return null;
        }
        foreach (var link in host.Links)
        {
            if (link is { Up: true, Type: LinkType.Vxlan other } && other.Vni == vxlan.Vni && other.Port == vxlan.Port)
            {
                return new Station(host, link.Name);
            }
        }
        return null;
    }

    private Space? HostOf(Space space, IpAddress address, string? device)
    {
        for (var routers = 0; routers < MostRouters; routers++)
        {
            var route = RouteLookup.Find(space, new RouteQuestion(IpAddress.Unspecified(address.Family), address, 0, 0, null, device))[0];
            if (route.IsLocal)
            {
                return space;
            }
            if (!route.LeadsOn || route.Hop!.Device is not { } by)
            {
                return null;
            }
            var next = route.NextAddress(address);
            var asker = SourceAddress.For(space, route, address) ?? IpAddress.Unspecified(address.Family);
            var mac = space.Neighbour(by, next)?.Mac;
            var station = HeardFrom(space, by).Select(static one => (Station?)one).FirstOrDefault(one =>
                mac is { } known ? one!.Value.Space.Link(one.Value.Device)?.Mac == known : NeighbourAnswer.Gives(one!.Value, next, asker));
            if (station is null)
            {
                return null;
            }
            (space, device) = (station.Value.Space, null);
        }
        return null;
    }
}
