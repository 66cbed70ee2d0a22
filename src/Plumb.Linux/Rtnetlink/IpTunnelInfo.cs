using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A tunnel of IP in IP, or GRE: IFLA_IPTUN_* and IFLA_GRE_* of <c>linux/if_tunnel.h</c>.</summary>
public sealed record IpTunnelInfo
{
    internal const ushort IFLA_IPTUN_LINK = 1;
    internal const ushort IFLA_IPTUN_LOCAL = 2;
    internal const ushort IFLA_IPTUN_REMOTE = 3;
    internal const ushort IFLA_IPTUN_TTL = 4;
    internal const ushort IFLA_IPTUN_PMTUDISC = 10;
    internal const ushort IFLA_GRE_LINK = 1;
    internal const ushort IFLA_GRE_OFLAGS = 3;
    internal const ushort IFLA_GRE_OKEY = 5;
    internal const ushort IFLA_GRE_LOCAL = 6;
    internal const ushort IFLA_GRE_REMOTE = 7;
    internal const ushort IFLA_GRE_TTL = 8;

    // GRE_KEY, big-endian on the wire and in the attribute.
    private const ushort KeyFlag = 0x0020;

    /// <summary>ifindex of the device that outer packets leave by; 0: whichever routes say.</summary>
    public uint Link { get; init; }

    public IpAddress? Local { get; init; }

    public IpAddress? Remote { get; init; }

    /// <summary>0: as that of the packet within.</summary>
    public byte TimeToLive { get; init; }

    /// <summary>Outer packets bear DF.</summary>
    public bool PathMtuDiscovery { get; init; } = true;

    /// <summary>Of GRE, on what is sent; null: none.</summary>
    public uint? Key { get; init; }

    internal static bool IsKind(string kind) => kind is "ipip" or "sit" or "gre";

    internal static IpTunnelInfo Parse(NetlinkAttribute nest, string kind)
    {
        var info = new IpTunnelInfo();
        var hasKey = false;
        foreach (var a in nest.Nested($"IFLA_INFO_DATA ({kind})"))
        {
            hasKey |= kind == "gre" && a.Type == IFLA_GRE_OFLAGS && (a.U16(nameof(IFLA_GRE_OFLAGS)) & KeyFlag) != 0;
            info = (kind == "gre", a.Type) switch
            {
                (_, IFLA_IPTUN_LINK) => info with { Link = a.U32(nameof(IFLA_IPTUN_LINK)) },
                (false, IFLA_IPTUN_LOCAL) or (true, IFLA_GRE_LOCAL) => info with { Local = Stated(a.Ip("IFLA_IPTUN_LOCAL")) },
                (false, IFLA_IPTUN_REMOTE) or (true, IFLA_GRE_REMOTE) => info with { Remote = Stated(a.Ip("IFLA_IPTUN_REMOTE")) },
                (false, IFLA_IPTUN_TTL) or (true, IFLA_GRE_TTL) => info with { TimeToLive = a.U8("IFLA_IPTUN_TTL") },
                (_, IFLA_IPTUN_PMTUDISC) => info with { PathMtuDiscovery = a.Bool(nameof(IFLA_IPTUN_PMTUDISC)) },
                (true, IFLA_GRE_OKEY) => info with { Key = a.U32BigEndian(nameof(IFLA_GRE_OKEY)) },
                _ => info,
            };
        }
        return hasKey ? info : info with { Key = null };
    }

    private static IpAddress? Stated(IpAddress address) => address.IsUnspecified ? null : address;
}
