using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>A router with filters on its devices (tc): to its client, to the server, and to another that calls itself by the server's address.</summary>
public sealed class DeviceFilterTests
{
    private static readonly NamespaceId Router = new("r");
    private static readonly NamespaceId Client = new("c");
    private static readonly NamespaceId Server = new("s");
    private static readonly NamespaceId Double = new("d");
    private static readonly IpAddress ServerAddress = IpAddress.Parse("10.0.2.2");

    [Theory]
    [InlineData("dev p1 ingress protocol ip pref 5 u32 match ip dst 10.0.2.2/32 action mirred egress redirect dev p3", Verdict.Delivered, "d")]
    [InlineData("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress redirect dev p3", Verdict.Delivered, "d")]
    [InlineData("dev p1 ingress protocol ip pref 5 u32 match ip dst 10.0.2.3/32 action mirred egress redirect dev p3", Verdict.Delivered, "s")]
    [InlineData("dev p1 ingress protocol ip pref 5 u32 match ip protocol 17 0xff match ip dport 7000 0xffff action mirred egress redirect dev p3", Verdict.Delivered, "d")]
    [InlineData("dev p1 ingress protocol ip pref 5 u32 match ip dport 7001 0xffff action mirred egress redirect dev p3", Verdict.Delivered, "s")]
    [InlineData("dev p1 ingress protocol ipv6 pref 5 u32 match u32 0 0 action mirred egress redirect dev p3", Verdict.Delivered, "s")]
    [InlineData("dev p1 egress protocol ip pref 5 u32 match ip dst 10.0.2.2/32 action mirred egress redirect dev p3", Verdict.Delivered, "s")]
    [InlineData("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress mirror dev p1", Verdict.Delivered, "s")]
    [InlineData("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress mirror dev p4", Verdict.Delivered, "s")]
    [InlineData("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress redirect dev p4", Verdict.Lost, null)]
    [InlineData("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress redirect dev queue", Verdict.Delivered, "s")]
    [InlineData("dev p2 egress protocol all pref 5 u32 match u32 0 0 action mirred egress redirect dev queue", Verdict.Delivered, "s")]
    [InlineData("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred ingress redirect dev p3", Verdict.Delivered, "s")]
    [InlineData("dev p2 egress protocol all pref 5 u32 match u32 0 0 action mirred ingress redirect dev p3", Verdict.Loop, null)]
    [InlineData("dev p2 egress protocol ip pref 5 u32 match u8 63 0xff at 8 action mirred ingress redirect dev p3", Verdict.Delivered, "s")]
    [InlineData("dev p2 egress protocol all pref 5 u32 match u32 0 0 action mirred egress redirect dev p3", Verdict.Lost, null)]
    [InlineData("dev p1 egress protocol ip pref 5 u32 match ip src 10.0.2.2/32 action mirred egress redirect dev p3", Verdict.Lost, "s")]
    public async Task A_packet_goes_where_filters_send_it(string filter, Verdict expected, string? arrives)
    {
        using var network = await NetworkAsync(filter);
        var probe = new Probe(Client, ServerAddress, LiveNetwork.OpenPort, Packet.Udp);
        var outcome = Assert.Single(new Walker(network.World).Walk(probe.Packet(20_000), Client).Outcomes);
        // What goes round in circles is told of by whoever counts its TTL down.
        var then = expected switch { Verdict.Delivered => Seen.Answered, Verdict.Loop => Seen.Refused, _ => Seen.Silence };
        var seen = await network.SendAsync(probe, 20_000, then, TestContext.Current.CancellationToken);

        Assert.Equal((expected, arrives), (outcome.Verdict, outcome.Arrived ? outcome.End.Name : null));
        Assert.Equal((then, arrives), (seen.Seen, seen.Arrived?.Space.Name));
    }

