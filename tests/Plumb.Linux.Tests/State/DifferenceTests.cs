using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.State;

public sealed class DifferenceTests
{
    private static readonly NamespaceId Node = new("node-1");
    private static readonly IpPrefix Range = IpPrefix.Parse("10.244.2.0/24");

    private readonly DesiredState _desired = new();
    private readonly ObservedState _observed = new();

    [Fact]
    public void What_is_there_as_desired_costs_nothing()
    {
        _desired.Set(Route("192.168.1.12"));
        Holds(Route("192.168.1.12"), Owner.Plumb);

        Assert.True(Difference.Between(_desired, _observed).IsEmpty);
    }

    [Fact]
    public void What_is_missing_is_added_and_what_is_no_longer_desired_is_removed()
    {
        var stale = Route("192.168.1.13") with { Metric = 7 };
        _desired.Set(Route("192.168.1.12"));
        Holds(stale, Owner.Plumb);

        var delta = Difference.Between(_desired, _observed);

        Assert.Equal([new DeltaItem(new Desired(Route("192.168.1.12")), null), new DeltaItem(null, stale)], delta.Items);
        Assert.Empty(delta.Conflicts);
    }

    [Fact]
    public void What_could_not_be_read_is_neither_missing_nor_in_the_way()
    {
        var rule = new IptablesRuleEntry(Node, new IptablesTable(IpFamily.V4, IptablesTable.Nat), "PREROUTING", "-j KUBE-SERVICES");
        _desired.Set(Route("192.168.1.12"));
        _desired.Set(rule);
        Assert.Equal(2, Difference.Between(_desired, _observed).Items.Count);

        _observed.SetUnread(Node, EntryKind.IptablesRule, "no such program");

        Assert.Equal(EntryKind.Route, Assert.Single(Difference.Between(_desired, _observed).Items).Key.Kind);
    }

    [Fact]
    public void A_changed_value_of_Plumbs_own_is_changed_with_what_it_was()
    {
        _desired.Set(Route("192.168.1.12"));
        Holds(Route("192.168.1.13"), Owner.Plumb);

        var item = Assert.Single(Difference.Between(_desired, _observed).Items);

        Assert.Equal(Route("192.168.1.12"), item.Want?.Entry);
        Assert.Equal(Route("192.168.1.13"), item.Was);
    }

    [Theory]
    [InlineData(Owner.Foreign)]
    [InlineData(Owner.Kernel)]
    public void What_is_not_Plumbs_is_never_touched_and_is_named_where_it_is_in_the_way(Owner owner)
    {
        var theirs = Route("192.168.1.13") with { Protocol = RouteProtocol.Static };
        Holds(theirs, owner);
        Assert.True(Difference.Between(_desired, _observed).IsEmpty);

        _desired.Set(Route("192.168.1.12"));
        var delta = Difference.Between(_desired, _observed);

        Assert.True(delta.IsEmpty);
        Assert.Equal(theirs, Assert.Single(delta.Conflicts).Holds.Entry);
    }

    [Fact]
    public void The_loopback_device_and_kernel_parameters_are_set_but_never_removed()
    {
        var loopback = new LinkEntry(Node, "lo", new LinkType.Loopback());
        Holds(loopback with { Up = false }, Owner.Kernel);
        Holds(new SysctlEntry(Node, "net/ipv4/ip_forward", "0"), Owner.Kernel);
        Assert.True(Difference.Between(_desired, _observed).IsEmpty);

        _desired.Set(loopback with { Up = true });
        _desired.Set(new SysctlEntry(Node, "net/ipv4/ip_forward", "1"));

        Assert.Equal(2, Difference.Between(_desired, _observed).Items.Count);
    }

    [Fact]
    public void Properties_that_are_not_stated_are_not_compared()
    {
        _desired.Set(new LinkEntry(Node, "cni0", new LinkType.Bridge { VlanFiltering = false }) { MtuBytes = 1450 });
        var holds = new LinkEntry(Node, "cni0", new LinkType.Bridge { VlanFiltering = false, SpanningTree = false })
        {
            MtuBytes = 1450,
            Up = true,
            Mac = MacAddress.Parse("0a:57:c0:a8:01:0b"),
        };
        Holds(holds, Owner.Plumb);
        Assert.True(Difference.Between(_desired, _observed).IsEmpty);

        Holds(holds with { MtuBytes = 1500 }, Owner.Plumb);
        Assert.Single(Difference.Between(_desired, _observed).Items);
    }

    [Fact]
    public void Another_stamp_on_a_link_is_a_difference_and_on_a_route_there_is_no_room_for_one()
    {
        var link = new LinkEntry(Node, "cni0", new LinkType.Bridge());
        _desired.Set(link, new Stamp("plumb:Node node-1"));
        _desired.Set(Route("192.168.1.12"), new Stamp("plumb:Node node-2"));
        Holds(Route("192.168.1.12"), Owner.Plumb);
        Holds(link, Owner.Plumb, "plumb:Node node-1");
        Assert.True(Difference.Between(_desired, _observed).IsEmpty);

        Holds(link, Owner.Plumb, "plumb:Node node-9");
        Assert.Single(Difference.Between(_desired, _observed).Items);
    }

    [Fact]
    public void Kinds_that_were_not_observed_take_no_part()
    {
        _desired.Set(Route("192.168.1.12"));
        _desired.Set(new LinkEntry(Node, "cni0", new LinkType.Bridge()));

        var delta = Difference.Between(_desired, _observed, new HashSet<EntryKind> { EntryKind.Route });

        Assert.Equal(EntryKind.Route, Assert.Single(delta.Items).Key.Kind);
    }

    private static RouteEntry Route(string via) => new(Node, Range) { NextHops = [new NextHop("eth0", IpAddress.Parse(via))] };

    private void Holds(Entry entry, Owner owner, string? stamp = null) =>
        _observed.Set(new Observed(entry, owner, stamp is null ? null : new Stamp(stamp), new KernelFacts()));
}
