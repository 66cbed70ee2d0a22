using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Wire;

namespace Plumb.Linux.Ipset;

/// <summary>Messages of nfnetlink's subsystem 6 (<c>linux/netfilter/ipset/ip_set.h</c>): a list of all sets.</summary>
internal static class IpSetMessage
{
    private const ushort NFNL_SUBSYS_IPSET = 6;
    private const ushort IPSET_CMD_LIST = 7;

    // Kernels since 4.20 speak version 7 too; in what is asked here there is no difference.
    private const byte IPSET_PROTOCOL_MIN = 6;

    private const ushort IPSET_ATTR_PROTOCOL = 1;
    private const ushort IPSET_ATTR_SETNAME = 2;
    private const ushort IPSET_ATTR_TYPENAME = 3;
    private const ushort IPSET_ATTR_FAMILY = 5;
    private const ushort IPSET_ATTR_DATA = 7;
    private const ushort IPSET_ATTR_ADT = 8;

    // Of a set and of its members.
    private const ushort IPSET_ATTR_IP = 1;
    private const ushort IPSET_ATTR_CIDR = 3;
    private const ushort IPSET_ATTR_PORT = 4;
    private const ushort IPSET_ATTR_PROTO = 7;
    private const ushort IPSET_ATTR_CADT_FLAGS = 8;
    private const ushort IPSET_ATTR_MARK = 10;
    private const ushort IPSET_ATTR_MARKMASK = 11;
    private const ushort IPSET_ATTR_NETMASK = 20;

    // Of members alone.
    private const ushort IPSET_ATTR_ETHER = 17;
    private const ushort IPSET_ATTR_NAME = 18;
    private const ushort IPSET_ATTR_IP2 = 20;
    private const ushort IPSET_ATTR_CIDR2 = 21;
    private const ushort IPSET_ATTR_IFACE = 23;
    private const ushort IPSET_ATTR_COMMENT = 26;

    private const uint IPSET_FLAG_PHYSDEV = 1 << 1;
    private const uint IPSET_FLAG_NOMATCH = 1 << 2;

    /// <summary>Asks for all sets with their members.</summary>
    public static void WriteList(NetlinkWriter wire)
    {
        using (wire.Message((NFNL_SUBSYS_IPSET << 8) | IPSET_CMD_LIST, NetlinkFlags.Dump))
        {
            wire.Structure(new NetfilterHeader((byte)IpFamily.V4, 0));
            wire.U8(IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL_MIN);
        }
    }

    /// <summary>A set, or more members of the one before: then its type is empty.</summary>
    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static IpSet Read(NetlinkMessage message)
    {
        var set = new IpSet("", "");
        var members = new List<IpSetMember>();
        foreach (var a in NftWire.Attributes(message, "IPSET_CMD_LIST", out _))
        {
            switch (a.Type)
            {
                case IPSET_ATTR_SETNAME:
                    set = set with { Name = a.Text(nameof(IPSET_ATTR_SETNAME)) };
                    break;
                case IPSET_ATTR_TYPENAME:
                    set = set with { Type = a.Text(nameof(IPSET_ATTR_TYPENAME)) };
                    break;
                case IPSET_ATTR_FAMILY when a.U8(nameof(IPSET_ATTR_FAMILY)) is (byte)IpFamily.V4 or (byte)IpFamily.V6:
                    set = set with { Family = (IpFamily)a.Value[0] };
                    break;
                case IPSET_ATTR_DATA:
                    set = Made(set, a);
                    break;
                case IPSET_ATTR_ADT:
                    foreach (var member in a.Nested(nameof(IPSET_ATTR_ADT)))
                    {
                        members.Add(Member(member));
                    }
                    break;
                default:
                    break;
            }
        }
        return set with { Members = members };
    }

    private static IpSet Made(IpSet set, NetlinkAttribute data)
    {
        foreach (var a in data.Nested(nameof(IPSET_ATTR_DATA)))
        {
            set = a.Type switch
            {
                IPSET_ATTR_NETMASK => set with { NetmaskLength = a.U8(nameof(IPSET_ATTR_NETMASK)) },
                IPSET_ATTR_MARKMASK => set with { MarkMask = a.U32BigEndian(nameof(IPSET_ATTR_MARKMASK)) },
                _ => set,
            };
        }
        return set;
    }

    private static IpSetMember Member(NetlinkAttribute data)
    {
        var member = new IpSetMember();
        foreach (var a in data.Nested("IPSET_ATTR_DATA"))
        {
            member = a.Type switch
            {
                IPSET_ATTR_IP => member with { Address = Ip(a, nameof(IPSET_ATTR_IP)) },
                IPSET_ATTR_CIDR => member with { Length = a.U8(nameof(IPSET_ATTR_CIDR)) },
                IPSET_ATTR_PROTO => member with { Protocol = a.U8(nameof(IPSET_ATTR_PROTO)) },
                IPSET_ATTR_PORT => member with { Port = a.U16BigEndian(nameof(IPSET_ATTR_PORT)) },
                IPSET_ATTR_IP2 => member with { Address2 = Ip(a, nameof(IPSET_ATTR_IP2)) },
                IPSET_ATTR_CIDR2 => member with { Length2 = a.U8(nameof(IPSET_ATTR_CIDR2)) },
                IPSET_ATTR_ETHER => member with { Mac = a.Mac(nameof(IPSET_ATTR_ETHER)) },
                IPSET_ATTR_IFACE => member with { Device = a.Text(nameof(IPSET_ATTR_IFACE)) },
                IPSET_ATTR_MARK => member with { Mark = a.U32BigEndian(nameof(IPSET_ATTR_MARK)) },
                IPSET_ATTR_NAME => member with { Set = a.Text(nameof(IPSET_ATTR_NAME)) },
                IPSET_ATTR_COMMENT => member with { Comment = a.Text(nameof(IPSET_ATTR_COMMENT)) },
                IPSET_ATTR_CADT_FLAGS => Flagged(member, a.U32BigEndian(nameof(IPSET_ATTR_CADT_FLAGS))),
                _ => member,
            };
        }
        return member;
    }

    private static IpSetMember Flagged(IpSetMember member, uint flags) =>
        member with { IsBridgePort = (flags & IPSET_FLAG_PHYSDEV) != 0, IsException = (flags & IPSET_FLAG_NOMATCH) != 0 };

    // IPSET_ATTR_IPADDR_IPV4 and _IPV6: told apart by length.
    private static IpAddress? Ip(NetlinkAttribute nest, string name)
    {
        foreach (var a in nest.Nested(name))
        {
            return a.Ip(name);
        }
        return null;
    }
}
