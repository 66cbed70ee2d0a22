using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>Rules of IP and frames that a bridge passes on: what <c>br_netfilter</c> makes of them, and what happens where it is off.</summary>
public sealed class BridgeFilterTests
{
    private static readonly NamespaceId Host = new("a");
    private static readonly NamespaceId Client = new("b");
    private static readonly NamespaceId Server = new("c");
    private static readonly IpAddress ServerAddress = RandomNetwork.Address(0, 2);
    private static readonly IpAddress Elsewhere = RandomNetwork.Address(0, 8);

    [Theory]
    [InlineData("chain forward { type filter hook forward priority 0; tcp dport 7000 drop; }", Verdict.Lost, Verdict.Delivered)]
    [InlineData("chain forward { type filter hook forward priority 0; iifname br oifname br tcp dport 7000 reject with tcp reset; }", Verdict.Refused, Verdict.Delivered)]
    [InlineData("chain postrouting { type nat hook postrouting priority 100; tcp dport 7000 masquerade; }", Verdict.Delivered, Verdict.Delivered)]
    [InlineData("chain prerouting { type filter hook prerouting priority -300; ip saddr 10.0.0.2 drop; }", Verdict.Lost, Verdict.Delivered)]
    public async Task Rules_see_frames_only_where_the_bridge_shows_them(string chain, Verdict shown, Verdict hidden)
    {
        await AgreesAsync(true, chain, ServerAddress, shown);
        await AgreesAsync(false, chain, ServerAddress, hidden);
    }

    [Theory]
    [InlineData(true, Verdict.Delivered)]
    [InlineData(false, Verdict.Lost)]
    public Task A_destination_that_rules_change_is_looked_for_by_a_host_that_forwards(bool forwards, Verdict expected) =>
        AgreesAsync(true, "chain prerouting { type nat hook prerouting priority -100; ip daddr 10.0.0.9 dnat to 10.0.0.3; }", Elsewhere, expected, forwards);

    private static async Task AgreesAsync(bool isShown, string chain, IpAddress to, Verdict expected, bool forwards = true)
    {
        using var network = new LiveNetwork(State(isShown, forwards), [Host, Client, Server]);
        await network.LoadAsync(Host, $"table ip t {{\n{chain[..^1]}\n}}\n}}\n");
        await network.SettleAsync(TestContext.Current.CancellationToken);
        var probe = new Probe(Client, to, LiveNetwork.OpenPort, Packet.Tcp);
        var outcome = Assert.Single(new Walker(network.World).Walk(probe.Packet(20_000), Client).Outcomes);
        var seen = await network.SendAsync(probe, 20_000, Expected(outcome.Verdict), TestContext.Current.CancellationToken);
        Assert.Equal((expected, Expected(expected)), (outcome.Verdict, seen.Seen));
    }

    private static Seen Expected(Verdict verdict) => verdict switch
    {
        Verdict.Delivered => Seen.Answered,
        Verdict.Refused => Seen.Refused,
        _ => Seen.Silence,
    };

    private static DesiredState State(bool isShown, bool forwards)
    {
        var state = new DesiredState();
        state.Set(new SysctlEntry(Host, "net/bridge/bridge-nf-call-iptables", isShown ? "1" : "0"));
        state.Set(new SysctlEntry(Host, "net/ipv4/ip_forward", forwards ? "1" : "0"));
        state.Set(new LinkEntry(Host, "br", new LinkType.Bridge { SpanningTree = false, MulticastSnooping = false }) { Mac = Mac(9), Up = true, NoAutomaticAddress = true });
        state.Set(new AddressEntry(Host, "br", new IpPrefix(RandomNetwork.Address(0, 0), 24)));
        foreach (var (id, number) in ((NamespaceId, int)[])[(Client, 1), (Server, 2)])
        {
            state.Set(new LinkEntry(Host, $"p{number}", new LinkType.Veth(id, "e0")) { Mac = Mac(number), Up = true, NoAutomaticAddress = true, Master = "br" });
            state.Set(new LinkEntry(id, "e0", new LinkType.Veth(Host, $"p{number}")) { Mac = Mac(16 + number), Up = true, NoAutomaticAddress = true });
            state.Set(new AddressEntry(id, "e0", new IpPrefix(RandomNetwork.Address(0, number), 24)));
        }
        // Nobody's address, sent to the server's port: the bridge knows the way before rules have a say.
        state.Set(new NeighbourEntry(Client, "e0", Elsewhere) { Mac = Mac(18), State = NeighbourState.Permanent });
        return state;
    }

    private static MacAddress Mac(int number) => MacAddress.FromNumber(0x0200_0000_0000 + (ulong)number);
}
