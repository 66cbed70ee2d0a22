using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>A route (<c>ip route show table all</c>). Its key is what the kernel refuses a second time: table, destination, TOS and metric.</summary>
public sealed record RouteEntry(NamespaceId Namespace, IpPrefix Destination) : Entry(Namespace)
{
    public RouteTable Table { get; init; } = RouteTable.Main;

    public RouteType Type { get; init; } = RouteType.Unicast;

    /// <summary>RTA_PRIORITY; lower wins. The kernel turns an IPv6 route's 0 into 1024, and so does whoever states one.</summary>
    public uint Metric { get; init; }

    /// <summary>The three TOS bits and a half that routing looks at (rtm_tos); 0: any.</summary>
    public byte Tos { get; init; }

    /// <summary>Who put it there (rtm_protocol).</summary>
    public RouteProtocol Protocol { get; init; } = RouteProtocol.Plumb;

    public RouteScope Scope { get; init; } = RouteScope.Universe;

    /// <summary>The source address that the node itself prefers on this route (RTA_PREFSRC).</summary>
    public IpAddress? PreferredSource { get; init; }

    /// <summary>RTAX_MTU in bytes.</summary>
    public int? MtuBytes { get; init; }

    /// <summary>Where packets go: none for blackholes and their like, one as a rule, several for multipath.</summary>
    public ValueList<NextHop> NextHops { get; init; }

    /// <summary>Whether it leads to a router, which the kernel must have a way to when the route is made.</summary>
    [JsonIgnore]
    public bool NeedsWayToGateway
    {
        get
        {
            foreach (var hop in NextHops)
            {
                if (hop is { Gateway: not null, OnLink: false })
                {
                    return true;
                }
            }
            return false;
        }
    }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Route;

    protected override string NaturalKey() =>
        $"{(Destination.Length == 0 ? (Destination.Family == IpFamily.V4 ? "default" : "default6") : Destination)} table {Table}"
        + (Tos == 0 ? "" : $" tos 0x{Tos:x2}")
        + $" metric {Metric}";

    public override string Print() => EntryText.Print(this);
}

/// <summary>One way that a route may take.</summary>
/// <param name="Device">Name of the device; null: the kernel finds it by the gateway.</param>
/// <param name="Gateway">The next router; null: the destination is on the link.</param>
public sealed record NextHop(string? Device, IpAddress? Gateway)
{
    /// <summary>Share among several, 1–256 (rtnh_hops + 1).</summary>
    public int Weight { get; init; } = 1;

    /// <summary>RTNH_F_ONLINK: believe that the gateway is on the device's link.</summary>
    public bool OnLink { get; init; }
}

/// <summary>A routing table's number (RTA_TABLE).</summary>
public readonly record struct RouteTable(uint Number)
{
    public static RouteTable Default { get; } = new(253);

    public static RouteTable Main { get; } = new(254);

    public static RouteTable Local { get; } = new(255);

    public override string ToString() => Number switch
    {
        253 => "default",
        254 => "main",
        255 => "local",
        _ => Number.ToString(),
    };
}

/// <summary>What happens to a packet that a route matches (rtm_type; RTN_* of <c>linux/rtnetlink.h</c>).</summary>
public enum RouteType : byte
{
    Unicast = 1,
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
    Throw = 9,
}

/// <summary>How far away the destination is (rtm_scope; RT_SCOPE_*).</summary>
public enum RouteScope : byte
{
    Universe = 0,
    Site = 200,
    Link = 253,
    Host = 254,
    Nowhere = 255,
}

/// <summary>Who put a route, rule, neighbour or address there (RTPROT_* of <c>linux/rtnetlink.h</c>; names as in iproute2's rt_protos).</summary>
public readonly record struct RouteProtocol(byte Number)
{
    public static RouteProtocol Unspecified { get; } = new(0);

    public static RouteProtocol Redirect { get; } = new(1);

    public static RouteProtocol Kernel { get; } = new(2);

    public static RouteProtocol Boot { get; } = new(3);

    public static RouteProtocol Static { get; } = new(4);

    public static RouteProtocol RouterAdvertisement { get; } = new(9);

    public static RouteProtocol Dhcp { get; } = new(16);

    /// <summary>
    /// Plumb's own number: entries that carry it are Plumb's to change and remove. 112 is free in iproute2's
    /// <c>rt_protos</c> and used by none of the plugins that Plumb knows (Calico's are 3, 12 and 80).
    /// </summary>
    public static RouteProtocol Plumb { get; } = new(112);

    /// <summary>What the lab's builder put into its machines, as an administrator would: not the agent's to touch.</summary>
    public static RouteProtocol PlumbLab { get; } = new(113);

    public override string ToString() => Number switch
    {
        0 => "unspec",
        1 => "redirect",
        2 => "kernel",
        3 => "boot",
        4 => "static",
        9 => "ra",
        11 => "zebra",
        12 => "bird",
        16 => "dhcp",
        186 => "bgp",
        _ => Number.ToString(),
    };
}