    [Fact]
    public async Task A_copy_is_told_and_so_is_the_filter_that_loses_a_packet()
    {
        var packet = new Probe(Client, ServerAddress, LiveNetwork.OpenPort, Packet.Udp).Packet(20_000);
        using (var network = await NetworkAsync("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress mirror dev p3"))
        {
            var hop = Assert.Single(Assert.Single(new Walker(network.World).Walk(packet, Client).Outcomes).There, static hop => hop.Entry?.Kind == EntryKind.Filter);
            Assert.Equal(("a copy goes out by p3", Stage.Receive, "p1"), (hop.What, hop.Stage, hop.Device));
        }
        using (var network = await NetworkAsync("dev p1 ingress protocol all pref 5 u32 match u32 0 0 action mirred egress redirect dev p4"))
        {
            var outcome = Assert.Single(new Walker(network.World).Walk(packet, Client).Outcomes);
            Assert.Equal("a filter sends it to p4, which is down", outcome.Reason);
            Assert.Equal(EntryKind.Filter, outcome.Killer!.Entry!.Value.Kind);
        }
    }

    [Theory]
    [InlineData("filter add dev p1 ingress protocol ip pref 5 u32 match tcp dst 80 0xffff classid 1:1", "what the filter u32 does at p1 ingress is not known here")]
    [InlineData("filter add dev p1 ingress protocol ip pref 5 u32 match ip sport 7000 0xffff match u16 0 0xffff at 10 action mirred egress mirror dev p3", null)]
    [InlineData("filter add dev p1 ingress protocol ip pref 5 u32 match u16 0 0xffff at 10 action mirred egress mirror dev p3", "bytes that the filter asks for at p1 ingress is not known here")]
    public async Task What_is_not_known_is_said(string words, string? reason)
    {
        using var network = await NetworkAsync(words[("filter add ".Length)..]);
        var outcome = Assert.Single(new Walker(network.World).Walk(new Probe(Client, ServerAddress, LiveNetwork.OpenPort, Packet.Udp).Packet(20_000), Client).Outcomes);
        Assert.Equal(reason is null ? Verdict.Delivered : Verdict.Undecided, outcome.Verdict);
        Assert.True(reason is null || outcome.Reason == reason, outcome.Reason);
    }

    private static async Task<LiveNetwork> NetworkAsync(string filter)
    {
        var network = new LiveNetwork(State(), [Router, Client, Server, Double]);
        await network.RunAsync(Router, "ip link add queue up type ifb");
        await network.RunAsync(Router, "tc qdisc add dev queue root handle 1: tbf rate 100mbit burst 100k latency 50ms");
        await network.RunAsync(Router, $"tc qdisc add dev {filter.Split(' ')[1]} clsact");
        await network.RunAsync(Router, $"tc filter add {filter}");
        await network.SettleAsync(TestContext.Current.CancellationToken);
        return network;
    }

    private static DesiredState State()
    {
        var state = new DesiredState();
        state.Set(new SysctlEntry(Router, "net/ipv4/ip_forward", "1"));
        foreach (var (id, port, network) in ((NamespaceId, int, int)[])[(Client, 1, 1), (Server, 2, 2), (Double, 3, 2)])
        {
            // To the double the router's own hardware address belongs, on its client's side: what is sent on as it came, it takes.
            state.Set(new LinkEntry(Router, $"p{port}", new LinkType.Veth(id, "e0")) { Mac = Mac(port), Up = true, NoAutomaticAddress = true });
            state.Set(new LinkEntry(id, "e0", new LinkType.Veth(Router, $"p{port}")) { Mac = Mac(id == Double ? 1 : 16 + port), Up = true, NoAutomaticAddress = true });
            state.Set(new AddressEntry(id, "e0", IpPrefix.Parse($"10.0.{network}.2/24")));
            var router = IpAddress.Parse($"10.0.{network}.1");
            state.Set(new NeighbourEntry(id, "e0", router) { Mac = Mac(port) });
            state.Set(new RouteEntry(id, IpPrefix.Everything(IpFamily.V4)) { NextHops = [new NextHop("e0", router)] });
            if (id != Double)
            {
                state.Set(new AddressEntry(Router, $"p{port}", new IpPrefix(router, 24)));
                state.Set(new NeighbourEntry(Router, $"p{port}", IpAddress.Parse($"10.0.{network}.2")) { Mac = Mac(16 + port) });
            }
        }
        state.Set(new LinkEntry(Router, "p4", new LinkType.Veth(Router, "p5")) { Up = false });
        state.Set(new SysctlEntry(Router, "net/ipv4/conf/p3/rp_filter", "0"));
        state.Set(new SysctlEntry(Router, "net/ipv4/conf/all/rp_filter", "0"));
        return state;
    }

    private static MacAddress Mac(int number) => MacAddress.FromNumber(0x0200_0000_0000 + (ulong)number);
}
