using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>What is particular to a device that sits on another (IFLA_MACVLAN_*, IFLA_IPVLAN_*, IFLA_VLAN_* of <c>linux/if_link.h</c>); null: another kind's.</summary>
public sealed record StackedInfo
{
    internal const ushort IFLA_MACVLAN_MODE = 1;
    internal const ushort IFLA_IPVLAN_MODE = 1;
    internal const ushort IFLA_IPVLAN_FLAGS = 2;
    internal const ushort IFLA_VLAN_ID = 1;

    /// <summary>MACVLAN_MODE_*</summary>
    public uint? MacvlanMode { get; init; }

    /// <summary>IPVLAN_MODE_*</summary>
    public ushort? IpvlanMode { get; init; }

    /// <summary>IPVLAN_F_*</summary>
    public ushort? IpvlanFlags { get; init; }

    /// <summary>12 bits.</summary>
    public ushort? VlanId { get; init; }

    internal static bool IsKind(string kind) => kind is "macvlan" or "ipvlan" or "vlan";

    internal static StackedInfo Parse(NetlinkAttribute nest, string kind)
    {
        var info = new StackedInfo();
        foreach (var a in nest.Nested($"IFLA_INFO_DATA ({kind})"))
        {
            info = (kind, a.Type) switch
            {
                ("macvlan", IFLA_MACVLAN_MODE) => info with { MacvlanMode = a.U32(nameof(IFLA_MACVLAN_MODE)) },
                ("ipvlan", IFLA_IPVLAN_MODE) => info with { IpvlanMode = a.U16(nameof(IFLA_IPVLAN_MODE)) },
                ("ipvlan", IFLA_IPVLAN_FLAGS) => info with { IpvlanFlags = a.U16(nameof(IFLA_IPVLAN_FLAGS)) },
                ("vlan", IFLA_VLAN_ID) => info with { VlanId = a.U16(nameof(IFLA_VLAN_ID)) },
                _ => info,
            };
        }
        return info;
    }
}
