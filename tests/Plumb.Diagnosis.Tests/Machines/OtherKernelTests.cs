using System.Diagnostics;

namespace Plumb.Diagnosis.Tests.Machines;

/// <summary>
/// Devices that not every kernel has: where packets go, compared with what really happens. What this kernel lacks is skipped, and said;
/// <c>tests/other-kernel</c> runs these tests in a machine with Debian's.
/// </summary>
public sealed class OtherKernelTests
{
    private const string Pair = """
        cable node eth0 other eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on other ip addr add 192.0.2.2/24 dev eth0

        """;

    private const string Router = """
        cable node eth0 other eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on other ip addr add 192.0.2.2/24 dev eth0
        on node sysctl -qw net.ipv4.ip_forward=1
        cable node vetha a eth0
        cable node vethb b eth0
        on node ip addr add 10.0.1.1/24 dev vetha
        on node ip addr add 10.0.2.1/24 dev vethb
        on a ip addr add 10.0.1.2/24 dev eth0
        on b ip addr add 10.0.2.2/24 dev eth0
        on a ip route add default via 10.0.1.1
        on b ip route add default via 10.0.2.1

        """;

    private static readonly string[] Hosts = ["node", "other", "a", "b"];

    /// <summary>What the kernel and this machine need, a script, and probes FROM>ADDRESS:PORT.</summary>
    public static TheoryData<string, string, string[]> Cases => new()
    {
        {
            "vlan", Pair + """
            on node ip link add link eth0 name eth0.5 type vlan id 5
            on node ip addr add 10.5.0.1/24 dev eth0.5
            on node ip link set eth0.5 up
            on other ip link add link eth0 name eth0.5 type vlan id 5
            on other ip addr add 10.5.0.2/24 dev eth0.5
            on other ip link set eth0.5 up
            """,
            ["node>10.5.0.2:8080", "other>10.5.0.1:81", "node>192.0.2.2:8080"]
        },
        {
            "vlan", """
            cable node eth0 other port
            on node ip link add link eth0 name eth0.5 type vlan id 5
            on node ip addr add 10.5.0.1/24 dev eth0.5
            on node ip link set eth0.5 up
            on other ip link add br0 type bridge
            on other ip link set br0 up
            on other ip link set port master br0
            cable a eth0 other aport
            on other ip link set aport master br0
            on a ip link add link eth0 name eth0.5 type vlan id 5
            on a ip addr add 10.5.0.3/24 dev eth0.5
            on a ip link set eth0.5 up
            on other ip link add link br0 name br0.5 type vlan id 5
            on other ip addr add 10.5.0.2/24 dev br0.5
            on other ip link set br0.5 up
            """,
            ["node>10.5.0.2:8080", "a>10.5.0.1:8080", "node>10.5.0.3:81", "a>10.5.0.2:8080"]
        },
        { "ipvlan", Layouts.Ipvlan("l2 bridge"), ["a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.11:8080", "outside>192.0.2.12:81", "outside>192.0.2.1:8080", "a>192.0.2.1:8080", "node>192.0.2.11:8080"] },
        { "ipvlan", Layouts.Ipvlan("l2 private"), ["a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.11:8080"] },
        { "ipvlan", Layouts.Ipvlan("l3 bridge"), ["a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.11:8080", "outside>192.0.2.1:8080", "b>192.0.2.11:81"] },
        {
            "ipvlan", Layouts.Ipvlan("l3s bridge") + """

            on node nft 'add table ip t; add chain ip t i { type filter hook input priority 0; }; add rule ip t i ip daddr 192.0.2.12 ip saddr 192.0.2.2 drop'
            """,
            ["outside>192.0.2.11:8080", "outside>192.0.2.12:8080", "outside>192.0.2.11:81", "a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.1:8080"]
        },
        {
            "ipip", Router + """
            on node ip link add tun type ipip remote 192.0.2.2 local 192.0.2.1
            on other ip link add tun type ipip remote 192.0.2.1 local 192.0.2.2
            on node ip link set tun up
            on other ip link set tun up
            on node ip route add 10.9.0.0/24 dev tun
            on other ip addr add 10.9.0.1/32 dev tun
            on other ip route add 10.0.0.0/8 dev tun
            """,
            ["a>10.9.0.1:8080", "other>10.0.1.2:8080", "a>10.9.0.1:81", "a>10.9.0.7:80"]
        },
        {
            "ipip", Router + """
            on node ip link add flannel.ipip type ipip local 192.0.2.1 dev eth0
            on other ip link add flannel.ipip type ipip local 192.0.2.2 dev eth0
            on node ip link set flannel.ipip up
            on other ip link set flannel.ipip up
            on other ip addr add 10.9.0.1/32 dev flannel.ipip
            on node ip route add 10.9.0.0/24 via 192.0.2.2 dev flannel.ipip onlink
            on other ip route add 10.0.0.0/8 via 192.0.2.1 dev flannel.ipip onlink
            """,
            ["a>10.9.0.1:8080", "other>10.0.2.2:8080"]
        },
        {
            "gre", Router + """
            on node ip link add tun type gre remote 192.0.2.2 local 192.0.2.1 key 7
            on other ip link add tun type gre remote 192.0.2.1 local 192.0.2.2 key 7
            on node ip link set tun up
            on other ip link set tun up
            on node ip route add 10.9.0.0/24 dev tun
            on other ip addr add 10.9.0.1/32 dev tun
            on other ip route add 10.0.0.0/8 dev tun
            """,
            ["a>10.9.0.1:8080", "other>10.0.1.2:81"]
        },
        {
            "sit", Pair + """
            on node ip link add tun type sit remote 192.0.2.2 local 192.0.2.1
            on other ip link add tun type sit remote 192.0.2.1 local 192.0.2.2
            on node ip addr add fd00:9::1/64 dev tun nodad
            on other ip addr add fd00:9::2/64 dev tun nodad
            on node ip link set tun up
            on other ip link set tun up
            """,
            ["node>[fd00:9::2]:8080", "other>[fd00:9::1]:81", "node>192.0.2.2:8080"]
        },
        {
            "wireguard", Router + """
            key() { wg genkey; }
            one=$(key) two=$(key)
            on node ip link add wg0 type wireguard
            on other ip link add wg0 type wireguard
            echo $one | on node wg set wg0 listen-port 51820 private-key /dev/stdin peer $(echo $two | wg pubkey) endpoint 192.0.2.2:51821 allowed-ips 10.9.0.0/24
            echo $two | on other wg set wg0 listen-port 51821 private-key /dev/stdin peer $(echo $one | wg pubkey) allowed-ips 10.0.1.0/24
            on node ip link set wg0 up
            on other ip link set wg0 up
            on other ip addr add 10.9.0.1/32 dev wg0
            on node ip route add 10.9.0.0/16 dev wg0
            on other ip route add 10.0.0.0/16 dev wg0
            """,
            ["a>10.9.0.1:8080", "a>10.9.0.1:81", "b>10.9.0.1:8080", "a>10.9.7.1:80", "other>10.0.1.2:8080"]
        },
        {
            "ipvs", Router + """
            on node ip link add kube-ipvs0 type dummy
            on node ip addr add 10.96.0.1/32 dev kube-ipvs0
            on node sysctl -qw net.ipv4.vs.conntrack=1
            on node ipvsadm -A -t 10.96.0.1:80 -s rr
            on node ipvsadm -a -t 10.96.0.1:80 -r 10.0.1.2:8080 -m
            on node ipvsadm -a -t 10.96.0.1:80 -r 10.0.2.2:8080 -m
            on node ipvsadm -A -t 10.96.0.1:81 -s rr
            on node ipvsadm -A -t 10.96.0.1:82 -s wlc
            on node ipvsadm -a -t 10.96.0.1:82 -r 10.0.2.2:81 -m -w 3
            on node ipset create KUBE-CLUSTER-IP hash:ip,port
            on node ipset add KUBE-CLUSTER-IP 10.96.0.1,tcp:80
            on node ipset add KUBE-CLUSTER-IP 10.96.0.1,tcp:82
            on node iptables-nft -t nat -A PREROUTING -m set --match-set KUBE-CLUSTER-IP dst,dst -j MARK --or-mark 0x4000
            on node iptables-nft -t nat -A OUTPUT -m set --match-set KUBE-CLUSTER-IP dst,dst -j MARK --or-mark 0x4000
            on node iptables-nft -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
            on other ip route add 10.96.0.0/16 via 192.0.2.1
            """,
            ["other>10.96.0.1:80", "a>10.96.0.1:80", "node>10.96.0.1:80", "other>10.96.0.1:81", "other>10.96.0.1:82", "other>10.96.0.1:83"]
        },
    };

