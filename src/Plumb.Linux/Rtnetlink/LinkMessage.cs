using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A network device (RTM_NEWLINK, _DELLINK, _SETLINK): <c>struct ifinfomsg</c> and IFLA_* of <c>linux/if_link.h</c>.</summary>
public sealed record LinkMessage
{
    public const uint IFF_UP = 1;
    public const uint IFF_LOOPBACK = 8;
    public const uint IFF_LOWER_UP = 1 << 16;

    internal const ushort IFLA_ADDRESS = 1;
    internal const ushort IFLA_IFNAME = 3;
    internal const ushort IFLA_MTU = 4;
    internal const ushort IFLA_LINK = 5;
    internal const ushort IFLA_MASTER = 10;
    internal const ushort IFLA_LINKINFO = 18;
    internal const ushort IFLA_IFALIAS = 20;
    internal const ushort IFLA_AF_SPEC = 26;
    internal const ushort IFLA_GROUP = 27;
    internal const ushort IFLA_NET_NS_FD = 28;
    internal const ushort IFLA_EXT_MASK = 29;
    internal const ushort IFLA_PROMISCUITY = 30;
    internal const ushort IFLA_LINK_NETNSID = 37;
    internal const ushort IFLA_GSO_MAX_SEGS = 40;
    internal const uint DefaultGsoSegments = 65535; // GSO_MAX_SEGS of linux/netdevice.h
    internal const ushort IFLA_INET6_ADDR_GEN_MODE = 8;
    internal const byte IN6_ADDR_GEN_MODE_EUI64 = 0;
    internal const byte IN6_ADDR_GEN_MODE_NONE = 1;
    private const uint RTEXT_FILTER_SKIP_STATS = 1 << 3;

    /// <summary>ifi_family: AF_UNSPEC, or AF_BRIDGE for a port's settings.</summary>
    public byte Family { get; init; }

    /// <summary>ARPHRD_* (1: Ethernet).</summary>
    public ushort HardwareType { get; init; }

    /// <summary>ifindex; in a request to make a link: the index that it shall have, 0: any.</summary>
    public int Index { get; init; }

    /// <summary>IFF_*</summary>
    public uint Flags { get; init; }

    /// <summary>Which of <see cref="Flags"/> a request changes.</summary>
    public uint Change { get; init; }

    public string? Name { get; init; }

    /// <summary>Null when there is none or it does not have six bytes (a tunnel's).</summary>
    public MacAddress? Mac { get; init; }

    public uint? MtuBytes { get; init; }

    /// <summary>IFLA_GSO_MAX_SEGS</summary>
    public uint? GsoMaxSegments { get; init; }

    /// <summary>ifindex of the bridge or other master; 0 in a request: none from now on.</summary>
    public uint? Master { get; init; }

    /// <summary>At most 255 bytes; empty in a request: removed.</summary>
    public string? Alias { get; init; }

    /// <summary>IFLA_LINK: a veth's other end, a tunnel's lower device; an ifindex in <see cref="LinkNamespace"/>.</summary>
    public int? Link { get; init; }

    /// <summary>IFLA_LINK_NETNSID; null: <see cref="Link"/> is in the same namespace.</summary>
    public int? LinkNamespace { get; init; }

    /// <summary>IFLA_NET_NS_FD, in requests only: the namespace in which the link shall be made or to which it moves.</summary>
    public int? NamespaceDescriptor { get; init; }

    /// <summary>IFLA_GROUP, in requests only: a number that links may have in common; in RTM_DELLINK without index and name, whose links go.</summary>
    public uint? Group { get; init; }

    public LinkInfo? Info { get; init; }

    /// <summary>How many want all frames of the device, whomever they are for; null: not told. The kernel takes no orders about it.</summary>
    public uint? Promiscuity { get; init; }

    /// <summary>IN6_ADDR_GEN_MODE_*; null where IPv6 is off.</summary>
    public byte? AddressGeneration { get; init; }

    public UnknownAttributes Unknown { get; init; }

    public bool IsUp => (Flags & IFF_UP) != 0;

    /// <summary>Somebody is at the other end.</summary>
    public bool HasCarrier => (Flags & IFF_LOWER_UP) != 0;

