using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Lab.Wire;

/// <summary>
/// What the lab's builder puts into the wire and its machines before any agent runs, as an administrator racks machines and plugs
/// cables. Pure. Its routes and neighbours carry protocol 113, its links an alias that begins with <c>plumb-lab:</c>.
/// </summary>
public static class WirePlan
{
    /// <summary>Name of every machine's device on the wire.</summary>
    public const string MachineDevice = "eth0";

    /// <summary>Name of the wire itself, a bridge.</summary>
    public const string WireDevice = "wire0";

    /// <summary>Below <c>/proc/sys</c>; there where br_netfilter is.</summary>
    public const string BridgeFilterDirectory = "net/bridge";

    public static NamespaceId WireId { get; } = new("wire");

    public static NamespaceId OutsideId { get; } = new("outside");

    /// <param name="number">From 1.</param>
    public static NamespaceId NodeId(int number) => new($"node-{number}");

    /// <param name="bridgeFilter">The kernel has br_netfilter.</param>
    public static DesiredState Of(WireAddresses addresses, bool bridgeFilter)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var state = new DesiredState();
        if (bridgeFilter)
        {
            LetBridgesBridge(state, addresses);
        }
        var wire = new LinkEntry(WireId, WireDevice, new LinkType.Bridge { SpanningTree = false, MulticastSnooping = false })
        {
            Mac = MacOf(addresses.Wire[0].Address),
            Up = true,
            NoAutomaticAddress = true,
        };
        state.Set(wire, new Stamp("plumb-lab: the wire between the machines"));
        state.Set(new LinkEntry(WireId, "lo", new LinkType.Loopback()) { Up = true });
        SetAddresses(state, WireId, WireDevice, addresses.Wire);
        var machines = Machines(addresses);
        foreach (var (id, own) in machines)
        {
            Connect(state, id, own, addresses.Wire);
            KnowAllOthers(state, id, machines);
        }
        return state;
    }

    // Where br_netfilter is loaded, bridges show the frames that they carry to the hooks of IP, in every namespace, unless told otherwise. The wire is no router; and
    // pods reach even their neighbours on a node by way of its address, so that every packet between them passes those hooks once anyway. Over VXLAN it costs a tenth.
    private static void LetBridgesBridge(DesiredState state, WireAddresses addresses)
    {
        for (var number = 0; number <= addresses.NodeCount; number++)
        {
            var id = number == 0 ? WireId : NodeId(number);
            foreach (var what in (string[])["iptables", "ip6tables"])
            {
                state.Set(new SysctlEntry(id, $"{BridgeFilterDirectory}/bridge-nf-call-{what}", "0"));
            }
        }
    }

    private static List<(NamespaceId Id, ValueList<IpPrefix> Addresses)> Machines(WireAddresses addresses)
    {
        var machines = new List<(NamespaceId, ValueList<IpPrefix>)>(addresses.NodeCount + 1);
        for (var number = 1; number <= addresses.NodeCount; number++)
        {
            machines.Add((NodeId(number), addresses.Node(number)));
        }
        machines.Add((OutsideId, addresses.Outside));
        return machines;
    }

    private static void Connect(DesiredState state, NamespaceId id, ValueList<IpPrefix> own, ValueList<IpPrefix> routers)
    {
        state.Set(
            new LinkEntry(WireId, id.Name, new LinkType.Veth(id, MachineDevice)) { Up = true, Master = WireDevice, NoAutomaticAddress = true },
            new Stamp($"plumb-lab: cable to {id}"));
        state.Set(
            new LinkEntry(id, MachineDevice, new LinkType.Veth(WireId, id.Name)) { Mac = MacOf(own[0].Address), Up = true, NoAutomaticAddress = true },
            new Stamp("plumb-lab: cable to the wire"));
        state.Set(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true });
        SetAddresses(state, id, MachineDevice, own);
        foreach (var router in routers)
        {
            state.Set(new RouteEntry(id, IpPrefix.Everything(router.Family))
            {
                Protocol = RouteProtocol.PlumbLab,
                NextHops = [new NextHop(MachineDevice, router.Address)],
                // What the kernel gives an IPv6 route without one (IP6_RT_PRIO_USER).
                Metric = router.Family == IpFamily.V4 ? 0u : 1024u,
            });
        }
    }

    // Everybody here has an address that nobody else has: to look for another holder would keep each IPv6 address unusable for a second.
    private static void SetAddresses(DesiredState state, NamespaceId id, string device, ValueList<IpPrefix> addresses)
    {
        foreach (var address in addresses)
        {
            state.Set(new AddressEntry(id, device, address) { NoDuplicateDetection = address.Family == IpFamily.V6 ? true : null });
        }
    }

    // The kernel's neighbour table has one limit for all namespaces (gc_thresh3, 1,024): 50 machines that all talk to one another
    // would go over it. Permanent entries do not count.
    private static void KnowAllOthers(DesiredState state, NamespaceId id, List<(NamespaceId Id, ValueList<IpPrefix> Addresses)> machines)
    {
        foreach (var (other, addresses) in machines)
        {
            if (other == id)
            {
                continue;
            }
            foreach (var address in addresses)
            {
                state.Set(new NeighbourEntry(id, MachineDevice, address.Address) { Mac = MacOf(addresses[0].Address), Protocol = RouteProtocol.PlumbLab });
            }
        }
    }

    // Locally administered, and told from pods' at a glance: 02:4c, then the last 32 bits of the machine's first address, in which no two on a wire are equal.
    private static MacAddress MacOf(IpAddress first) => MacAddress.FromIPv4(0x02, 0x4c, first);
}
