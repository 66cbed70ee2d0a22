using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>Walks over states that are given: no kernel has a part in them.</summary>
public sealed class WalkerTests
{
    private static readonly NamespaceId A = new("a");
    private static readonly NamespaceId B = new("b");
    private static readonly IpAddress OfA = IpAddress.Parse("10.0.0.1");
    private static readonly IpAddress OfB = IpAddress.Parse("10.0.0.2");

    [Fact]
    public void A_packet_over_one_cable_and_its_answer()
    {
        var outcome = Assert.Single(Walk(World(), OfB, 80).Outcomes);
        Assert.Equal(Verdict.Delivered, outcome.Verdict);
        Assert.Equal(
            """
            a Send: 10.0.0.0/24 dev e0
            a Neighbour: 10.0.0.2: e0 of b will answer with 02:00:00:00:00:02
            a Transmit: e0 ⇄ e0
            b Route: 10.0.0.2 is this host
            b Deliver: a socket takes TCP port 80
            back
            b Send: 10.0.0.0/24 dev e0
            b Neighbour: 10.0.0.1: e0 of a will answer with 02:00:00:00:00:01
            b Transmit: e0 ⇄ e0
            a Route: 10.0.0.1 is this host
            a Deliver: the answer
            """,
            Told(outcome));
    }

    [Fact]
    public void A_closed_port_is_refused_by_who_would_have_to_listen()
    {
        var outcome = Assert.Single(Walk(World(), OfB, 81).Outcomes);
        Assert.Equal((Verdict.Refused, "nobody listens at TCP port 81 of b; a reset (RST) comes back"), (outcome.Verdict, outcome.Reason));
        Assert.Equal(Stage.Deliver, outcome.Killer!.Stage);
    }

    [Fact]
    public void Routers_that_send_a_packet_to_one_another_are_a_loop()
    {
        // Else A would not believe in a packet that comes in from its own address.
        var believing = new SysctlEntry(A, "net/ipv4/conf/e0/accept_local", "1");
        var outcome = Assert.Single(Walk(World(Default(A, OfB), Default(B, OfA), believing), IpAddress.Parse("1.2.3.4"), 80).Outcomes);
        Assert.Equal(Verdict.Loop, outcome.Verdict);
        Assert.EndsWith("a loop, through b, a", outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_route_with_two_ways_has_two_outcomes_by_weight()
    {
        var both = new RouteEntry(A, IpPrefix.Parse("10.9.0.0/16"))
        {
            NextHops = [new NextHop("e0", OfB) { Weight = 3 }, new NextHop("e0", IpAddress.Parse("10.0.0.3")) { Weight = 1 }],
        };
        var outcomes = Walk(World(both), IpAddress.Parse("10.9.0.1"), 80).Outcomes;
        Assert.Equal([0.75, 0.25], outcomes.Select(static outcome => outcome.Probability));
        Assert.Contains("nobody on e0 answers for 10.0.0.3", outcomes[1].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RouteType.Blackhole, "EINVAL")]
    [InlineData(RouteType.Unreachable, "EHOSTUNREACH")]
    [InlineData(RouteType.Prohibit, "EACCES")]
    public void Routes_that_lead_nowhere_are_an_error_of_the_sender_s_own(RouteType type, string error)
    {
        var route = new RouteEntry(A, IpPrefix.Host(OfB)) { Type = type };
        var outcome = Assert.Single(Walk(World(route), OfB, 80).Outcomes);
        Assert.Equal(Verdict.Refused, outcome.Verdict);
        Assert.EndsWith($"({error})", outcome.Reason, StringComparison.Ordinal);
        Assert.Equal(route.Key, outcome.Killer!.Entry);
    }

    private static Trace Walk(GivenWorld world, IpAddress to, ushort port) =>
        new Walker(world).Walk(new Packet(IpAddress.Unspecified(IpFamily.V4), to, Packet.Tcp) { SourcePort = 40_000, DestinationPort = port, Flags = TcpFlags.Syn }, A);

    private static string Told(Outcome outcome) => string.Join(
        Environment.NewLine,
        [.. outcome.There.Select(Line), "back", .. outcome.Back.Select(Line)]);

    private static string Line(Hop hop) => $"{hop.Space} {hop.Stage}: {hop.What}";

    private static RouteEntry Default(NamespaceId id, IpAddress by) => new(id, IpPrefix.Everything(IpFamily.V4)) { NextHops = [new NextHop("e0", by)] };

    private static GivenWorld World(params Entry[] more)
    {
        var state = new ObservedState();
        foreach (var (id, own, there, mac) in ((NamespaceId, IpAddress, NamespaceId, ulong)[])[(A, OfA, B, 1), (B, OfB, A, 2)])
        {
            Hold(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true });
            Hold(new LinkEntry(id, "e0", new LinkType.Veth(there, "e0")) { Up = true, MtuBytes = 1500, Mac = MacAddress.FromNumber(0x0200_0000_0000 | mac) });
            Hold(new AddressEntry(id, "e0", new IpPrefix(own, 24)));
            Hold(new RouteEntry(id, IpPrefix.Host(own)) { Table = RouteTable.Local, Type = RouteType.Local, NextHops = [new NextHop("e0", null)] });
            Hold(new RouteEntry(id, new IpPrefix(own, 24).Network) { PreferredSource = own, NextHops = [new NextHop("e0", null)] });
            Hold(new RuleEntry(id, IpFamily.V4, 0) { Table = RouteTable.Local });
            Hold(new RuleEntry(id, IpFamily.V4, 32766));
            Hold(new SysctlEntry(id, "net/ipv4/conf/e0/forwarding", "1"));
        }
        foreach (var entry in more)
        {
            Hold(entry);
        }
        var source = new GivenSource { Listening = [new BoundSocket(IpAddress.Unspecified(IpFamily.V4), 80, Packet.Tcp)] };
        return new GivenWorld([new Space(A, state, source), new Space(B, state, source)]);

        void Hold(Entry entry) => state.Set(new Observed(entry, Owner.Foreign, null, new KernelFacts()));
    }
}
