using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>Finds the node's device on the wire in what its kernel holds.</summary>
public static class UnderlayReading
{
    /// <summary>
    /// The device that carries the node's address; where that is not told, the one with the default route. Null when there is
    /// none (yet).
    /// </summary>
    /// <param name="addresses">The node's, as the cluster knows them; may be empty.</param>
    public static Underlay? Find(ObservedState observed, NamespaceId node, IReadOnlyList<IpAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(addresses);
        var device = DeviceWith(observed, node, addresses) ?? (addresses.Count == 0 ? DeviceOfDefaultRoute(observed, node) : null);
        if (device is null
            || observed.Entries.GetValueOrDefault(new EntryKey(node, EntryKind.Link, device))?.Entry is not LinkEntry { MtuBytes: { } mtuBytes } link)
        {
            return null;
        }
        var own = new List<IpPrefix>(2);
        foreach (var family in new[] { IpFamily.V4, IpFamily.V6 })
        {
            if (OwnAddress(observed, node, device, family, addresses) is { } address)
            {
                own.Add(address);
            }
        }
        return own.Count == 0 ? null : new Underlay(device, link.Mac ?? default, mtuBytes, [.. own], Routers(observed, node, device));
    }

    private static string? DeviceWith(ObservedState observed, NamespaceId node, IReadOnlyList<IpAddress> addresses)
    {
        foreach (var address in addresses)
        {
            foreach (var held in Of<AddressEntry>(observed, node))
            {
                if (held.Address.Address == address)
                {
                    return held.Device;
                }
            }
        }
        return null;
    }

    private static string? DeviceOfDefaultRoute(ObservedState observed, NamespaceId node)
    {
        RouteEntry? best = null;
        foreach (var route in Of<RouteEntry>(observed, node))
        {
            if (IsDefault(route) && (best is null || Compare(route, best) < 0))
            {
                best = route;
            }
        }
        return best?.NextHops[0].Device;
    }

    private static int Compare(RouteEntry left, RouteEntry right)
    {
        var byFamily = left.Destination.Family.CompareTo(right.Destination.Family);
        return byFamily != 0 ? byFamily : left.Metric.CompareTo(right.Metric);
    }

    private static IpPrefix? OwnAddress(ObservedState observed, NamespaceId node, string device, IpFamily family, IReadOnlyList<IpAddress> preferred)
    {
        IpPrefix? first = null;
        foreach (var held in Of<AddressEntry>(observed, node))
        {
            if (held.Device != device || held.Address.Family != family || held.Address.Address.IsLinkLocal)
            {
                continue;
            }
            if (preferred.Contains(held.Address.Address))
            {
                return held.Address;
            }
            if (first is not { } other || held.Address.CompareTo(other) < 0)
            {
                first = held.Address;
            }
        }
        return first;
    }

    private static ValueList<IpAddress> Routers(ObservedState observed, NamespaceId node, string device)
    {
        var routers = new SortedDictionary<IpFamily, (uint Metric, IpAddress Gateway)>();
        foreach (var route in Of<RouteEntry>(observed, node))
        {
            if (IsDefault(route)
                && route.NextHops[0] is { Gateway: { } gateway } hop
                && hop.Device == device
                && (!routers.TryGetValue(route.Destination.Family, out var other) || route.Metric < other.Metric))
            {
                routers[route.Destination.Family] = (route.Metric, gateway);
            }
        }
        return [.. routers.Values.Select(static router => router.Gateway)];
    }

    private static bool IsDefault(RouteEntry route) =>
        route.Destination.Length == 0 && route.Table == RouteTable.Main && route.Type == RouteType.Unicast && route.NextHops.Count == 1;

    private static IEnumerable<T> Of<T>(ObservedState observed, NamespaceId node) where T : Entry
    {
        foreach (var entry in observed.Entries.Values)
        {
            if (entry.Entry is T typed && typed.Namespace == node)
            {
                yield return typed;
            }
        }
    }
}
