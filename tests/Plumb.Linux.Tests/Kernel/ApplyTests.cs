using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

public sealed class ApplyTests
{
    [Fact]
    public void A_pod_on_a_bridge_is_applied_and_then_there_is_nothing_left_to_do()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();

        world.Apply(desired);

        Assert.Equal("", string.Join('\n', world.Difference(desired).Items));
    }

    [Fact]
    public void Removing_what_is_no_longer_desired_leaves_two_namespaces_as_they_were()
    {
        using var world = new TwoNodes();
        var onlyLoopback = new DesiredState();
        onlyLoopback.Set(new LinkEntry(Pod, "lo", new LinkType.Loopback()) { Up = true });
        world.Apply(onlyLoopback);
        var before = Keys(world);

        world.Apply(PodOnBridge());
        Assert.NotEqual(before, Keys(world));
        world.Apply(onlyLoopback);

        Assert.Equal(before, Keys(world));
    }

    [Fact]
    public void Links_and_tables_are_applied_together_and_removed_together()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        desired.Set(new TableEntry(Node, new TableId(TableFamily.Inet, "plumb")));
        world.Apply(desired);
        Assert.Empty(world.Difference(desired).Items);

        desired.Remove(desired.Entries.Keys.Single(k => k.Kind == EntryKind.Table));
        world.Apply(desired);

        Assert.DoesNotContain(world.Kernels.Observe(Both).Entries.Keys, k => k.Kind == EntryKind.Table);
    }

    [Fact]
    public async Task Cables_that_go_together_go_with_their_other_ends_and_no_link_of_others_goes_with_them()
    {
        using var world = new TwoNodes();
        var with = new DesiredState();
        for (var i = 0; i < 5; i++)
        {
            with.Set(new LinkEntry(Node, $"veth{i}", new LinkType.Veth(Pod, $"eth{i}")) { Up = true }, new Stamp("plumb:test"));
        }
        with.Set(new LinkEntry(Node, "cni0", new LinkType.Bridge()) { Up = true }, new Stamp("plumb:test"));
        world.Apply(with);
        await Witness.Shell(world.Node1, "ip link add theirs group 7 type bridge; ip link add also type veth peer name other; ip link del veth3");

        world.Kernels.Apply([.. with.Entries.Values.Select(static want => new DeltaItem(null, want.Entry))]);

        Assert.Equal(["lo", "theirs", "also", "other"], await NamesAsync(world.Node1));
        Assert.Equal(["lo"], await NamesAsync(world.Pod1));

        static async Task<IEnumerable<string>> NamesAsync(NetworkNamespace inside) =>
            (await Witness.Json(inside, "ip -j link")).Select(static link => (string)link!["ifname"]!).OrderBy(static name => "lo theirs also other".IndexOf(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_neighbour_that_the_kernel_has_learned_gives_way()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        world.Apply(desired);
        await Witness.Shell(world.Node1, "ip neigh replace 10.244.1.5 lladdr 0a:00:00:00:00:99 dev cni0 nud stale protocol 0");

        world.Apply(desired);

        Assert.Contains("0a:58:0a:f4:01:05 PERMANENT", await Witness.Run(world.Node1, "ip", "neigh"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_route_under_a_desired_key_is_a_conflict_that_names_it_and_stays()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        world.Apply(desired);
        await Witness.Shell(world.Node1, "ip route replace blackhole 10.244.1.5 proto static");

        var delta = world.Difference(desired);

        Assert.Empty(delta.Items);
        Assert.Equal("node-1: route blackhole 10.244.1.5 proto static", Assert.Single(delta.Conflicts).Holds.Entry.ToString());
    }

    [Fact]
    public async Task What_somebody_removed_is_put_back_and_nothing_else_is_touched()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        world.Apply(desired);
        await Witness.Shell(world.Node1, "ip route del 10.244.1.5; bridge fdb del 0a:58:0a:f4:01:05 dev veth0 master; ip addr add 10.99.0.1/24 dev cni0");

        var delta = world.Difference(desired);
        world.Apply(desired);

        Assert.Equal(["fdb 0a:58:0a:f4:01:05 dev veth0 master static", "route 10.244.1.5 dev cni0 proto 112 scope link"], delta.Items.Select(i => i.Want!.Entry.Print()).Order());
        Assert.Contains("10.99.0.1/24", await Witness.Run(world.Node1, "ip", "addr"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_that_differ_in_not_alone_are_one_rule_and_it_is_changed()
    {
        using var world = new TwoNodes();
        var rule = new RuleEntry(Node, IpFamily.V4, 100) { Mark = new FirewallMark(1, 0xff) };
        var desired = new DesiredState();
        desired.Set(rule);
        world.Apply(desired);

        desired.Set(rule with { Not = true });
        world.Apply(desired);

        Assert.Empty(world.Difference(desired).Items);
        Assert.Contains("100:\tnot from all fwmark 0x1/0xff lookup main proto 112", await Witness.Run(world.Node1, "ip", "rule"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_veth_whose_other_end_is_in_an_unknown_namespace_names_it()
    {
        using var world = new TwoNodes();
        var desired = new DesiredState();
        desired.Set(new LinkEntry(Node, "a", new LinkType.Veth(new NamespaceId("nowhere"), "b")));

        Assert.Equal(
            "node-1: link a type veth peer b netns nowhere: the namespace of its other end, nowhere, is not known",
            Assert.Throws<ApplyException>(() => world.Apply(desired)).Refusals[0].ToString());
    }

    [Fact]
    public void What_a_refused_entry_is_called_and_why_is_said_and_the_others_are_done()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.9.0.0/16")) { NextHops = [new NextHop("cni0", IpAddress.Parse("172.16.0.1"))] });
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.8.0.0/16")) { NextHops = [new NextHop("nowhere", null)] });

        var exception = Assert.Throws<ApplyException>(() => world.Apply(desired));

        Assert.Equal(
            [
                "node-1: route 10.8.0.0/16 dev nowhere proto 112: there is no device nowhere",
                "node-1: route 10.9.0.0/16 via 172.16.0.1 dev cni0 proto 112: Nexthop has invalid gateway: Network is unreachable (ENETUNREACH)",
            ],
            exception.Refusals.Select(r => r.ToString()).Order());
        Assert.Equal(2, world.Difference(desired).Items.Count);
    }

    private static List<string> Keys(TwoNodes world) =>
        [.. world.Kernels.Observe(Both).Entries.Values.Where(o => !o.Entry.Key.Name.Contains("ff00::", StringComparison.Ordinal)).Select(o => o.Entry.ToString()).Order()];
}
