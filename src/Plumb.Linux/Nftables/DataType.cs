using System.Collections.Frozen;

namespace Plumb.Linux.Nftables;

/// <summary>
/// What a value means, by the number and name that nft gives it. The kernel keeps the number with a set (NFTA_SET_KEY_TYPE) and
/// makes nothing of it: it is there so that a set can be printed.
/// </summary>
/// <param name="Id">Six bits; a concatenation's type is its components' ids one after another, the first in the highest bits.</param>
/// <param name="Bits">Width of a value; 0: it is not fixed by the type.</param>
/// <param name="Order">How a value stands in a register.</param>
public sealed record DataType(byte Id, string Name, int Bits, ByteOrder Order)
{
    public static DataType Verdict { get; } = new(1, "verdict", 0, ByteOrder.None);
    public static DataType NetfilterProtocol { get; } = new(2, "nf_proto", 8, ByteOrder.Host);
    public static DataType Bitmask { get; } = new(3, "bitmask", 0, ByteOrder.Host);
    public static DataType Integer { get; } = new(4, "integer", 0, ByteOrder.Host);
    public static DataType Text { get; } = new(5, "string", 0, ByteOrder.Host);
    public static DataType LinkLayerAddress { get; } = new(6, "ll_addr", 48, ByteOrder.Big);
    public static DataType Ipv4Address { get; } = new(7, "ipv4_addr", 32, ByteOrder.Big);
    public static DataType Ipv6Address { get; } = new(8, "ipv6_addr", 128, ByteOrder.Big);
    public static DataType EthernetAddress { get; } = new(9, "ether_addr", 48, ByteOrder.Big);
    public static DataType EthernetType { get; } = new(10, "ether_type", 16, ByteOrder.Big);
    public static DataType ArpOperation { get; } = new(11, "arp_op", 16, ByteOrder.Big);
    public static DataType IpProtocol { get; } = new(12, "inet_proto", 8, ByteOrder.Big);
    public static DataType Port { get; } = new(13, "inet_service", 16, ByteOrder.Big);
    public static DataType IcmpType { get; } = new(14, "icmp_type", 8, ByteOrder.Big);
    public static DataType TcpFlag { get; } = new(15, "tcp_flag", 8, ByteOrder.Big);
    public static DataType DccpPacketType { get; } = new(16, "dccp_pkttype", 4, ByteOrder.Big);
    public static DataType MobilityHeaderType { get; } = new(17, "mh_type", 8, ByteOrder.Big);
    public static DataType Time { get; } = new(18, "time", 32, ByteOrder.Host);
    public static DataType Mark { get; } = new(19, "mark", 32, ByteOrder.Host);
    public static DataType InterfaceIndex { get; } = new(20, "iface_index", 32, ByteOrder.Host);
    public static DataType InterfaceType { get; } = new(21, "iface_type", 16, ByteOrder.Host);
    public static DataType Realm { get; } = new(22, "realm", 32, ByteOrder.Host);
    public static DataType ClassId { get; } = new(23, "classid", 32, ByteOrder.Host);
    public static DataType UserId { get; } = new(24, "uid", 32, ByteOrder.Host);
    public static DataType GroupId { get; } = new(25, "gid", 32, ByteOrder.Host);
    public static DataType ConntrackState { get; } = new(26, "ct_state", 32, ByteOrder.Host);
    public static DataType ConntrackDirection { get; } = new(27, "ct_dir", 8, ByteOrder.Host);
    public static DataType ConntrackStatus { get; } = new(28, "ct_status", 32, ByteOrder.Host);
    public static DataType Icmpv6Type { get; } = new(29, "icmpv6_type", 8, ByteOrder.Big);
    public static DataType ConntrackLabel { get; } = new(30, "ct_label", 128, ByteOrder.Host);
    public static DataType PacketType { get; } = new(31, "pkt_type", 8, ByteOrder.Host);
    public static DataType IcmpCode { get; } = new(32, "icmp_code", 8, ByteOrder.Big);
    public static DataType Icmpv6Code { get; } = new(33, "icmpv6_code", 8, ByteOrder.Big);
    public static DataType IcmpxCode { get; } = new(34, "icmpx_code", 8, ByteOrder.Big);
    public static DataType DeviceGroup { get; } = new(35, "devgroup", 32, ByteOrder.Host);
    public static DataType Dscp { get; } = new(36, "dscp", 6, ByteOrder.Big);
    public static DataType Ecn { get; } = new(37, "ecn", 2, ByteOrder.Big);
    public static DataType FibAddressType { get; } = new(38, "fib_addrtype", 32, ByteOrder.Host);
    public static DataType Boolean { get; } = new(39, "boolean", 8, ByteOrder.Host);
    public static DataType ConntrackEvent { get; } = new(40, "ct_event", 32, ByteOrder.Host);
    public static DataType InterfaceName { get; } = new(41, "ifname", 128, ByteOrder.Host);
    public static DataType IgmpType { get; } = new(42, "igmp_type", 8, ByteOrder.Big);
    public static DataType Date { get; } = new(43, "time", 64, ByteOrder.Host);
    public static DataType Hour { get; } = new(44, "hour", 32, ByteOrder.Host);
    public static DataType Day { get; } = new(45, "day", 8, ByteOrder.Host);
    public static DataType Cgroup2 { get; } = new(46, "cgroupsv2", 64, ByteOrder.Host);

    private static readonly FrozenDictionary<byte, DataType> _byId = new[]
    {
        Verdict, NetfilterProtocol, Bitmask, Integer, Text, LinkLayerAddress, Ipv4Address, Ipv6Address, EthernetAddress, EthernetType,
        ArpOperation, IpProtocol, Port, IcmpType, TcpFlag, DccpPacketType, MobilityHeaderType, Time, Mark, InterfaceIndex, InterfaceType,
        Realm, ClassId, UserId, GroupId, ConntrackState, ConntrackDirection, ConntrackStatus, Icmpv6Type, ConntrackLabel, PacketType,
        IcmpCode, Icmpv6Code, IcmpxCode, DeviceGroup, Dscp, Ecn, FibAddressType, Boolean, ConntrackEvent, InterfaceName, IgmpType, Date,
        Hour, Day, Cgroup2,
    }.ToFrozenDictionary(type => type.Id);

    /// <summary>Bits of a component in a concatenation's type number.</summary>
    public const int IdBits = 6;

    /// <summary>A type that this version of Plumb does not know keeps its number and prints as bytes.</summary>
    public static DataType FromId(byte id) => _byId.TryGetValue(id, out var type) ? type : new DataType(id, $"type{id}", 0, ByteOrder.Big);

    public static DataType Address(Addresses.IpFamily family) => family == Addresses.IpFamily.V4 ? Ipv4Address : Ipv6Address;

    public bool IsText => Id is 5 or 41;

    public override string ToString() => Name;
}
