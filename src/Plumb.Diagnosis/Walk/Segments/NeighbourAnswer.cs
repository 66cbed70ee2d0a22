using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary>Whether a host answers a question for an address: <c>arp_process</c>, and <c>ndisc_recv_ns</c>.</summary>
internal static class NeighbourAnswer
{
    public static bool Gives(Station at, IpAddress address, IpAddress asker)
    {
        var (space, device) = at;
        if (address.Family == IpFamily.V6)
        {
            return space.IsProxyFor(device, address) || space.Addresses.Any(own => own.Device == device && own.Address.Address == address);
        }
        // ip_route_input: the host must have a way for what it is asked for, and must believe in the asker.
        if (address.IsLoopback || asker.IsLoopback)
        {
            return false;
        }
        var route = RouteLookup.Find(space, new RouteQuestion(asker, address, 0, 0, device, null))[0];
        if (route.IsLocal)
        {
            return route.Type == RouteType.Local
                && (asker.IsUnspecified || SourceCheck.Objection(space, asker, address, device, 0) is null)
                && !Ignores(space, device, address, asker)
                && (space.OfDevice(IpFamily.V4, device, "arp_filter") == 0 || LeadsBackBy(space, asker, address, device));
        }
        return route.LeadsOn
            && route.Hop!.Device != device
            && space.OfDevice(IpFamily.V4, device, "forwarding") != 0
            && (space.OfDevice(IpFamily.V4, device, "proxy_arp") != 0 || space.IsProxyFor(device, address))
            && (asker.IsUnspecified || SourceCheck.Objection(space, asker, address, device, 0) is null);
    }

    // arp_ignore
    private static bool Ignores(Space space, string device, IpAddress address, IpAddress asker) => space.OfDevice(IpFamily.V4, device, "arp_ignore") switch
    {
        0 => false,
        1 => !space.Addresses.Any(own => own.Device == device && own.Address.Address == address),
        2 => !space.Addresses.Any(own => own.Device == device && own.Address.Address == address && own.Address.Contains(asker)),
        3 => !space.Addresses.Any(own => own.Address.Address == address && own.Scope is not (RouteScope.Host or RouteScope.Link)),
        8 => true,
        _ => false,
    };

    private static bool LeadsBackBy(Space space, IpAddress asker, IpAddress address, string device) =>
        RouteLookup.Find(space, new RouteQuestion(address, asker, 0, 0, null, null)).Any(way => way.Hop?.Device == device);
}
