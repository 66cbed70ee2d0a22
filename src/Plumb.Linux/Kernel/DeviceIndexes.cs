using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.Kernel;

/// <summary>
/// The ifindexes of the devices that changes name, asked of the kernel just before they are used: what was observed a moment ago may
/// have been made anew.
/// </summary>
internal sealed class DeviceIndexes(KernelNamespace kernel)
{
    private readonly Dictionary<string, int> _indexes = [];

    /// <param name="lowerDevices">Only those that new links stand on, not the links themselves.</param>
    public void Resolve(List<DeltaItem> items, Func<DeltaItem, Entry> entryOf, bool lowerDevices = false)
    {
        var names = new List<string>();
        var seen = new HashSet<string>();
        foreach (var item in items)
        {
            foreach (var name in Named(entryOf(item), lowerDevices))
            {
                if (seen.Add(name))
                {
                    names.Add(name);
                }
            }
        }
        if (names.Count == 0)
        {
            return;
        }
        using var request = new NetlinkWriter(names.Count * 48);
        foreach (var name in names)
        {
            LinkMessage.EmitGet(request, name);
        }
        kernel.Route.TryExecute(request, (message, index) => _indexes[names[index]] = LinkMessage.Parse(message.Payload).Index);
    }

    public int? Find(string name) => _indexes.TryGetValue(name, out var index) ? index : null;

    public int Get(string name) => _indexes[name];

    public bool KnowsAllOf(Entry entry) => MissingOf(entry) is null;

    /// <summary>The first device that the entry names and that is not there.</summary>
    public string? MissingOf(Entry entry)
    {
        foreach (var name in Named(entry, lowerDevices: false))
        {
            if (!_indexes.ContainsKey(name))
            {
                return name;
            }
        }
        return null;
    }

    private static IEnumerable<string> Named(Entry entry, bool lowerDevices) => entry switch
    {
        LinkEntry { Type: LinkType.Vxlan { Device: { } device } } when lowerDevices => [device],
        LinkEntry when lowerDevices => [],
        LinkEntry { Master: { Length: > 0 } master } link => [link.Name, master],
        LinkEntry link => [link.Name],
        AddressEntry address => [address.Device],
        NeighbourEntry neighbour => [neighbour.Device],
        FdbEntry fdb => [fdb.Device],
        RouteEntry route => Hops(route),
        QdiscEntry qdisc => [qdisc.Device],
        FilterEntry filter => filter.Devices,
        _ => [],
    };

    private static IEnumerable<string> Hops(RouteEntry route)
    {
        for (var i = 0; i < route.NextHops.Count; i++)
        {
            if (route.NextHops[i].Device is { } device)
            {
                yield return device;
            }
        }
    }
}
