using Plumb.Diagnosis.Packets;

namespace Plumb.Diagnosis.Rules;

/// <summary>What senders of rejected packets are told, by iptables' names.</summary>
internal static class Rejections
{
    private const byte Unreachable = 3;
    private const byte UnreachableV6 = 1;

    /// <summary>Null: nothing is said.</summary>
    public static RejectAnswer? Of(string with, Packet packet) => with switch
    {
        "tcp-reset" => Reset(packet),
        "icmp-net-unreachable" => Icmp(Unreachable, 0),
        "icmp-host-unreachable" => Icmp(Unreachable, 1),
        "icmp-proto-unreachable" => Icmp(Unreachable, 2),
        "icmp-net-prohibited" => Icmp(Unreachable, 9),
        "icmp-host-prohibited" => Icmp(Unreachable, 10),
        "icmp-admin-prohibited" => Icmp(Unreachable, 13),
        "icmp6-no-route" => Icmp(UnreachableV6, 0),
        "icmp6-adm-prohibited" => Icmp(UnreachableV6, 1),
        "icmp6-addr-unreachable" => Icmp(UnreachableV6, 3),
        "icmp6-port-unreachable" => Icmp(UnreachableV6, 4),
        "icmp6-policy-fail" => Icmp(UnreachableV6, 5),
        "icmp6-reject-route" => Icmp(UnreachableV6, 6),
        _ => packet.Family == Linux.Addresses.IpFamily.V4 ? Icmp(Unreachable, 3) : Icmp(UnreachableV6, 4),
    };

    /// <summary>nf_send_reset says nothing to what is no TCP, nor to a reset.</summary>
    public static RejectAnswer? Reset(Packet packet) =>
        packet.Protocol != Packet.Tcp || (packet.Flags & TcpFlags.Rst) != 0 ? null : new RejectAnswer(Reset: true, null);

    private static RejectAnswer Icmp(byte type, byte code) => new(Reset: false, new IcmpKind(type, code));
}
