using System.Net;
using System.Net.Sockets;
using Plumb.Diagnosis.Observe;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Processes;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Observe;

/// <summary>A prediction, then a change that it knows nothing of, then the probe: the difference is shown where it is.</summary>
public sealed class ComparisonTests
{
    private static readonly NamespaceId Client = new("client");
    private static readonly NamespaceId Router = new("router");
    private static readonly NamespaceId Server = new("server");

    public static TheoryData<byte> Protocols => [Packet.Tcp, Packet.Udp, Packet.Icmp];

    [Theory, MemberData(nameof(Protocols))]
    public async Task What_happens_as_predicted_agrees(byte protocol)
    {
        var (comparison, observed) = await ObserveAsync(protocol, 7000, "");

        Assert.True(comparison.Agrees, string.Join("; ", comparison.Differences));
        Assert.Equal(ProbeAnswer.Answered, observed.End.Answer);
        Assert.Equal(Verdict.Delivered, comparison.Outcome.Verdict);
        // Two cables, there and back, in order.
        foreach (var leg in (IReadOnlyList<ComparedHop>[])[comparison.There, comparison.Back])
        {
            var times = leg.Where(static hop => hop.Nanoseconds is not null).Select(static hop => hop.Nanoseconds!.Value).ToList();
            Assert.Equal(2, times.Count);
            Assert.Equal(times.Order(), times);
        }
        // The address was translated on the way, and it was known all the same.
        Assert.Contains(observed.Sightings, static one => one.Space == Server && one.Packet.Source == IpAddress.Parse("10.0.2.1"));
        Assert.Contains(observed.Connections, static one => one.Space == Router);
        Assert.Contains(comparison.There, static hop => hop.Hop.Handle != 0 && hop.IsSeen == true);
    }

