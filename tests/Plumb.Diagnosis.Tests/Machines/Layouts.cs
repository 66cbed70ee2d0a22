namespace Plumb.Diagnosis.Tests.Machines;

/// <summary>Scripts of networks as other tools make them.</summary>
internal static class Layouts
{
    private const string Outside = """

        cable node eth0 outside eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on outside ip addr add 192.0.2.2/24 dev eth0
        on node sysctl -qw net.ipv4.ip_forward=1

        """;

    /// <summary>The reference plugins bridge (ipMasq), host-local and portmap.</summary>
    public const string Bridge = Outside + """
        on node ip link add cni0 type bridge
        on node ip addr add 10.22.0.1/24 dev cni0
        on node ip link set cni0 up
        for pod in a b; do
            cable node veth$pod $pod eth0
            on node ip link set veth$pod master cni0
            on node bridge link set dev veth$pod hairpin on
        done
        on a ip addr add 10.22.0.2/24 dev eth0
        on b ip addr add 10.22.0.3/24 dev eth0
        on a ip route add default via 10.22.0.1
        on b ip route add default via 10.22.0.1
        on node iptables-nft-restore <<E
        *nat
        :CNI-HOSTPORT-DNAT - [0:0]
        :CNI-HOSTPORT-SETMARK - [0:0]
        :CNI-HOSTPORT-MASQ - [0:0]
        :CNI-DN-0123456789abcdef01234 - [0:0]
        :CNI-0123456789abcdef01234567 - [0:0]
        -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
        -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
        -A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
        -A POSTROUTING -s 10.22.0.2/32 -m comment --comment "name: \"net\" id: \"a0123456789ab\"" -j CNI-0123456789abcdef01234567
        -A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"net\" id: \"b0123456789ab\"" -m multiport --dports 18080 -j CNI-DN-0123456789abcdef01234
        -A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
        -A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
        -A CNI-DN-0123456789abcdef01234 -s 10.22.0.0/24 -p tcp -m tcp --dport 18080 -j CNI-HOSTPORT-SETMARK
        -A CNI-DN-0123456789abcdef01234 -p tcp -m tcp --dport 18080 -j DNAT --to-destination 10.22.0.3:8080
        -A CNI-0123456789abcdef01234567 -d 10.22.0.0/24 -m comment --comment "name: \"net\" id: \"a0123456789ab\"" -j ACCEPT
        -A CNI-0123456789abcdef01234567 ! -d 224.0.0.0/4 -m comment --comment "name: \"net\" id: \"a0123456789ab\"" -j MASQUERADE
        COMMIT
        E
        """;

    /// <summary>The reference plugin ptp: no bridge, a route for each container.</summary>
    public const string Ptp = Outside + """
        for pod in a b; do
            cable node veth$pod $pod eth0
            on node ip addr add 10.20.0.1/32 dev veth$pod
        done
        on node ip route add 10.20.0.2 dev vetha scope host
        on node ip route add 10.20.0.3 dev vethb scope host
        on a ip addr add 10.20.0.2/24 dev eth0
        on b ip addr add 10.20.0.3/24 dev eth0
        for pod in a b; do
            on $pod ip route del 10.20.0.0/24
            on $pod ip route add 10.20.0.1 dev eth0
            on $pod ip route add 10.20.0.0/24 via 10.20.0.1 dev eth0
            on $pod ip route add default via 10.20.0.1 dev eth0
        done
        on outside ip route add 10.20.0.0/24 via 192.0.2.1
        """;

    /// <summary>Docker's default bridge with a published port: FORWARD lets nothing else through.</summary>
    public const string Docker = Outside + """
        on node ip link add docker0 type bridge
        on node ip addr add 172.17.0.1/16 dev docker0
        on node ip link set docker0 up
        for pod in a b; do
            cable node veth$pod $pod eth0
            on node ip link set veth$pod master docker0
        done
        on a ip addr add 172.17.0.2/16 dev eth0
        on b ip addr add 172.17.0.3/16 dev eth0
        on a ip route add default via 172.17.0.1
        on b ip route add default via 172.17.0.1
        on outside ip route add 172.17.0.0/16 via 192.0.2.1
        on node iptables-nft-restore <<E
        *nat
        :DOCKER - [0:0]
        -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
        -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
        -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
        -A DOCKER ! -i docker0 -p tcp -m tcp --dport 18080 -j DNAT --to-destination 172.17.0.3:8080
        COMMIT
        *filter
        :FORWARD DROP [0:0]
        :DOCKER - [0:0]
        :DOCKER-USER - [0:0]
        -A FORWARD -j DOCKER-USER
        -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A FORWARD -o docker0 -j DOCKER
        -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
        -A FORWARD -i docker0 -o docker0 -j ACCEPT
        -A DOCKER -d 172.17.0.3/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 8080 -j ACCEPT
        COMMIT
        E
        """;

