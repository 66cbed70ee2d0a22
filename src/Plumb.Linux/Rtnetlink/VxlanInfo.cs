using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A VXLAN device's settings (IFLA_VXLAN_* of <c>linux/if_link.h</c>); null: not stated.</summary>
public sealed record VxlanInfo
{
    internal const ushort IFLA_VXLAN_ID = 1;
    internal const ushort IFLA_VXLAN_LINK = 3;
    internal const ushort IFLA_VXLAN_LOCAL = 4;
    internal const ushort IFLA_VXLAN_LEARNING = 7;
    internal const ushort IFLA_VXLAN_PORT = 15;
    internal const ushort IFLA_VXLAN_LOCAL6 = 17;

    /// <summary>VXLAN network identifier, 24 bits.</summary>
    public uint? Id { get; init; }

    /// <summary>ifindex of the device that outer packets leave by.</summary>
    public uint? Link { get; init; }

    /// <summary>Source of outer packets.</summary>
    public IpAddress? Local { get; init; }

    public bool? Learning { get; init; }

    /// <summary>UDP destination port; big-endian on the wire.</summary>
    public ushort? Port { get; init; }

    public UnknownAttributes Unknown { get; init; }

    internal static VxlanInfo Parse(NetlinkAttribute nest, bool keepUnknown)
    {
        uint? id = null;
        uint? link = null;
        IpAddress? local = null;
        bool? learning = null;
        ushort? port = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in nest.Nested("IFLA_INFO_DATA (vxlan)"))
        {
            switch (a.Type)
            {
                case IFLA_VXLAN_ID:
                    id = a.U32(nameof(IFLA_VXLAN_ID));
                    break;
                case IFLA_VXLAN_LINK:
                    link = a.U32(nameof(IFLA_VXLAN_LINK));
                    break;
                case IFLA_VXLAN_LOCAL:
                    local = a.Ip(nameof(IFLA_VXLAN_LOCAL));
                    break;
                case IFLA_VXLAN_LOCAL6:
                    local = a.Ip(nameof(IFLA_VXLAN_LOCAL6));
                    break;
                case IFLA_VXLAN_LEARNING:
                    learning = a.Bool(nameof(IFLA_VXLAN_LEARNING));
                    break;
                case IFLA_VXLAN_PORT:
                    port = a.U16BigEndian(nameof(IFLA_VXLAN_PORT));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return new VxlanInfo { Id = id, Link = link, Local = local, Learning = learning, Port = port, Unknown = unknown?.Take() ?? default };
    }

    internal void Emit(NetlinkWriter writer)
    {
        using var nest = writer.Nest(LinkInfo.IFLA_INFO_DATA);
        if (Id is { } id)
        {
            writer.U32(IFLA_VXLAN_ID, id);
        }
        if (Link is { } link)
        {
            writer.U32(IFLA_VXLAN_LINK, link);
        }
        if (Local is { } local)
        {
            writer.Ip(local.Family == IpFamily.V4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local);
        }
        if (Learning is { } learning)
        {
            writer.Bool(IFLA_VXLAN_LEARNING, learning);
        }
        if (Port is { } port)
        {
            writer.U16BigEndian(IFLA_VXLAN_PORT, port);
        }
        Unknown.Emit(writer);
    }
}
