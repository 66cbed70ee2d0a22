using System.Collections.Frozen;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Names of numbers, by data type, as nft 1.0.6 prints them.</summary>
internal static class Symbols
{
    private static readonly FrozenDictionary<ulong, string> _protocols = Table(
        (0, "ip"), (1, "icmp"), (2, "igmp"), (3, "ggp"), (4, "ipencap"), (5, "st"), (6, "tcp"), (8, "egp"), (9, "igp"), (12, "pup"), (17, "udp"),
        (20, "hmp"), (22, "xns-idp"), (27, "rdp"), (29, "iso-tp4"), (33, "dccp"), (36, "xtp"), (37, "ddp"), (38, "idpr-cmtp"), (41, "ipv6"),
        (43, "ipv6-route"), (44, "ipv6-frag"), (45, "idrp"), (46, "rsvp"), (47, "gre"), (50, "esp"), (51, "ah"), (57, "skip"), (58, "ipv6-icmp"),
        (59, "ipv6-nonxt"), (60, "ipv6-opts"), (73, "rspf"), (81, "vmtp"), (88, "eigrp"), (89, "ospf"), (93, "ax.25"), (94, "ipip"),
        (97, "etherip"), (98, "encap"), (103, "pim"), (108, "ipcomp"), (112, "vrrp"), (115, "l2tp"), (124, "isis"), (132, "sctp"), (133, "fc"),
        (135, "mobility-header"), (136, "udplite"), (137, "mpls-in-ip"), (138, "manet"), (139, "hip"), (140, "shim6"), (141, "wesp"),
        (142, "rohc"), (143, "ethernet"));

    private static readonly FrozenDictionary<byte, FrozenDictionary<ulong, string>> _byType = new Dictionary<byte, FrozenDictionary<ulong, string>>
    {
        [DataType.NetfilterProtocol.Id] = Table((2, "ipv4"), (10, "ipv6")),
        [DataType.IpProtocol.Id] = _protocols,
        [DataType.EthernetType.Id] = Table((0x0800, "ip"), (0x0806, "arp"), (0x86dd, "ip6"), (0x8100, "8021q"), (0x88a8, "8021ad")),
        [DataType.ArpOperation.Id] = Table(
            (1, "request"), (2, "reply"), (3, "rrequest"), (4, "rreply"), (8, "inrequest"), (9, "inreply"), (10, "nak")),
        [DataType.IcmpType.Id] = Table(
            (0, "echo-reply"), (3, "destination-unreachable"), (4, "source-quench"), (5, "redirect"), (8, "echo-request"),
            (9, "router-advertisement"), (10, "router-solicitation"), (11, "time-exceeded"), (12, "parameter-problem"),
            (13, "timestamp-request"), (14, "timestamp-reply"), (15, "info-request"), (16, "info-reply"), (17, "address-mask-request"),
            (18, "address-mask-reply")),
        [DataType.Icmpv6Type.Id] = Table(
            (1, "destination-unreachable"), (2, "packet-too-big"), (3, "time-exceeded"), (4, "parameter-problem"), (128, "echo-request"),
            (129, "echo-reply"), (130, "mld-listener-query"), (131, "mld-listener-report"), (132, "mld-listener-done"),
            (133, "nd-router-solicit"), (134, "nd-router-advert"), (135, "nd-neighbor-solicit"), (136, "nd-neighbor-advert"),
            (137, "nd-redirect"), (138, "router-renumbering"), (141, "ind-neighbor-solicit"), (142, "ind-neighbor-advert"),
            (143, "mld2-listener-report")),
        [DataType.IcmpCode.Id] = Table(
            (0, "net-unreachable"), (1, "host-unreachable"), (2, "prot-unreachable"), (3, "port-unreachable"), (4, "frag-needed"),
            (9, "net-prohibited"), (10, "host-prohibited"), (13, "admin-prohibited")),
        [DataType.Icmpv6Code.Id] = Table(
            (0, "no-route"), (1, "admin-prohibited"), (3, "addr-unreachable"), (4, "port-unreachable"), (5, "policy-fail"), (6, "reject-route")),
        [DataType.IcmpxCode.Id] = Table((0, "no-route"), (1, "port-unreachable"), (2, "host-unreachable"), (3, "admin-prohibited")),
        [DataType.TcpFlag.Id] = Table(
            (1, "fin"), (2, "syn"), (4, "rst"), (8, "psh"), (16, "ack"), (32, "urg"), (64, "ecn"), (128, "cwr")),
        [DataType.ConntrackState.Id] = Table((1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")),
        [DataType.ConntrackStatus.Id] = Table(
            (1, "expected"), (2, "seen-reply"), (4, "assured"), (8, "confirmed"), (16, "snat"), (32, "dnat"), (512, "dying")),
        [DataType.ConntrackDirection.Id] = Table((0, "original"), (1, "reply")),
        [DataType.PacketType.Id] = Table((0, "host"), (1, "broadcast"), (2, "multicast"), (3, "other")),
        [DataType.InterfaceType.Id] = Table(
            (1, "ether"), (512, "ppp"), (768, "ipip"), (769, "ipip6"), (772, "loopback"), (776, "sit"), (778, "ipgre")),
        [DataType.Realm.Id] = Table((0, "\"cosmos\"")),
        [DataType.DeviceGroup.Id] = Table((0, "\"default\"")),
        [DataType.Dscp.Id] = Table(
            (0x00, "cs0"), (0x01, "lephb"), (0x08, "cs1"), (0x0a, "af11"), (0x0c, "af12"), (0x0e, "af13"), (0x10, "cs2"), (0x12, "af21"),
            (0x14, "af22"), (0x16, "af23"), (0x18, "cs3"), (0x1a, "af31"), (0x1c, "af32"), (0x1e, "af33"), (0x20, "cs4"), (0x22, "af41"),
            (0x24, "af42"), (0x26, "af43"), (0x28, "cs5"), (0x2c, "va"), (0x2e, "ef"), (0x30, "cs6"), (0x38, "cs7")),
        [DataType.Ecn.Id] = Table((0, "not-ect"), (1, "ect1"), (2, "ect0"), (3, "ce")),
        [DataType.FibAddressType.Id] = Table(
            (0, "unspec"), (1, "unicast"), (2, "local"), (3, "broadcast"), (4, "anycast"), (5, "multicast"), (6, "blackhole"),
            (7, "unreachable"), (8, "prohibit")),
        [DataType.Day.Id] = Table(
            (0, "\"Sunday\""), (1, "\"Monday\""), (2, "\"Tuesday\""), (3, "\"Wednesday\""), (4, "\"Thursday\""), (5, "\"Friday\""),
            (6, "\"Saturday\"")),
        [DataType.Boolean.Id] = Table((0, "missing"), (1, "exists")),
    }.ToFrozenDictionary();

    public static string? Name(DataType type, ulong number) =>
        _byType.TryGetValue(type.Id, out var names) && names.TryGetValue(number, out var name) ? name : null;

    /// <summary>Types whose values are sets of bits with names.</summary>
    public static bool IsBits(DataType type) =>
        type == DataType.ConntrackState || type == DataType.ConntrackStatus || type == DataType.TcpFlag || type == DataType.ConntrackEvent;

    private static FrozenDictionary<ulong, string> Table(params (ulong Number, string Name)[] names) =>
        names.ToFrozenDictionary(pair => pair.Number, pair => pair.Name);
}