    /// <summary>As <see cref="Docker"/>, and beside it the older variant of iptables, whose FORWARD lets nothing through at all.</summary>
    public const string BothVariants = Docker + """

        on node iptables-legacy -P FORWARD DROP
        on node iptables-legacy -A FORWARD -s 172.17.0.2/32 -j ACCEPT
        on node iptables-legacy -A FORWARD -d 172.17.0.2/32 -j ACCEPT
        """;

    /// <summary>Flannel's back end vxlan on two nodes: neighbours and forwarding entries are all programmed.</summary>
    public const string Flannel = """
        cable node eth0 other eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on other ip addr add 192.0.2.2/24 dev eth0
        nodes() {
            on $1 sysctl -qw net.ipv4.ip_forward=1
            on $1 ip link add flannel.1 address 0a:00:00:00:00:0$2 type vxlan id 1 local 192.0.2.$2 dev eth0 dstport 8472 nolearning
            on $1 ip addr add 10.244.$2.0/32 dev flannel.1
            on $1 ip link set flannel.1 up
            on $1 ip link add cni0 type bridge
            on $1 ip addr add 10.244.$2.1/24 dev cni0
            on $1 ip link set cni0 up
            on $1 ip route add 10.244.$3.0/24 via 10.244.$3.0 dev flannel.1 onlink
            on $1 ip neigh add 10.244.$3.0 lladdr 0a:00:00:00:00:0$3 dev flannel.1 nud permanent
            on $1 bridge fdb add 0a:00:00:00:00:0$3 dev flannel.1 dst 192.0.2.$3
            cable $1 veth$4 $4 eth0
            on $1 ip link set veth$4 master cni0
            on $4 ip addr add 10.244.$2.2/24 dev eth0
            on $4 ip route add default via 10.244.$2.1
            on $1 iptables-nft-restore <<E
        *nat
        :FLANNEL-POSTRTG - [0:0]
        -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
        -A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN
        -A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE
        COMMIT
        *filter
        :FORWARD DROP [0:0]
        :FLANNEL-FWD - [0:0]
        -A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
        -A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
        -A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
        COMMIT
        E
        }
        nodes node 1 2 a
        nodes other 2 1 b
        """;

    /// <summary>Weave's one layer 2 over all nodes: bridges joined by a tunnel that learns.</summary>
    public const string Weave = """
        cable node eth0 other eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on other ip addr add 192.0.2.2/24 dev eth0
        nodes() {
            on $1 ip link add weave type bridge
            on $1 ip addr add 10.32.0.$2/12 dev weave
            on $1 ip link set weave up
            on $1 ip link add vxlan-6784 type vxlan id 1 local 192.0.2.$2 dev eth0 dstport 6784
            on $1 ip link set vxlan-6784 master weave up
            on $1 bridge fdb append 00:00:00:00:00:00 dev vxlan-6784 dst 192.0.2.$3
            cable $1 vethwepl$4 $4 eth0
            on $1 ip link set vethwepl$4 master weave
            on $4 ip addr add 10.32.0.1$2/12 dev eth0
        }
        nodes node 1 2 a
        nodes other 2 1 b
        """;

    private const string Quick = """

        for host in node outside a b; do on $host sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=20; done
        """;

    private const string Switch = """
        on outside ip link add eth0 type bridge
        on outside ip addr add 192.0.2.2/24 dev eth0
        on outside ip link set eth0 up
        cable node uplink outside port
        on outside ip link set port master eth0

        """;

    /// <summary>The reference plugin macvlan: pods with hardware addresses of their own on the node's device, behind a switch.</summary>
    /// <param name="reflects">The switch sends frames back by the port that they came in by.</param>
    public static string Macvlan(string mode, bool reflects = false) => Switch + (reflects ? "on outside bridge link set dev port hairpin on\n" : "") + """
        on node ip link set uplink down
        on node ip link set uplink name eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on node ip link set eth0 up

        """ + Sits("a", 11, mode) + Sits("b", 12, mode) + Quick;

    /// <summary>As the reference plugin ipvlan makes it.</summary>
    public static string Ipvlan(string mode) => Macvlan("bridge").Replace("type macvlan mode bridge", $"type ipvlan mode {mode}", StringComparison.Ordinal);

    /// <summary>One pod has all of the node's device; the other is behind the same switch.</summary>
    public static readonly string Passthru = Switch + """
        on node ip link set uplink down
        on node ip link set uplink name eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on node ip link set eth0 up
        cable b eth0 outside other
        on outside ip link set other master eth0
        on b ip addr add 192.0.2.12/24 dev eth0

        """ + Sits("a", 11, "passthru") + Quick;

    public static readonly string MacvlanOnBridge = Switch + """
        on node ip link add eth0 type bridge
        on node ip link set uplink master eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on node ip link set eth0 up

        """ + Sits("a", 11, "bridge") + Sits("b", 12, "bridge") + Quick;

    private static string Sits(string pod, int number, string mode) => $"""
        on node ip link add mv{pod} link eth0 type macvlan mode {mode}
        on node ip link set mv{pod} netns ${pod}
        on {pod} ip link set mv{pod} name eth0
        on {pod} ip addr add 192.0.2.{number}/24 dev eth0
        on {pod} ip link set eth0 up

        """;
}
