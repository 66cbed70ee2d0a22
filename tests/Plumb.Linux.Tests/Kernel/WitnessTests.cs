using System.Text.Json.Nodes;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

/// <summary>What Plumb writes, iproute2 reads; what iproute2 writes, Plumb reads.</summary>
public sealed class WitnessTests
{
    [Fact]
    public async Task A_pod_as_ip_and_bridge_see_it()
    {
        using var world = new TwoNodes();
        world.Apply(PodOnBridge());

        var bridge = (await Witness.Json(world.Node1, "ip -d -j link show dev cni0"))[0]!;
        Assert.Equal(("0a:58:0a:f4:01:01", 1450, "bridge", "none", "plumb:test"), (Text(bridge, "address"), (int)bridge["mtu"]!, Text(bridge["linkinfo"]!, "info_kind"), Text(bridge, "inet6_addr_gen_mode"), Text(bridge, "ifalias")));
        Assert.Equal((0, 0), ((int)bridge["linkinfo"]!["info_data"]!["stp_state"]!, (int)bridge["linkinfo"]!["info_data"]!["mcast_snooping"]!));

        var port = (await Witness.Json(world.Node1, "ip -d -j link show dev veth0"))[0]!;
        var data = port["linkinfo"]!["info_slave_data"]!;
        Assert.Equal(("cni0", false, false, true), (Text(port, "master"), (bool)data["learning"]!, (bool)data["flood"]!, (bool)data["hairpin"]!));

        var pod = (await Witness.Json(world.Pod1, "ip -d -j addr show dev eth0"))[0]!;
        Assert.Equal(("0a:58:0a:f4:01:05", "veth"), (Text(pod, "address"), Text(pod["linkinfo"]!, "info_kind")));
        Assert.Equal("10.244.1.5/32", Assert.Single(pod["addr_info"]!.AsArray().Select(a => $"{a!["local"]}/{a["prefixlen"]}")));
        Assert.Equal(
            ["10.244.1.1 via  dev eth0 link 112", "default via 10.244.1.1 dev eth0  112"],
            (await Witness.Json(world.Pod1, "ip -j route")).Select(r => $"{r!["dst"]} via {r["gateway"]} dev {r["dev"]} {r["scope"]} {r["protocol"]}").Order());
        Assert.Equal(
            "10.244.1.1 0a:58:0a:f4:01:01 [\"PERMANENT\"]",
            Assert.Single((await Witness.Json(world.Pod1, "ip -j neigh")).Select(n => $"{n!["dst"]} {n["lladdr"]} {n["state"]!.ToJsonString()}")));
        Assert.Contains(
            "0a:58:0a:f4:01:05 veth0 cni0 static",
            (await Witness.Json(world.Node1, "bridge -j fdb")).Select(f => $"{f!["mac"]} {f["ifname"]} {f["master"]} {f["state"]}"));
        Assert.Equal("1", (await Witness.Run(world.Node1, "cat", "/proc/sys/net/ipv4/ip_forward")).Trim());
    }

    [Fact]
    public async Task The_address_of_one_device_is_told_where_it_is_Plumbs()
    {
        using var world = new TwoNodes();
        world.Apply(PodOnBridge());
        Assert.Equal(PodMac, world.Kernels.MacOf(Pod, "eth0"));
        await Witness.Run(world.Pod1, "ip", "link", "set", "eth0", "address", "0a:58:0a:f4:01:77");
        await Witness.Shell(world.Pod1, "ip link add eth1 type veth peer name eth2");
        Assert.Equal("0a:58:0a:f4:01:77", world.Kernels.MacOf(Pod, "eth0").ToString());
        Assert.Null(world.Kernels.MacOf(Pod, "eth1"));
        Assert.Null(world.Kernels.MacOf(Pod, "eth7"));
        await Witness.Run(world.Pod1, "ip", "link", "set", "eth0", "alias", "somebody's");
        Assert.Null(world.Kernels.MacOf(Pod, "eth0"));
        Assert.Equal(Errno.ERANGE, Assert.Throws<NetlinkException>(() => world.Kernels.MacOf(Pod, "longer-than-a-name-can-be")).Errno);
    }

