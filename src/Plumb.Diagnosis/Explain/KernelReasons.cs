using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Explain;

/// <summary>
/// Why the kernel itself holds an entry. Each reason is checked against the rest of the namespace: a connected route whose
/// address is gone has none.
/// </summary>
internal sealed class KernelReasons
{
    // A device without IFLA_INFO_KIND: its driver has made it, and nobody by netlink.
    private const string Hardware = "device";

    // net/ipv4/ip_tunnel.c and its like: a module's first device in each namespace, made when the module is there.
    private static readonly HashSet<string> FallbackDevices =
        ["dummy0", "ifb0", "ifb1", "bond0", "teql0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];

    private readonly Dictionary<(NamespaceId, string), LinkEntry> _links = [];
    private readonly List<AddressEntry> _addresses = [];

    public KernelReasons(ObservedState observed)
    {
        foreach (var (_, holds) in observed.Entries)
        {
            switch (holds.Entry)
            {
                case LinkEntry link:
                    _links[(link.Namespace, link.Name)] = link;
                    break;
                case AddressEntry address:
                    _addresses.Add(address);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>What <see cref="Ownership"/> cannot know from a mark: the kernel leaves none on these.</summary>
    public static bool IsKernels(Entry entry) => entry switch
    {
        LinkEntry link => FallbackDevices.Contains(link.Name) || link.Type.KindName == Hardware,
        RuleEntry rule => OfRule(rule) is not null,
        _ => false,
    };

    /// <summary>Null: there is no reason that holds.</summary>
    public string? Of(Entry entry) => entry switch
    {
        LinkEntry { Type: LinkType.Loopback } => "every namespace is born with a loopback",
        LinkEntry link when FallbackDevices.Contains(link.Name) => "a module's first device, there since the module is",
        LinkEntry { Type.KindName: Hardware } => "a network card",
        AddressEntry address => OfAddress(address),
        RouteEntry route => OfRoute(route),
        RuleEntry rule => OfRule(rule),
        NeighbourEntry neighbour => OfNeighbour(neighbour),
        FdbEntry fdb => OfFdb(fdb),
        IptablesChainEntry { IsBuiltIn: true } chain => $"a built-in chain of iptables' table {chain.Table.Name}",
        ElementEntry element => $"packets put it into {element.Set.Name}",
        _ => null,
    };

    private static string? OfAddress(AddressEntry address)
    {
        var ip = address.Address.Address;
        return ip.IsLoopback ? "loopback's own address, there since it is up"
            : ip.IsLinkLocal ? $"link-local address that {address.Device} got when it came up"
            : null;
    }

    private string? OfRoute(RouteEntry route)
    {
        var device = route.NextHops.Count == 1 ? route.NextHops[0].Device : null;
        if (route.Protocol == RouteProtocol.RouterAdvertisement)
        {
            return $"a router on {device} advertised it";
        }
        if (route.Destination.Family == IpFamily.V6 && route.Destination.Address.IsMulticast)
        {
            return $"IPv6 multicast leaves by {device}, which is up";
        }
        foreach (var address in _addresses)
        {
            if (address.Namespace == route.Namespace && address.Address.Family == route.Destination.Family && Follows(route, device, address) is { } why)
            {
                return why;
            }
        }
        return null;
    }

    // fib_add_ifaddr, addrconf: what an address brings with it.
    private static string? Follows(RouteEntry route, string? device, AddressEntry address)
    {
        var (destination, own) = (route.Destination, address.Address);
        // The local table of IPv6 names the device itself, that of an address on a dead device lo.
        if (device is not null && address.Device != device && device != "lo")
        {
            return null;
        }
        return route.Type switch
        {
            RouteType.Local when destination == IpPrefix.Host(own.Address) => $"{own.Address} is an address of {address.Device}: delivered here",
            RouteType.Local when own.Address.IsLoopback && destination == own.Network => "all of the loopback network is delivered here",
            RouteType.Broadcast when destination.IsHost && (destination.Address == own.Last || destination.Address == own.First) =>
                $"broadcast address of {own.Network} on {address.Device}",
            RouteType.Anycast when destination.IsHost && destination.Address == own.First => $"subnet-router anycast address of {own.Network} (RFC 4291)",
            RouteType.Unicast when destination == own.Network => $"connected: {own} is an address of {address.Device}",
            _ => null,
        };
    }

    // fib_default_rules_init
    private static string? OfRule(RuleEntry rule) =>
        rule is { Source: null, Destination: null, Mark: null, Action: RuleAction.ToTable }
        && ((rule.Priority == 0 && rule.Table == RouteTable.Local)
        || (rule.Priority == 32766 && rule.Table == RouteTable.Main)
        || (rule.Priority == 32767 && rule.Table == RouteTable.Default))
            ? "a rule that every namespace is born with"
            : null;

    private string? OfNeighbour(NeighbourEntry neighbour)
    {
        if (!_links.ContainsKey((neighbour.Namespace, neighbour.Device)))
        {
            return null;
        }
        return neighbour.State.HasFlag(NeighbourState.NoArp)
            ? "a group or loopback address: its hardware address is computed, nobody is asked"
            : neighbour.State.HasFlag(NeighbourState.Failed)
                ? $"asked for on {neighbour.Device}, and nobody answered"
                : $"asked for on {neighbour.Device} when a packet was sent there";
    }

    private string? OfFdb(FdbEntry entry)
    {
        if (entry.Mac.IsMulticast)
        {
            return $"{entry.Device} listens to this group";
        }
        if (!entry.State.HasFlag(NeighbourState.Permanent))
        {
            return $"learned from a frame that came in by {entry.Device}";
        }
        if (!_links.TryGetValue((entry.Namespace, entry.Device), out var link))
        {
            return null;
        }
        if (link.Mac == entry.Mac)
        {
            return $"{entry.Device}'s own address";
        }
        return link.Master is { Length: > 0 } master && _links.TryGetValue((entry.Namespace, master), out var bridge) && bridge.Mac == entry.Mac
            ? $"the address of the bridge {master}"
            : null;
    }
}
