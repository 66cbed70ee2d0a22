using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Routing;

/// <summary>The address that a host sends from when nobody has chosen one.</summary>
internal static class SourceAddress
{
    /// <summary>Null: it has none of the family.</summary>
    public static IpAddress? For(Space space, RouteAnswer route, IpAddress destination)
    {
        if (route.Route?.PreferredSource is { } preferred)
        {
            return preferred;
        }
        if (route.IsLocal && destination.Family == IpFamily.V4)
        {
            // ip_route_output_key: what stays here is sent from the address that it goes to.
            return destination;
        }
        return destination.Family == IpFamily.V4
            ? OnDevice(space, route.Hop?.Device, route.NextAddress(destination), route.Route?.Scope ?? RouteScope.Universe)
            : TowardsV6(space, route.Hop?.Device, destination);
    }

    /// <summary><c>inet_select_addr</c>: the first address of the device whose network the next hop is in, else its first, else any other device's.</summary>
    public static IpAddress? OnDevice(Space space, string? device, IpAddress next, RouteScope scope)
    {
        IpAddress? first = null, elsewhere = null;
        foreach (var address in space.Addresses)
        {
            if (address.Address.Family != next.Family || address.Scope > scope && address.Scope != RouteScope.Universe)
            {
                continue;
            }
            if (address.Device != device)
            {
                elsewhere ??= address.Scope is RouteScope.Host or RouteScope.Link ? null : address.Address.Address;
                continue;
            }
            if (address.Address.Contains(next))
            {
                return address.Address.Address;
            }
            first ??= address.Address.Address;
        }
        return first ?? elsewhere;
    }

    /// <summary><c>ipv6_dev_get_saddr</c>, RFC 6724: the destination itself, the same scope, the device that it leaves by, then the longest common prefix.</summary>
    /// <param name="device">Null: none is preferred.</param>
    public static IpAddress? TowardsV6(Space space, string? device, IpAddress destination)
    {
        (IpAddress Address, int Worth)? best = null;
        foreach (var address in space.Addresses)
        {
            var own = address.Address.Address;
            if (own.Family != IpFamily.V6 || (own.IsLoopback && !destination.IsLoopback))
            {
                continue;
            }
            var worth = Math.Min(Common(own, destination), address.Address.Length)
                + (address.Device == device ? 256 : 0)
                + (own.IsLinkLocal == destination.IsLinkLocal ? 512 : 0)
                + (own == destination ? 1024 : 0);
            if (own.IsLinkLocal && address.Device != device)
            {
                continue;
            }
            if (best is null || worth > best.Value.Worth)
            {
                best = (own, worth);
            }
        }
        return best?.Address;
    }

    private static int Common(IpAddress one, IpAddress other)
    {
        var length = 0;
        while (length < 128 && new IpPrefix(one, length + 1).Contains(other))
        {
            length++;
        }
        return length;
    }
}
