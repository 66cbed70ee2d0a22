using System.Net;
using System.Net.Sockets;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>
/// Flows that kernels remember: a first packet is really sent, then rules are changed, then the next one is predicted and sent. Two clients, a router, two servers.
/// </summary>
public sealed class ExistingConnectionTests
{
    private const ushort ServicePort = 80;
    private const ushort StreamPort = 7100;

    private const string ToOne = "chain p { type nat hook prerouting priority -100; udp dport 80 dnat to 10.0.3.2:7000; tcp dport 80 dnat to 10.0.3.2:7100; }";
    private const string ToOther = "chain p { type nat hook prerouting priority -100; udp dport 80 dnat to 10.0.4.2:7000; tcp dport 80 dnat to 10.0.4.2:7100; }";

    private static readonly NamespaceId Router = new("router");
    private static readonly NamespaceId One = new("one");
    private static readonly NamespaceId Other = new("other");
    private static readonly NamespaceId Server = new("server");
    private static readonly NamespaceId Second = new("second");
    private static readonly IpAddress Service = IpAddress.V4(10, 9, 9, 9);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ToOne, ToOther, "server", "second")] // what was decided with the first packet holds
    [InlineData(ToOne, ToOther + "chain f { type filter hook forward priority 0; ct state established accept; drop; }", "server", null)]
    [InlineData(ToOne, "chain f { type filter hook forward priority 0; ct state established accept; drop; }", null, null)] // without a chain of type nat nothing is translated
    [InlineData(ToOne + "chain m { type filter hook forward priority 0; ct mark set 7; }", ToOther + "chain f { type filter hook forward priority 0; ct mark 7 drop; }", null, "second")]
    [InlineData(ToOne, ToOther + "chain z { type filter hook prerouting priority -300; ct zone set 5; }", "second", "second")] // another zone knows nothing of it
    [InlineData("chain z { type filter hook prerouting priority -300; ct zone set 5; }" + ToOne, "chain z { type filter hook prerouting priority -300; ct zone set 5; }" + ToOther, "server", "second")]
    [InlineData(ToOne, ToOther + "chain n { type filter hook prerouting priority -300; notrack; }", null, null)]
    [InlineData("chain p { type nat hook prerouting priority -100; udp dport 80 dnat to 10.0.3.9:7000; }", ToOne, null, "server")] // an endpoint that never was
    [InlineData(ToOne + "chain s { type nat hook postrouting priority 100; masquerade; }", ToOther + "chain f { type filter hook forward priority 0; ct status snat accept; drop; }", "server", null)]
    public async Task A_flow_goes_on_as_its_connection_was_decided_and_a_new_one_as_rules_are_now(string before, string after, string? known, string? begun)
    {
        using var network = new LiveNetwork(State(), [Router, One, Other, Server, Second]);
        await network.LoadAsync(Router, Table(before));
        await network.SettleAsync(Cancel);
        await network.SendAsync(Probe(One), 20_000, Seen.Answered, Cancel);
        await network.LoadAsync(Router, "flush ruleset\n" + Table(after));
        await network.SettleAsync(Cancel);
        await AgreesAsync(network, One, 20_000, known);
        await AgreesAsync(network, One, 20_001, begun);
    }

    [Fact]
    public async Task Two_sources_that_would_look_alike_are_kept_apart()
    {
        using var network = new LiveNetwork(State(), [Router, One, Other, Server, Second]);
        await network.LoadAsync(Router, Table(ToOne + "chain s { type nat hook postrouting priority 100; oifname r3 masquerade; }"));
        await network.SettleAsync(Cancel);
        await network.SendAsync(Probe(One), 20_000, Seen.Answered, Cancel);
        await network.SettleAsync(Cancel);
        var outcome = await AgreesAsync(network, Other, 20_000, "server", isPortChosen: true);
        Assert.NotEqual(20_000, outcome.Final.SourcePort);
    }

    [Theory]
    [InlineData(ToOther, true)]
    [InlineData(ToOther + "chain f { type filter hook forward priority 0; ct state new drop; }", true)]
    [InlineData(ToOther + "chain f { type filter hook forward priority 0; ct state established drop; }", false)]
    [InlineData(ToOther + "chain z { type filter hook prerouting priority -300; ct zone set 3; }", false)] // the other server knows nothing of it
    public async Task Segments_of_a_connection_that_stands_go_on_to_its_server(string after, bool goesOn)
    {
        using var network = new LiveNetwork(State(), [Router, One, Other, Server, Second]);
        await network.LoadAsync(Router, Table(ToOne));
        await network.SettleAsync(Cancel);
        using var listener = network.Network(Server).ListenTcp(new IPEndPoint(IPAddress.Any, StreamPort));
        using var client = network.Network(One).OpenTcp(AddressFamily.InterNetwork);
        await client.ConnectAsync(new IPEndPoint(Service.ToIPAddress(), ServicePort), Cancel);
        using var server = await listener.AcceptAsync(Cancel);
        await network.LoadAsync(Router, "flush ruleset\n" + Table(after));
        await network.SettleAsync(Cancel);

        var packet = new Packet(IpAddress.Unspecified(IpFamily.V4), Service, Packet.Tcp) { SourcePort = (ushort)((IPEndPoint)client.LocalEndPoint!).Port, DestinationPort = ServicePort, Flags = TcpFlags.Ack };
        var outcome = Assert.Single(new Walker(network.World).Walk(packet, One).Outcomes);
        await client.SendAsync("more"u8.ToArray(), SocketFlags.None, Cancel);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(goesOn ? TimeSpan.FromSeconds(20) : TimeSpan.FromMilliseconds(300));
        var came = 0;
        try
        {
            came = await server.ReceiveAsync(new byte[16], SocketFlags.None, patience.Token);
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
        }
        Assert.Equal(goesOn ? 4 : 0, came);
        Assert.Equal((goesOn, goesOn), (outcome.Verdict == Verdict.Delivered, outcome.End == Server));
    }

    private static async Task<Outcome> AgreesAsync(LiveNetwork network, NamespaceId from, ushort port, string? end, bool isPortChosen = false)
    {
        var probe = Probe(from);
        var outcome = Assert.Single(new Walker(network.World).Walk(probe.Packet(port), from).Outcomes);
        Assert.Equal(end, outcome.Arrived ? outcome.End.Name : null);
        var expected = outcome.Verdict switch { Verdict.Delivered => Seen.Answered, Verdict.Refused => Seen.Refused, _ => Seen.Silence };
        var result = await network.SendAsync(probe, port, expected, Cancel);
        Assert.True(
            (end, expected, outcome.Arrived && !isPortChosen ? outcome.Final.SourcePort : null) == (result.Arrived?.Space.Name, result.Seen, isPortChosen ? null : result.Arrived?.Port),
            $"predicted {outcome.Verdict} at {outcome.End} from {outcome.Final.SourcePort}: {outcome.Reason}; seen {result}");
        return outcome;
    }

    private static Probe Probe(NamespaceId from) => new(from, Service, ServicePort, Packet.Udp);

    private static string Table(string chains) => $"table ip t {{\n{chains.Replace("{", "{\n", StringComparison.Ordinal).Replace(";", ";\n", StringComparison.Ordinal).Replace("}", "}\n", StringComparison.Ordinal)}\n}}\n";

    // The router has 10.0.N.1 towards each, who has 10.0.N.2.
    private static DesiredState State()
    {
        var state = new DesiredState();
        state.Set(new SysctlEntry(Router, "net/ipv4/ip_forward", "1"));
        state.Set(new SysctlEntry(Router, "net/ipv4/icmp_ratelimit", "0"));
        foreach (var (id, number) in ((NamespaceId, int)[])[(One, 1), (Other, 2), (Server, 3), (Second, 4)])
        {
            state.Set(new LinkEntry(Router, $"r{number}", new LinkType.Veth(id, "e0")) { Mac = Mac(number), Up = true, NoAutomaticAddress = true });
            state.Set(new LinkEntry(id, "e0", new LinkType.Veth(Router, $"r{number}")) { Mac = Mac(16 + number), Up = true, NoAutomaticAddress = true });
            state.Set(new AddressEntry(Router, $"r{number}", new IpPrefix(RandomNetwork.Address(number, 0), 24)));
            state.Set(new AddressEntry(id, "e0", new IpPrefix(RandomNetwork.Address(number, 1), 24)));
            state.Set(new RouteEntry(id, IpPrefix.Everything(IpFamily.V4)) { NextHops = [new NextHop(null, RandomNetwork.Address(number, 0))] });
        }
        // Who waits for a neighbour that is not there need not wait long.
        state.Set(new SysctlEntry(Router, "net/ipv4/neigh/r3/mcast_solicit", "2"));
        state.Set(new SysctlEntry(Router, "net/ipv4/neigh/r3/retrans_time_ms", "40"));
        return state;
    }

    private static MacAddress Mac(int number) => MacAddress.FromNumber(0x0200_0000_0000 + (ulong)number);
}
