using Plumb.Diagnosis.Explain;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Diagnosis.Tests.Explain;

public sealed class AccountTests
{
    private static readonly NamespaceId Node = new("node-1");

    [Fact]
    public void What_was_planned_is_named_with_its_objects()
    {
        var route = Route("10.244.2.0/24", "eth0", RouteProtocol.Plumb, "192.168.1.12");

        var explanation = Assert.Single(Account.Of(Held((route, Owner.Plumb, null)), Planned((route, Subject.Node("node-2")))));

        Assert.Equal(Standing.Planned, explanation.Standing);
        Assert.Equal("Plumb's, for Node node-2", explanation.Reason);
        Assert.Equal([new Origin(Subject.Node("node-2"))], explanation.Causes);
    }

    [Fact]
    public void What_was_planned_and_is_not_there_is_missing()
    {
        var route = Route("10.244.2.0/24", "eth0", RouteProtocol.Plumb, "192.168.1.12");

        var explanation = Assert.Single(Account.Of(new ObservedState(), Planned((route, Subject.Node("node-2")))));

        Assert.Equal(Standing.Missing, explanation.Standing);
        Assert.Equal("planned for Node node-2, and the kernel does not hold it", explanation.Reason);
    }

    [Fact]
    public void A_mark_of_Plumbs_without_a_plan_is_left_over_and_its_stamp_says_from_what()
    {
        var link = new LinkEntry(Node, "veth01234567", new LinkType.Veth(null, null));
        var stamp = new Origin(Subject.Pod("default", "client")).ToStamp(Origin.AliasBytes);

        var explanation = Assert.Single(Account.Of(Held((link, Owner.Plumb, stamp)), Planned()));

        Assert.Equal(Standing.LeftOver, explanation.Standing);
        Assert.Equal("bears Plumb's mark for Pod default/client, and no plan wants it: an agent takes it away, or none runs", explanation.Reason);
    }

    [Fact]
    public void The_kernels_own_entries_say_why_the_kernel_made_them()
    {
        var account = Account.Of(
            Held(
                (new LinkEntry(Node, "lo", new LinkType.Loopback()), Owner.Kernel, null),
                (new AddressEntry(Node, "lo", IpPrefix.Parse("127.0.0.1/8")), Owner.Kernel, null),
                (Route("127.0.0.0/8", "lo", RouteProtocol.Kernel, null) with { Table = RouteTable.Local, Type = RouteType.Local }, Owner.Kernel, null),
                (new RuleEntry(Node, IpFamily.V4, 32766) { Table = RouteTable.Main, Protocol = RouteProtocol.Kernel }, Owner.Kernel, null),
                (new LinkEntry(Node, "sit0", new LinkType.Other("sit")), Owner.Foreign, null)),
            Planned());

        Assert.All(account, static e => Assert.Equal(Standing.Kernel, e.Standing));
        Assert.Equal(
            [
                "the kernel's own: every namespace is born with a loopback",
                "the kernel's own: a module's first device, there since the module is",
                "the kernel's own: loopback's own address, there since it is up",
                "the kernel's own: all of the loopback network is delivered here",
                "the kernel's own: a rule that every namespace is born with",
            ],
            account.Select(static e => e.Reason));
    }

    [Fact]
    public void The_labs_wire_is_known_by_alias_and_protocol()
    {
        var account = Account.Of(
            Held(
                (new LinkEntry(Node, "eth0", new LinkType.Veth(null, null)), Owner.Foreign, new Stamp("plumb-lab: cable to the wire")),
                (new AddressEntry(Node, "eth0", IpPrefix.Parse("192.168.1.11/24")), Owner.Foreign, null),
                (Route("0.0.0.0/0", "eth0", RouteProtocol.PlumbLab, "192.168.1.1"), Owner.Foreign, null)),
            Planned());

        Assert.All(account, static e => Assert.Equal(Standing.Known, e.Standing));
        Assert.Equal(
            ["the lab's: cable to the wire", "an address of eth0 (the lab's: cable to the wire)", "the lab's: how machines on the wire reach one another"],
            account.Select(static e => e.Reason));
    }

    [Theory]
    [InlineData("docker0", "Docker: the bridge of the network that containers are in if they are told nothing else")]
    [InlineData("cali0123456789a", "Calico: a pod's device; the letters are a hash of the pod's name")]
    [InlineData("flannel.1", "Flannel: the VXLAN tunnel to the pods of other nodes; the number is the VNI")]
    public void Devices_of_other_programs_are_recognised(string name, string who)
    {
        var account = Account.Of(Held((new LinkEntry(Node, name, new LinkType.Bridge()), Owner.Foreign, null)), Planned());

        Assert.Equal((Standing.Known, who), (account[0].Standing, account[0].Reason));
    }

    [Fact]
    public void A_route_that_somebody_typed_is_unexplained()
    {
        var account = Account.Of(Held((Route("198.51.100.0/24", "eth0", RouteProtocol.Boot, "192.168.1.77"), Owner.Foreign, null)), Planned());

        Assert.Equal(Standing.Unexplained, account[0].Standing);
        Assert.Equal("nobody known: added by hand or by a script (protocol boot)", account[0].Reason);
    }

    [Fact]
    public void A_connected_route_is_the_kernels_only_while_its_address_is_there()
    {
        var route = Route("192.168.1.0/24", "eth0", RouteProtocol.Kernel, null);
        var wire = (Entry: (Entry)new AddressEntry(Node, "eth0", IpPrefix.Parse("192.168.1.11/24")) { Protocol = RouteProtocol.PlumbLab }, Owner.Foreign, (Stamp?)null);

        var with = Account.Of(Held(wire, (route, Owner.Kernel, null)), Planned());
        var without = Account.Of(Held((route, Owner.Kernel, null)), Planned());

        Assert.Equal("the kernel's own: connected: 192.168.1.11/24 is an address of eth0", with.Single(static e => e.Key.Kind == EntryKind.Route).Reason);
        Assert.Equal(Standing.Unexplained, Assert.Single(without).Standing);
    }

    [Fact]
    public void A_parameter_that_no_plan_has_an_interest_in_is_left_out()
    {
        var mine = new SysctlEntry(Node, "net/ipv4/ip_forward", "1");
        var other = new SysctlEntry(Node, "net/ipv4/tcp_ecn", "2");

        var account = Account.Of(Held((mine, Owner.Foreign, null), (other, Owner.Foreign, null)), Planned((mine, Subject.Machine)));

        Assert.Equal(mine.Key, Assert.Single(account).Key);
    }

    internal static RouteEntry Route(string destination, string device, RouteProtocol protocol, string? gateway) => new(Node, IpPrefix.Parse(destination))
    {
        Protocol = protocol,
        NextHops = [new NextHop(device, gateway is null ? null : IpAddress.Parse(gateway))],
    };

    internal static ObservedState Held(params (Entry Entry, Owner Owner, Stamp? Stamp)[] entries)
    {
        var state = new ObservedState();
        foreach (var (entry, owner, stamp) in entries)
        {
            state.Set(new Observed(entry, owner, stamp, new KernelFacts(Handle: entry is LinkEntry ? 42u : 0u)));
        }
        return state;
    }

    internal static Dictionary<EntryKey, PlannedReason> Planned(params (Entry Entry, Subject Cause)[] entries) =>
        entries.ToDictionary(static e => e.Entry.Key, static e => new PlannedReason(e.Entry.Print(), [new Origin(e.Cause)]));
}
