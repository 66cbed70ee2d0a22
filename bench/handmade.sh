#!/usr/bin/env bash
# handmade.sh routed|vxlan bare|hooks COMMAND…: two machines on a bridge, a pod on each, by `ip` alone, in a user namespace of its own, while COMMAND
# runs there: `ip netns exec p1` is the one pod, 10.244.1.2, and `ip netns exec p2` the other, 10.244.2.2.
# With `hooks`, each machine has connection tracking and a masquerade rule for what leaves the cluster, as a Kubernetes node must.
set -euo pipefail
if [ -z "${HANDMADE_INSIDE:-}" ]; then
    HANDMADE_INSIDE=1 exec unshare --user --map-root-user --mount --net --pid --fork --kill-child --mount-proc "$0" "$@"
fi
overlay=$1 hooks=$2
shift 2
mount -t tmpfs none /run
for name in wire n1 n2 p1 p2; do ip netns add $name; ip -n $name link set lo up; done
ip -n wire link add wire0 type bridge
ip -n wire link set wire0 up
for i in 1 2; do
    node=n$i pod=p$i other=$((3 - i))
    ip -n wire link add $node type veth peer name eth0 netns $node
    ip -n wire link set $node master wire0 up
    ip -n $node addr add 192.168.1.1$i/24 dev eth0
    ip -n $node link set eth0 up
    ip -n $node link add cni0 type bridge
    ip -n $node addr add 10.244.$i.1/24 dev cni0
    ip -n $node link set cni0 up
    ip -n $node link add v$pod type veth peer name eth0 netns $pod
    ip -n $node link set v$pod master cni0 up
    ip -n $pod addr add 10.244.$i.2/24 dev eth0
    ip -n $pod link set eth0 up
    ip -n $pod route add default via 10.244.$i.1
    ip netns exec $node sysctl -qw net.ipv4.ip_forward=1
    if [ "$overlay" = routed ]; then
        ip -n $node route add 10.244.$other.0/24 via 192.168.1.1$other
    else
        ip -n $node link add vxlan1 address 02:00:00:00:00:0$i type vxlan id 1 dstport 8472 local 192.168.1.1$i dev eth0 nolearning
        ip -n $node link set vxlan1 up
        ip -n $node addr add 10.244.$i.0/32 dev vxlan1
        ip -n $node neigh add 10.244.$other.0 lladdr 02:00:00:00:00:0$other dev vxlan1 nud permanent
        bridge -n $node fdb add 02:00:00:00:00:0$other dev vxlan1 dst 192.168.1.1$other
        ip -n $node route add 10.244.$other.0/24 via 10.244.$other.0 dev vxlan1 onlink
        ip -n $pod link set eth0 mtu 1450
        ip -n $node link set cni0 mtu 1450
    fi
    if [ "$hooks" = hooks ]; then
        # As an ordinary host has it (systemd's default), and as a node's wire and tunnel must.
        ip netns exec $node sysctl -qw net.ipv4.conf.eth0.rp_filter=2
        if [ "$overlay" = vxlan ]; then ip netns exec $node sysctl -qw net.ipv4.conf.vxlan1.rp_filter=2; fi
        ip netns exec $node nft -f - <<RULES
table ip hand {
    chain post {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr 10.244.0.0/16 ip daddr != { 10.244.0.0/16, 192.168.1.0/24 } masquerade
    }
}
RULES
    fi
done
"$@"