    /// <summary>Reads a message's payload. Unknown attributes are kept only if asked for.</summary>
    /// <exception cref="NetlinkDecodeException">It is too short, or an attribute has the wrong length.</exception>
    public static LinkMessage Parse(ReadOnlySpan<byte> payload, bool keepUnknown = false)
    {
        var header = WireHeader.Read<Header>(payload, "struct ifinfomsg", out var attributes);
        var message = new LinkMessage
        {
            Family = header.Family, HardwareType = header.Type, Index = header.Index, Flags = header.Flags, Change = header.Change,
        };
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        string? name = null;
        string? alias = null;
        MacAddress? mac = null;
        uint? mtu = null;
        uint? segments = null;
        uint? master = null;
        int? link = null;
        int? linkNamespace = null;
        int? descriptor = null;
        LinkInfo? info = null;
        byte? generation = null;
        uint? promiscuity = null;
        foreach (var a in new AttributeReader(attributes, "RTM_NEWLINK"))
        {
            switch (a.Type)
            {
                case IFLA_IFNAME:
                    name = a.Text(nameof(IFLA_IFNAME));
                    break;
                case IFLA_IFALIAS:
                    alias = a.Text(nameof(IFLA_IFALIAS));
                    break;
                case IFLA_ADDRESS when a.Value.Length == MacAddress.ByteLength:
                    mac = a.Mac(nameof(IFLA_ADDRESS));
                    break;
                case IFLA_MTU:
                    mtu = a.U32(nameof(IFLA_MTU));
                    break;
                case IFLA_GSO_MAX_SEGS:
                    segments = a.U32(nameof(IFLA_GSO_MAX_SEGS));
                    break;
                case IFLA_MASTER:
                    master = a.U32(nameof(IFLA_MASTER));
                    break;
                case IFLA_LINK:
                    link = a.S32(nameof(IFLA_LINK));
                    break;
                case IFLA_LINK_NETNSID:
                    linkNamespace = a.S32(nameof(IFLA_LINK_NETNSID));
                    break;
                case IFLA_NET_NS_FD:
                    descriptor = a.S32(nameof(IFLA_NET_NS_FD));
                    break;
                case IFLA_LINKINFO:
                    info = LinkInfo.Parse(a, keepUnknown);
                    break;
                case IFLA_PROMISCUITY:
                    promiscuity = a.U32(nameof(IFLA_PROMISCUITY));
                    unknown?.Add(a);
                    break;
                case IFLA_AF_SPEC:
                    generation = ParseAddressGeneration(a);
                    if (generation is null)
                    {
                        unknown?.Add(a);
                    }
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return message with
        {
            Name = name, Alias = alias, Mac = mac, MtuBytes = mtu, GsoMaxSegments = segments, Master = master, Link = link, LinkNamespace = linkNamespace,
            NamespaceDescriptor = descriptor, Info = info, AddressGeneration = generation, Promiscuity = promiscuity, Unknown = unknown?.Take() ?? default,
        };
    }

    /// <summary>Appends a message of the given type with what is stated.</summary>
    internal void Emit(NetlinkWriter writer, ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        using (writer.Message(type, flags))
        {
            EmitBody(writer);
        }
    }

    internal void EmitBody(NetlinkWriter writer)
    {
        writer.Structure(new Header { Family = Family, Type = HardwareType, Index = Index, Flags = Flags, Change = Change });
        if (Name is { } name)
        {
            writer.Text(IFLA_IFNAME, name);
        }
        if (Alias is { } alias)
        {
            writer.Bytes(IFLA_IFALIAS, System.Text.Encoding.UTF8.GetBytes(alias)); // its length counts: a NUL would be part of it
        }
        if (Mac is { } mac)
        {
            writer.Mac(IFLA_ADDRESS, mac);
        }
        if (MtuBytes is { } mtu)
        {
            writer.U32(IFLA_MTU, mtu);
        }
        if (GsoMaxSegments is { } segments)
        {
            writer.U32(IFLA_GSO_MAX_SEGS, segments);
        }
        if (Master is { } master)
        {
            writer.U32(IFLA_MASTER, master);
        }
        if (Link is { } link)
        {
            writer.S32(IFLA_LINK, link);
        }
        if (LinkNamespace is { } linkNamespace)
        {
            writer.S32(IFLA_LINK_NETNSID, linkNamespace);
        }
        if (NamespaceDescriptor is { } descriptor)
        {
            writer.S32(IFLA_NET_NS_FD, descriptor);
        }
        if (Group is { } group)
        {
            writer.U32(IFLA_GROUP, group);
        }
        Info?.Emit(writer);
        if (AddressGeneration is { } generation)
        {
            using (writer.Nest(IFLA_AF_SPEC))
            using (writer.Nest(AF_INET6))
            {
                writer.U8(IFLA_INET6_ADDR_GEN_MODE, generation);
            }
        }
        Unknown.Emit(writer);
    }

    /// <summary>A request for all links, without their statistics.</summary>
    internal static void EmitDump(NetlinkWriter writer)
    {
        using (writer.Message(RTM_GETLINK, NetlinkFlags.Dump))
        {
            writer.Structure(default(Header));
            writer.U32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        }
    }

    /// <summary>A request for one link, by name or by index.</summary>
    internal static void EmitGet(NetlinkWriter writer, string? name, int index = 0)
    {
        using (writer.Message(RTM_GETLINK))
        {
            writer.Structure(new Header { Index = index });
            writer.U32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
            if (name is not null)
            {
                writer.Text(IFLA_IFNAME, name);
            }
        }
    }

    private static byte? ParseAddressGeneration(NetlinkAttribute perFamily)
    {
        foreach (var family in perFamily.Nested(nameof(IFLA_AF_SPEC)))
        {
            if (family.Type != AF_INET6)
            {
                continue;
            }
            foreach (var a in family.Nested("IFLA_AF_SPEC AF_INET6"))
            {
                if (a.Type == IFLA_INET6_ADDR_GEN_MODE)
                {
                    return a.U8(nameof(IFLA_INET6_ADDR_GEN_MODE));
                }
            }
        }
        return null;
    }

    /// <summary><c>struct ifinfomsg</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Family;
        public byte Padding;
        public ushort Type;
        public int Index;
        public uint Flags;
        public uint Change;
    }
}
