using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Network.Tests.Mirroring;

/// <summary>What a mirror puts into the kernels of its two nodes.</summary>
public sealed class MirrorLayerTests
{
    private static readonly SandboxId Client = new("0123456789ab", "eth0");

    [Fact]
    public void Of_a_pod_of_this_node()
    {
        var planner = Planned();
        var mirror = new Mirror(1, 1002, "default/client", "node-3", "process 7") { Source = Client };

        var items = planner.Apply([new Change(mirror.Subject)], planner.View with { Node = planner.View.Node.With(mirror) });

        Assert.Equal(
            [
                "fdb 00:00:00:00:00:00 dev plumb-mir1 dst 192.168.1.13 self permanent",
                "filter dev veth01234567 egress pref 115 protocol all u32 match u32 0 0 action mirred egress mirror dev plumb-mir1 continue",
                "filter dev veth01234567 ingress pref 114 protocol all u32 match u32 0 0 action mirred egress mirror dev plumb-mir1 continue",
                "link plumb-mir1 type vxlan id 1002 dstport 4789 local 192.168.1.11 dev eth0 nolearning gso_max_segs 1 mtu 1279 up",
                "qdisc clsact dev veth01234567",
                "sysctl net/ipv4/conf/plumb-mir1/arp_ignore = 8",
                "sysctl net/ipv4/conf/plumb-mir1/rp_filter = 1",
            ],
            items.Select(static item => item.Want!.Entry.Print()).Order(StringComparer.Ordinal));
        Assert.Equal("plumb:Mirror plumb-mir1 of default/client to node-3, for process 7", items.First(static item => item.Key.Kind == EntryKind.Link).Want!.Stamp!.Value.Text);
    }

    [Theory]
    [InlineData(MirrorDirection.Egress, "ingress pref 112")]
    [InlineData(MirrorDirection.Ingress, "egress pref 113")]
    public void What_the_pod_sends_comes_in_at_the_nodes_end(MirrorDirection direction, string filter)
    {
        var planner = Planned();
        var mirror = new Mirror(0, 1001, "default/client", "node-3", "process 7") { Source = Client, Direction = direction };

        var items = planner.Apply([new Change(mirror.Subject)], planner.View with { Node = planner.View.Node.With(mirror) });

        Assert.Contains(filter, Assert.Single(items, static item => item.Key.Kind == EntryKind.Filter).Key.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_pod_elsewhere_there_is_only_the_tunnels_end()
    {
        var planner = Planned();
        var mirror = new Mirror(0, 1001, "default/web", "node-3", "process 7");

        var items = planner.Apply([new Change(mirror.Subject)], planner.View with { Node = planner.View.Node.With(mirror) });

        Assert.Equal(
            ["Link plumb-mir0", "Sysctl net/ipv4/conf/plumb-mir0/arp_ignore", "Sysctl net/ipv4/conf/plumb-mir0/rp_filter"],
            items.Select(static item => $"{item.Key.Kind} {item.Key.Name}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void It_goes_with_the_pod_and_says_why_it_cannot_be()
    {
        var planner = Planned();
        var mirror = new Mirror(0, 1001, "default/client", "node-3", "process 7") { Source = Client };
        planner.Apply([new Change(mirror.Subject)], planner.View with { Node = planner.View.Node.With(mirror) });

        var items = planner.Apply([new Change(Client.Subject)], planner.View with { Node = planner.View.Node.Without(Client) });

        Assert.Contains(items, static item => item is { Want: null, Key: { Kind: EntryKind.Link, Name: "plumb-mir0" } });
        Assert.Equal("default/client is not on this node any more", Assert.Single(planner.Index.Refusals()).Line);

        planner.Apply([new Change(Subject.Node("node-3"))], planner.View with { Cluster = planner.View.Cluster.WithoutNode("node-3"), Node = planner.View.Node.With(Pod()) });
        Assert.Equal("node-3 has no IPv4 address that a tunnel could end at", Assert.Single(planner.Index.Refusals()).Line);
    }

    private static Sandbox Pod() => new(Client, new NamespaceId("default/client"), [new PodLease(IpAddress.Parse("10.244.1.2"), IpPrefix.Parse("10.244.1.0/24"))]) { PodScope = "default", PodName = "client" };

    private static Planner Planned()
    {
        var cluster = ClusterView.Empty;
        for (var i = 1; i <= 3; i++)
        {
            cluster = cluster.With(new ClusterNode($"node-{i}") { Addresses = [IpAddress.V4(192, 168, 1, (byte)(10 + i))], PodRanges = [IpPrefix.Parse($"10.244.{i}.0/24")] });
        }
        var wire = new Underlay("eth0", MacAddress.FromNumber(0x02_00_00_00_00_01), 1500, [IpPrefix.Parse("192.168.1.11/24")], []);
        var node = NodeFacts.Create("node-1", new NamespaceId("node-1"), NetworkOptions.Default, wire).With(Pod());
        return Planner.FromScratch(Layers.For(NetworkOptions.Default), new NetworkView(cluster, node));
    }
}