    [Theory, MemberData(nameof(Protocols))]
    public async Task A_rule_that_drops_it_is_shown_where_it_drops(byte protocol)
    {
        var (comparison, observed) = await ObserveAsync(protocol, 7000, "nft 'add table ip evil; add chain ip evil f { type filter hook forward priority 0; }; add rule ip evil f ip daddr 10.0.2.2 drop'");

        Assert.Equal(ProbeAnswer.Silence, observed.End.Answer);
        var stray = Assert.Single(comparison.Strays);
        Assert.Equal(Router, stray.Space);
        Assert.EndsWith("of ip evil f: drop", stray.What, StringComparison.Ordinal);
        Assert.Contains(comparison.Differences, static one => one.StartsWith("router: eth1", StringComparison.Ordinal) && one.EndsWith("predicted, not seen", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ip route del 10.0.2.0/24")]
    [InlineData("ip neigh replace 10.0.2.2 dev eth1 lladdr 02:00:00:00:00:99 nud permanent")]
    public async Task A_route_that_is_gone_and_a_neighbour_that_is_wrong_are_shown_where_they_kill(string fault)
    {
        var (comparison, observed) = await ObserveAsync(Packet.Tcp, 7000, fault);

        Assert.NotEqual(ProbeAnswer.Answered, observed.End.Answer);
        var last = comparison.There.Last(static hop => hop.Nanoseconds is not null).Hop;
        Assert.Equal(fault.Contains("route", StringComparison.Ordinal) ? Client : Router, last.Space);
        Assert.False(comparison.Agrees);
    }

    [Fact]
    public async Task Another_destination_than_predicted_is_a_difference_at_each_place_behind_it()
    {
        var (comparison, _) = await ObserveAsync(Packet.Udp, 7000, "nft 'add table ip evil; add chain ip evil p { type nat hook prerouting priority -100; }; add rule ip evil p udp dport 7000 dnat to 10.0.2.2:7001'");

        Assert.Contains(comparison.Differences, static one => one.EndsWith("predicted 10.0.2.1 → 10.0.2.2:7000, seen 10.0.2.1 → 10.0.2.2:7001", StringComparison.Ordinal));
    }

    // client 10.0.1.2 — 10.0.1.1 router 10.0.2.1 — 10.0.2.2 server; the router masquerades towards the server.
    private static async Task<(Comparison Comparison, Observation Observed)> ObserveAsync(byte protocol, ushort port, string faultAtRouter)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var kernels = new Kernels();
        var networks = new Dictionary<NamespaceId, NetworkNamespace>();
        foreach (var id in (NamespaceId[])[Client, Router, Server])
        {
            kernels.Add(id, networks[id] = NetworkNamespace.Create());
        }
        await Shell(
            networks[Router],
            $"""
            ip link add eth0 type veth peer name eth0 netns {networks[Client].ProcPath}
            ip link add eth1 type veth peer name eth0 netns {networks[Server].ProcPath}
            ip addr add 10.0.1.1/24 dev eth0; ip addr add 10.0.2.1/24 dev eth1
            ip link set eth0 up; ip link set eth1 up; sysctl -qw net.ipv4.ip_forward=1
            nft 'add table ip t; add chain ip t p {"{ type nat hook postrouting priority 100; }"}; add rule ip t p oifname eth1 masquerade'
            """);
        await Shell(networks[Client], "ip addr add 10.0.1.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.1.1");
        await Shell(networks[Server], "ip addr add 10.0.2.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.1");
        using var listener = networks[Server].ListenTcp(new IPEndPoint(IPAddress.Any, port));
        using var echo = networks[Server].OpenUdp(AddressFamily.InterNetwork);
        echo.Bind(new IPEndPoint(IPAddress.Parse("10.0.2.2"), port));
        var answering = AnswerAsync(echo, cancel);

        var spaces = networks.Keys.Select(id => KernelSource.Observe(kernels, id)).ToList();
        var world = new GivenWorld(spaces);
        var packet = new Packet(IpAddress.Unspecified(IpFamily.V4), IpAddress.Parse("10.0.2.2"), protocol)
        {
            DestinationPort = protocol == Packet.Icmp ? (ushort)0 : port,
            Flags = protocol == Packet.Tcp ? TcpFlags.Syn : TcpFlags.None,
            Message = protocol == Packet.Icmp ? new IcmpKind(8, 0) : null,
        };
        using var probe = Probe.Open(networks[Client], packet, "unlikely"u8);
        var trace = new Walker(world).Walk(probe.Packet, Client);
        if (faultAtRouter.Length > 0)
        {
            await Shell(networks[Router], faultAtRouter);
        }
        Observation observed;
        await using (var watch = await Watch.OpenAsync([.. spaces.Select(space => (space, networks[space.Id]))], probe, 8472, null, TimeProvider.System))
        {
            observed = await watch.ObserveAsync(null, TimeSpan.FromSeconds(2), cancel);
        }
        // Nothing stays behind.
        Assert.DoesNotContain("plumb-trace", await Shell(networks[Router], "nft list ruleset"), StringComparison.Ordinal);
        echo.Close();
        await answering;
        return (Comparison.Of(trace, observed, world), observed);
    }

    // The answer has nothing of the question.
    private static async Task AnswerAsync(Socket echo, CancellationToken cancel)
    {
        try
        {
            var came = await echo.ReceiveFromAsync(new byte[2048], new IPEndPoint(IPAddress.Any, 0), cancel);
            await echo.SendToAsync("an answer"u8.ToArray(), came.RemoteEndPoint, cancel);
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // Nobody asked.
        }
    }

    private static async Task<string> Shell(NetworkNamespace inside, string script)
    {
        using var child = Spawn.Start(new SpawnRequest("/bin/sh")
        {
            Arguments = ["-ec", script],
            Output = SpawnStream.Pipe,
            Namespaces = new SpawnNamespaces { Network = inside },
        });
        using var output = new StreamReader(child.Output!);
        var text = await output.ReadToEndAsync(TestContext.Current.CancellationToken);
        var status = await child.Exited;
        Assert.True(status.Code == 0, $"{script}: {status}");
        return text;
    }
}