    [Theory, MemberData(nameof(Cases))]
    public async Task A_trace_says_what_a_connection_finds(string needs, string script, string[] probes)
    {
        if (!Has(needs))
        {
            Assert.Skip($"this kernel has no {needs}, or nobody may ask for it: tests/other-kernel runs this");
        }
        using var layout = new ForeignLayout(script, script.Contains("outside", StringComparison.Ordinal) ? ["node", "outside", "a", "b"] : Hosts, ["a", "b"]);
        var trouble = await ForeignLayoutTests.DisagreementsAsync(layout, probes);
        Assert.True(trouble.Count == 0, $"{needs}\n{string.Join('\n', trouble)}");
    }

    private static bool Has(string kind)
    {
        var make = kind switch
        {
            "ipvs" => "command -v ipvsadm && ipvsadm -Ln",
            "vlan" or "ipvlan" => $"ip link add one type veth peer name two && ip link add link one name x type {kind}{(kind == "vlan" ? " id 5" : "")}",
            _ => $"{(kind == "wireguard" ? "command -v wg && " : "")}ip link add x type {kind}{(kind == "wireguard" ? "" : " local 192.0.2.1 remote 192.0.2.2")}",
        };
        using var tried = Process.Start(new ProcessStartInfo("unshare", ["--net", "sh", "-c", make]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        tried.WaitForExit();
        return tried.ExitCode == 0;
    }
}