    [Fact]
    public async Task Routes_and_rules_of_all_sorts_as_ip_sees_them()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        var hop = IpAddress.Parse("10.244.1.7");
        desired.Set(new AddressEntry(Node, "cni0", IpPrefix.Parse("10.244.1.2/24")) { Protocol = RouteProtocol.Plumb });
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.9.0.0/16"))
        {
            Metric = 7, MtuBytes = 1400, NextHops = [new NextHop("cni0", hop) { Weight = 2 }, new NextHop("cni0", hop.Plus(1)) { OnLink = true }],
        });
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.8.0.0/16")) { Table = new RouteTable(1000), Type = RouteType.Blackhole });
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.7.0.0/16")) { NextHops = [new NextHop("cni0", IpAddress.Parse("fe80::1")) { OnLink = true }] });
        desired.Set(new RuleEntry(Node, IpFamily.V4, 500)
        {
            Source = IpPrefix.Parse("10.1.0.0/16"), Mark = new FirewallMark(0x10, 0xff), InputDevice = "cni0", Table = new RouteTable(1000),
        });
        desired.Set(new RuleEntry(Node, IpFamily.V6, 600) { Destination = IpPrefix.Parse("fd00::/8"), Not = true, Action = RuleAction.Prohibit });
        world.Apply(desired);

        var routes = await Witness.Run(world.Node1, "ip", "route", "show", "table", "all", "proto", "112");
        var words = routes.Replace(" linkdown", "", StringComparison.Ordinal).Replace(" \n\t", " ", StringComparison.Ordinal);
        Assert.Contains("10.9.0.0/16 metric 7 mtu 1400 nexthop via 10.244.1.7 dev cni0 weight 2 nexthop via 10.244.1.8 dev cni0 weight 1 onlink", words, StringComparison.Ordinal);
        Assert.Contains("blackhole 10.8.0.0/16 table 1000", routes, StringComparison.Ordinal);
        Assert.Contains("10.7.0.0/16 via inet6 fe80::1 dev cni0 onlink", routes, StringComparison.Ordinal);
        Assert.Contains("500:\tfrom 10.1.0.0/16 fwmark 0x10/0xff iif cni0 lookup 1000 proto 112", await Witness.Run(world.Node1, "ip", "rule"), StringComparison.Ordinal);
        Assert.Contains("600:\tnot from all to fd00::/8 prohibit proto 112", await Witness.Run(world.Node1, "ip", "-6", "rule"), StringComparison.Ordinal);
        Assert.Empty(world.Difference(desired).Items);
    }

    [Fact]
    public async Task What_ip_and_bridge_write_is_observed()
    {
        using var world = new TwoNodes();
        await Witness.Shell(world.Node1, """
            ip link add br0 address 0a:58:0a:f4:01:01 type bridge stp_state 0
            ip link set br0 addrgenmode none up
            ip link add vx address 0a:00:00:00:00:01 type vxlan id 7 dstport 8472 local 10.244.1.1 dev br0 nolearning
            ip link set vx addrgenmode none up
            ip link add va address 0a:00:00:00:00:02 type veth peer name vb address 0a:00:00:00:00:03
            ip link set va master br0 addrgenmode none up
            ip link set dev va type bridge_slave learning off isolated on
            ip addr add 10.244.1.1/24 dev br0
            ip route add 10.9.0.0/16 proto static metric 7 nexthop via 10.244.1.7 dev br0 weight 2 nexthop via 10.244.1.8 dev br0
            ip route add unreachable 10.8.0.0/16 table 1000
            ip -6 route add blackhole fd01::/64
            ip rule add from 10.1.0.0/16 fwmark 0x10/0xff lookup 1000 pref 500
            ip neigh add 10.244.1.9 lladdr 0a:58:0a:f4:01:09 dev br0 nud permanent
            ip neigh add proxy 10.244.1.10 dev br0
            bridge fdb add 0a:58:0a:f4:01:15 dev va master static
            bridge fdb append 0a:58:0a:f4:01:06 dev vx dst 192.168.1.12 self permanent
            """);

        var seen = world.Kernels.Observe([Node]).Entries.Values.Select(o => $"{o.Owner} {o.Entry.Print()}").ToHashSet();

        foreach (var line in (string[])
            [
                "Foreign link br0 type bridge stp_state 0 mcast_snooping 1 vlan_filtering 0 address 0a:58:0a:f4:01:01 mtu 1500 nomaster addrgenmode none up",
                "Foreign link vx type vxlan id 7 dstport 8472 local 10.244.1.1 dev br0 nolearning address 0a:00:00:00:00:01 mtu 1450 nomaster addrgenmode none up",
                "Foreign link vb type veth peer va netns node-1 address 0a:00:00:00:00:03 mtu 1500 nomaster down",
                "Foreign link va type veth peer vb netns node-1 address 0a:00:00:00:00:02 mtu 1500 master br0 addrgenmode none up learning off flood on mcast_flood on bcast_flood on hairpin off isolated on neigh_suppress off",
                "Foreign addr 10.244.1.1/24 dev br0 scope global",
                "Kernel route 10.244.1.0/24 dev br0 proto kernel scope link src 10.244.1.1",
                "Foreign route 10.9.0.0/16 nexthop via 10.244.1.7 dev br0 weight 2 nexthop via 10.244.1.8 dev br0 weight 1 proto static metric 7",
                "Foreign route unreachable 10.8.0.0/16 table 1000 proto boot",
                "Foreign route blackhole fd01::/64 proto boot metric 1024",
                "Foreign rule 500: from 10.1.0.0/16 fwmark 0x10/0xff lookup 1000",
                "Kernel rule 32766: from all lookup main proto kernel",
                "Foreign neigh 10.244.1.9 dev br0 lladdr 0a:58:0a:f4:01:09 nud permanent",
                "Foreign neigh proxy 10.244.1.10 dev br0",
                "Foreign fdb 0a:58:0a:f4:01:15 dev va master static",
                "Foreign fdb 0a:58:0a:f4:01:06 dev vx dst 192.168.1.12 self permanent",
            ])
        {
            Assert.True(seen.Contains(line), $"not seen: {line}\n{string.Join('\n', seen.Order())}");
        }
    }

    [Fact]
    public async Task The_other_end_of_a_veth_is_found_in_whichever_namespace_it_is()
    {
        using var world = new TwoNodes();
        using var unknown = NetworkNamespace.Create();
        await Witness.Shell(world.Node1, $"ip link add va type veth peer name vb netns {world.Pod1.ProcPath}; ip link add vc type veth peer name vd netns {unknown.ProcPath}");

        var both = world.Kernels.Observe(Both);
        var alone = world.Kernels.Observe([Pod]);

        Assert.Equal(new LinkType.Veth(Pod, "vb"), Type(both, Node, "va"));
        Assert.Equal(new LinkType.Veth(Node, "va"), Type(both, Pod, "vb"));
        Assert.Equal(new LinkType.Veth(Node, "va"), Type(alone, Pod, "vb"));
        Assert.Equal(new LinkType.Veth(null, null), Type(both, Node, "vc"));
    }

    private static LinkType Type(ObservedState state, NamespaceId id, string name) =>
        ((LinkEntry)state.Entries[new EntryKey(id, EntryKind.Link, name)].Entry).Type;

    private static string? Text(JsonNode node, string name) => (string?)node[name];
}
