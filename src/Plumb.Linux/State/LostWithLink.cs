using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.State;

/// <summary>
/// What a change of a link takes with it. Whatever hangs on a link goes when the link is made anew, and its neighbours go when its MAC
/// changes: they were observed, but will have to be made again.
/// </summary>
internal static class LostWithLink
{
    /// <summary>Whether the kernel can turn the one link into the other, or has to make it anew.</summary>
    public static bool IsChangedInPlace(LinkEntry want, LinkEntry was) =>
        (want.Type is LinkType.Bridge && was.Type is LinkType.Bridge) || want.Type.IsSatisfiedBy(was.Type);

    /// <summary>Appends the desired entries that the given changes of links will have taken away.</summary>
    public static void Append(DesiredState desired, ObservedState observed, List<DeltaItem> items)
    {
        Dictionary<(NamespaceId, string), bool>? lost = null; // true: everything; false: neighbours
        foreach (var item in items)
        {
            if (item is { Want.Entry: LinkEntry want, Was: LinkEntry was })
            {
                var anew = !IsChangedInPlace(want, was);
                if (anew || (want.Mac is { } mac && mac != was.Mac))
                {
                    (lost ??= [])[(want.Namespace, want.Name)] = anew;
                }
            }
        }
        if (lost is null)
        {
            return;
        }
        var changed = items.ConvertAll(static item => item.Key).ToHashSet();
        foreach (var (key, want) in desired.Entries)
        {
            if (!changed.Contains(key) && observed.Entries.ContainsKey(key) && IsLost(want.Entry, lost))
            {
                items.Add(new DeltaItem(want, null));
            }
        }
    }

    private static bool IsLost(Entry entry, Dictionary<(NamespaceId, string), bool> lost) =>
        HangsOn(entry, device => lost.TryGetValue((entry.Namespace, device), out var everything) && (everything || entry is NeighbourEntry));

    /// <summary>Whether the entry is about such a device: without the device it cannot be, and on another of that name it would be wrong.</summary>
    public static bool HangsOn(Entry entry, Predicate<string> device)
    {
        switch (entry)
        {
            case NeighbourEntry neighbour:
                return device(neighbour.Device);
            case AddressEntry address:
                return device(address.Device);
            case FdbEntry fdb:
                return device(fdb.Device);
            case LinkEntry { Type: LinkType.Vxlan { Device: { } lower } }:
                return device(lower);
            case QdiscEntry qdisc:
                return device(qdisc.Device);
            case FilterEntry filter:
                return device(filter.Device);
            case SysctlEntry sysctl:
                var words = sysctl.Path.Split('/'); // net/ipv4/conf/DEVICE/rp_filter
                return words.Length == 5 && device(words[3]);
            case RouteEntry route:
                foreach (var hop in route.NextHops)
                {
                    if (hop.Device is { } through && device(through))
                    {
                        return true;
                    }
                }
                return false;
            default:
                return false;
        }
    }
}
