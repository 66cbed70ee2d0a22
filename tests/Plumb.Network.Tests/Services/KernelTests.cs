using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Services;
using static Plumb.Network.Tests.Services.ServiceManifests;

namespace Plumb.Network.Tests.Services;

/// <summary>Services in kernels, by real sockets and by what `nft` shows.</summary>
public sealed class KernelTests
{
    private static readonly IpAddress _website = IpAddress.V4(10, 96, 14, 7);

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task Connections_are_spread_over_all_endpoints_each_with_its_own_port(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        using var far = new Server("far", world["far"], 9090);
        world.Apply(Website() + Slice("a", 8080, ("near", "")) + Slice("b", 9090, ("far", "")));
        var heard = new HashSet<string?>();
        for (var i = 0; i < 64; i++)
        {
            heard.Add((await Talk.TcpAsync(world["client"], _website, 80)).Server);
        }
        Assert.Equal(["far", "near"], heard.Order());
    }

    [Theory]
    [InlineData("client", ServicesKind.Nftables)]
    [InlineData("client", ServicesKind.Iptables)]
    [InlineData("node-1", ServicesKind.Nftables)]
    [InlineData("node-1", ServicesKind.Iptables)]
    public async Task What_has_no_endpoint_and_what_is_no_port_of_a_Service_is_refused_at_once(string client, ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        world.Apply(Website());
        Assert.Equal(Heard.Refused, await Talk.TcpAsync(world[client], _website, 80));
        Assert.Equal(Heard.Refused, await Talk.UdpAsync(world[client], _website, 80));
        Assert.Equal(Heard.Refused, await Talk.TcpAsync(world[client], _website, 81));
        Assert.Equal(Heard.Refused, await Talk.TcpAsync(world[client], IpAddress.V4(10, 96, 99, 99), 80));
    }

    /// <summary>With br_netfilter the bridge translates frames before they are routed, and gives them back to the port that they came in by.</summary>
    [Theory]
    [InlineData("0", ServicesKind.Nftables)]
    [InlineData("0", ServicesKind.Iptables)]
    [InlineData("1", ServicesKind.Nftables)]
    [InlineData("1", ServicesKind.Iptables)]
    public async Task A_pod_reaches_itself_through_its_Service(string bridgeNetfilter, ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        if (File.Exists("/proc/sys/net/bridge/bridge-nf-call-iptables"))
        {
            world.Kernels.Apply([new DeltaItem(new Desired(new SysctlEntry(new NamespaceId("node-1"), "net/bridge/bridge-nf-call-iptables", bridgeNetfilter)), null)]);
        }
        using var near = new Server("near", world["near"], 8080);
        world.Apply(Website() + Slice("a", 8080, ("near", "")));
        Assert.Equal(new Heard("near", IpAddress.V4(10, 244, 1, 1), false), await Talk.TcpAsync(world["near"], _website, 80));
        Assert.Equal(new Heard("near", IpAddress.V4(10, 244, 1, 1), false), await Talk.UdpAsync(world["near"], _website, 80));
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task A_client_stays_with_its_endpoint_until_that_goes(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        using var far = new Server("far", world["far"], 8080);
        using var farther = new Server("farther", world["farther"], 8080);
        world.Apply(Website("sessionAffinity: ClientIP") + Slice("a", 8080, ("near", ""), ("far", ""), ("farther", "")));
        var first = await AllOfAsync(world["client"], 20);
        world.Apply(Slice("a", 8080, [.. ServiceWorld.Pods.Keys.Where(pod => pod != first && pod != "client").Select(static pod => (pod, ""))]));
        var second = await AllOfAsync(world["client"], 20);
        Assert.NotEqual(first, second);
        // The one that comes back does not take its client back.
        world.Apply(Slice("a", 8080, ("near", ""), ("far", ""), ("farther", "")));
        Assert.Equal(second, await AllOfAsync(world["client"], 20));

        async Task<string> AllOfAsync(NetworkNamespace from, int times)
        {
            var servers = new HashSet<string?>();
            for (var i = 0; i < times; i++)
            {
                servers.Add((await Talk.TcpAsync(from, _website, 80)).Server);
            }
            return Assert.Single(servers) ?? throw new InvalidOperationException("nobody answered");
        }
    }

    [Fact]
    public async Task Different_clients_of_a_Service_with_affinity_may_have_different_endpoints_and_two_timeouts_stand_side_by_side()
    {
        using var world = new ServiceWorld();
        using var near = new Server("near", world["near"], 8080);
        world.Apply(
            Website("sessionAffinity: ClientIP") + Slice("a", 8080, ("near", ""))
            + Website("sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}", "shop", 8) + Slice("s", 8080, "shop", ("near", "")));
        Assert.Equal("near", (await Talk.TcpAsync(world["client"], _website, 80)).Server);
        Assert.Equal("near", (await Talk.TcpAsync(world["client"], IpAddress.V4(10, 96, 14, 8), 80)).Server);
        var listed = await world.RunAsync("node-1", "nft", "list", "map", "ip", "plumb", "sticky");
        Assert.Contains("timeout 1m", listed, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(listed, @"10\.244\.1\.2"));
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task Only_who_is_in_a_balancer_s_source_ranges_comes_in_by_it(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        const string spec = "type: LoadBalancer\n  loadBalancerSourceRanges: [{0}]";
        var status = "\nstatus: {loadBalancer: {ingress: [{ip: 192.168.1.201}]}}";
        world.Apply(Website(string.Format(CultureInfo.InvariantCulture, spec, "192.168.1.64/26")) .Replace("\n---\n", status + "\n---\n", StringComparison.Ordinal) + Slice("a", 8080, ("near", "")));
        Assert.Equal("near", (await Talk.TcpAsync(world[ServiceWorld.Outside], IpAddress.V4(192, 168, 1, 201), 80)).Server);
        Assert.Equal(Heard.Silence, await Talk.TcpAsync(world["client"], IpAddress.V4(192, 168, 1, 201), 80));
        Assert.Equal(Heard.Silence, await Talk.TcpAsync(world["node-1"], IpAddress.V4(192, 168, 1, 201), 80));
        // The ranges guard the balancer's address, not the ClusterIP.
        Assert.Equal("near", (await Talk.TcpAsync(world["client"], _website, 80)).Server);
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task An_endpoint_that_is_going_serves_when_nobody_else_is_ready(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        world.Apply(Website() + Slice("a", 8080, ("near", "conditions: {ready: false, serving: true, terminating: true}"), ("far", "conditions: {ready: false, serving: false}")));
        Assert.Equal("near", (await Talk.TcpAsync(world["client"], _website, 80)).Server);
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task Datagrams_of_an_endpoint_that_went_reach_another_and_nobody_else_s_connection_is_forgotten(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        using var far = new Server("far", world["far"], 8080);
        world.Apply(Website() + Slice("a", 8080, ("near", "")) + Website("type: ClusterIP", "shop", 8) + Slice("s", 8080, "shop", ("near", "")));
        using var socket = world["client"].OpenUdp(AddressFamily.InterNetwork);
        using var other = world["client"].OpenUdp(AddressFamily.InterNetwork);
        Assert.Equal("near", (await Talk.UdpAsync(socket, _website, 80)).Server);
        Assert.Equal("near", (await Talk.UdpAsync(other, IpAddress.V4(10, 96, 14, 8), 80)).Server);
        var before = world.Kernels.Connections(new NamespaceId("node-1"), IpFamily.V4);
        Assert.Equal(2, before.Count);

        world.Apply(Slice("a", 8080, ("far", "")));

        var after = world.Kernels.Connections(new NamespaceId("node-1"), IpFamily.V4);
        Assert.Equal(before.Single(static connection => connection.Original.Destination != _website).Id, Assert.Single(after).Id);
        Assert.Equal("far", (await Talk.UdpAsync(socket, _website, 80)).Server);
        Assert.Equal("near", (await Talk.UdpAsync(other, IpAddress.V4(10, 96, 14, 8), 80)).Server);
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task Datagrams_that_flowed_to_a_node_port_before_it_was_one_reach_the_Service_now(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var onNode = new Server("node", world["node-1"], 31100);
        using var near = new Server("near", world["near"], 8080);
        using var socket = world[ServiceWorld.Outside].OpenUdp(AddressFamily.InterNetwork);
        Assert.Equal("node", (await Talk.UdpAsync(socket, world.AddressOf("node-1"), 31100)).Server);
        world.Apply(Website("type: NodePort").Replace("protocol: UDP}", "protocol: UDP, nodePort: 31100}", StringComparison.Ordinal) + Slice("a", 8080, ("near", "")));
        Assert.Equal("near", (await Talk.UdpAsync(socket, world.AddressOf("node-1"), 31100)).Server);
    }

    [Fact]
    public async Task The_tool_conntrack_sees_what_is_read_here()
    {
        using var world = new ServiceWorld();
        using var near = new Server("near", world["near"], 8080);
        world.Apply(Website() + Slice("a", 8080, ("near", "")));
        await Talk.UdpAsync(world["client"], _website, 80);
        var read = Assert.Single(world.Kernels.Connections(new NamespaceId("node-1"), IpFamily.V4, new Linux.Conntrack.ConnectionMark(0x00e07002)));
        var told = await world.RunAsync("node-1", "conntrack", "-L", "-o", "id");
        Assert.Contains($"src=10.244.1.2 dst=10.96.14.7 sport={read.Original.SourcePort} dport=80 src=10.244.1.3 dst=10.244.1.2 sport=8080", told, StringComparison.Ordinal);
        Assert.Contains($"mark={0x00e07002}", told, StringComparison.Ordinal);
        Assert.Contains($"id={read.Id}", told, StringComparison.Ordinal);
        Assert.Empty(world.Kernels.Connections(new NamespaceId("node-1"), IpFamily.V4, new Linux.Conntrack.ConnectionMark(1)));
    }

    [Fact]
    public async Task The_rules_do_not_grow_with_Services()
    {
        using var world = new ServiceWorld();
        world.Apply(Website() + Slice("a", 8080, ("near", "")));
        var few = await RulesAsync();
        world.Apply(string.Concat(Enumerable.Range(20, 100).Select(static i => Website("type: ClusterIP", $"s-{i}", i) + Slice($"s-{i}", 8080, $"s-{i}", ("near", "")))));
        Assert.Equal(few, await RulesAsync());

        async Task<string> RulesAsync()
        {
            var listed = await world.RunAsync("node-1", "nft", "-s", "list", "chains");
            var table = await world.RunAsync("node-1", "nft", "-s", "-t", "list", "table", "ip", "plumb");
            return listed + table;
        }
    }

    [Fact]
    public async Task Comments_of_elements_say_whose_they_are()
    {
        using var world = new ServiceWorld();
        world.Apply(Website() + Slice("a", 8080, ("near", "")));
        var table = await world.RunAsync("node-1", "nft", "list", "table", "ip", "plumb");
        Assert.Contains("10.96.14.7 . tcp . 80 comment \"plumb:Service default/website spec.ports[0]\" : 0x00e07000", table, StringComparison.Ordinal);
        Assert.Contains("0x00e07000 . 0 comment \"plumb:EndpointSlice default/website-a\" : 10.244.1.3 . 8080", table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ServicesKind.Nftables, ServicesKind.Iptables)]
    [InlineData(ServicesKind.Iptables, ServicesKind.Nftables)]
    public async Task Datagrams_that_began_under_another_back_end_stay_with_their_endpoint_until_that_goes(ServicesKind first, ServicesKind then)
    {
        using var world = new ServiceWorld(services: first);
        using var near = new Server("near", world["near"], 8080);
        using var far = new Server("far", world["far"], 8080);
        world.Apply(Website("type: NodePort").Replace("protocol: UDP}", "protocol: UDP, nodePort: 31100}", StringComparison.Ordinal) + Slice("a", 8080, ("near", "")));
        using var inside = world["client"].OpenUdp(AddressFamily.InterNetwork);
        using var outside = world[ServiceWorld.Outside].OpenUdp(AddressFamily.InterNetwork);
        Assert.Equal(("near", "near"), await AskAsync());
        world.Switch(then);
        Assert.Equal(("near", "near"), await AskAsync());
        world.Apply(Slice("a", 8080, ("far", "")));
        Assert.Equal(("far", "far"), await AskAsync());

        async Task<(string?, string?)> AskAsync() =>
            ((await Talk.UdpAsync(inside, _website, 80)).Server, (await Talk.UdpAsync(outside, world.AddressOf("node-1"), 31100)).Server);
    }

    /// <summary>Most connections of a node have no mark, and nothing to do with Services.</summary>
    [Fact]
    public void Connections_without_a_mark_are_looked_for_only_where_iptables_serves_or_has_served()
    {
        using var world = new ServiceWorld();
        world.Apply(Website() + Slice("a", 8080, ("near", "")));
        world.Apply(Slice("a", 8080, ("far", "")));
        Assert.NotEmpty(Ended());
        Assert.Empty(Ended().OfType<EndedFlow.Unmarked>());
        foreach (var (services, endpoint) in new[] { (ServicesKind.Iptables, "near"), (ServicesKind.Nftables, "far") })
        {
            world.Switch(services);
            world.Apply(Slice("a", 8080, (endpoint, "")));
            Assert.NotEmpty(Ended().OfType<EndedFlow.Unmarked>());
        }

        IReadOnlyCollection<EndedFlow> Ended() => world.PlanOf("node-1").Ended;
    }

    [Theory]
    [InlineData(ServicesKind.Iptables, ServicesKind.Nftables)]
    [InlineData(ServicesKind.Nftables, ServicesKind.Iptables)]
    public void Datagrams_that_went_astray_while_nobody_served_are_forgotten_when_somebody_does(ServicesKind first, ServicesKind then)
    {
        using var world = new ServiceWorld(services: ServicesKind.None);
        world.Apply(Website() + Slice("a", 8080, ("near", "")));
        world.Switch(first);
        Assert.Contains(new EndedFlow.ToFrontend(IpFamily.V4, IpProtocol.Udp, _website, 80), world.PlanOf("node-1").Ended);
        world.Switch(then);
        Assert.Empty(world.PlanOf("node-1").Ended);
    }

    [Fact]
    public void Who_takes_over_chains_of_an_earlier_agent_writes_nothing()
    {
        using var world = new ServiceWorld(dual: true, ServicesKind.Iptables);
        world.Apply(Website("sessionAffinity: ClientIP") + Slice("a", 8080, ("near", ""), ("far", ""), ("farther", "")));
        world.Apply(Slice("a", 8080, ("far", ""), ("farther", ""), ("client", "")));
        var (node, view) = (new NamespaceId("node-1"), world.PlanOf("node-1").View);
        var kinds = new HashSet<EntryKind> { EntryKind.IptablesChain, EntryKind.IptablesRule };
        var desired = Network.Planning.Planner.FromScratch(Layers.For(view.Node.Options), view with { Node = view.Node.With(PoolTable.Empty) }).Desired;
        Assert.Contains(desired.Entries.Keys, key => kinds.Contains(key.Kind));
        Assert.Empty(Difference.Between(desired, world.Kernels.Observe([node], kinds), kinds).Items);
    }

    [Fact]
    public void A_balancer_for_everybody_is_read_back_as_it_was_planned()
    {
        using var world = new ServiceWorld(dual: true, ServicesKind.Iptables);
        const string status = "\nstatus: {loadBalancer: {ingress: [{ip: 192.168.1.201}]}}\n---\n";
        world.Apply(Website("type: LoadBalancer\n  loadBalancerSourceRanges: [\"0.0.0.0/0\", \"::/0\"]").Replace("\n---\n", status, StringComparison.Ordinal) + Slice("a", 8080, ("near", "")));
        var node = new NamespaceId("node-1");
        var kinds = new HashSet<EntryKind> { EntryKind.IptablesChain, EntryKind.IptablesRule };
        var desired = world.PlanOf("node-1").Desired;
        Assert.Contains(desired.Entries.Keys, static key => key.Name.StartsWith("ip nat KUBE-FW-", StringComparison.Ordinal));
        Assert.Empty(Difference.Between(desired, world.Kernels.Observe([node], kinds), kinds).Items);
    }

    [Theory]
    [InlineData("type: ClusterIP")]
    [InlineData("sessionAffinity: ClientIP")]
    public void Who_takes_over_from_an_earlier_agent_finds_the_slots_in_the_kernel_and_writes_nothing(string spec)
    {
        using var world = new ServiceWorld();
        world.Apply(Website(spec) + Slice("a", 8080, ("near", ""), ("far", ""), ("farther", "")));
        world.Apply(Slice("a", 8080, ("far", ""), ("farther", "")));
        world.Apply(Slice("a", 8080, ("far", ""), ("farther", ""), ("client", "")));
        var (node, view) = (new NamespaceId("node-1"), world.PlanOf("node-1").View);
        Assert.NotEmpty(Takeover(view.Node.With(PoolTable.Empty)));
        Assert.Empty(Takeover(view.Node.With(PoolTable.Empty.Found(ServiceElements.Slots(world.Kernels.Observe([node]), node)))));

        IEnumerable<DeltaItem> Takeover(NodeFacts facts)
        {
            var kinds = new HashSet<EntryKind> { EntryKind.Table, EntryKind.Chain, EntryKind.Set, EntryKind.Element, EntryKind.Object };
            var desired = Network.Planning.Planner.FromScratch(Layers.For(facts.Options), view with { Node = facts }).Desired;
            return Difference.Between(desired, world.Kernels.Observe([node], kinds), kinds).Items;
        }
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task An_address_that_the_node_itself_answers_is_not_translated_and_its_other_ports_are_not_refused(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        var dns = IpAddress.V4(10, 96, 0, 10);
        var planner = world.PlanOf("node-1");
        var cause = new Origin(new Subject(SubjectKind.Service, "kube-system", "kube-dns"));
        world.Kernels.Apply([new DeltaItem(new Desired(new AddressEntry(planner.View.Node.Namespace, "lo", IpPrefix.Host(dns))), null)]);
        world.Kernels.Apply(planner.Apply([new Change(Subject.Machine)], planner.View with { Node = planner.View.Node.With([new LocalAnswer(dns, IpProtocol.Udp, 53, cause)]) }));
        using var server = new Server("node", world["node-1"], 53, only: dns.ToIPAddress());
        using var near = new Server("near", world["near"], 8080);
        world.Apply(Website(name: "kube-dns").Replace("10.96.14.7", "10.96.0.10", StringComparison.Ordinal).Replace("port: 80,", "port: 53,", StringComparison.Ordinal)
            + Slice("a", 8080, "kube-dns", ("near", "")));
        Assert.Equal(new Heard("node", world.AddressOf("client"), false), await Talk.UdpAsync(world["client"], dns, 53));
        Assert.Equal("node", (await Talk.UdpAsync(world["node-1"], dns, 53)).Server);
        // TCP it does not answer: the Service's endpoints do.
        Assert.Equal("near", (await Talk.TcpAsync(world["client"], dns, 53)).Server);
        Assert.Equal(Heard.Refused, await Talk.TcpAsync(world["client"], dns, 54));
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task Datagrams_flow_again_when_a_Service_is_made_anew_at_the_same_address(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        using var far = new Server("far", world["far"], 8080);
        using var socket = world["client"].OpenUdp(AddressFamily.InterNetwork);
        for (var i = 0; i < 3; i++)
        {
            // One socket all the time: what the kernel remembers of it must not lead to an endpoint of the Service before.
            var (name, endpoint) = i % 2 == 0 ? ("website", "near") : ("another", "far");
            var yaml = Website(name: name) + Slice("a", 8080, name, (endpoint, ""));
            world.Apply(yaml);
            Assert.Equal(endpoint, (await Talk.UdpAsync(socket, _website, 80)).Server);
            world.Delete(yaml);
            Assert.DoesNotContain(world.Kernels.Connections(new NamespaceId("node-1"), IpFamily.V4), static connection => connection.Original.Destination == _website);
            Assert.Equal(Heard.Refused, await Talk.UdpAsync(socket, _website, 80));
        }
    }

    [Theory]
    [InlineData(ServicesKind.Nftables, 1000)]
    [InlineData(ServicesKind.Iptables, 50)]
    public void Services_that_come_and_go_one_after_the_other_leave_the_kernel_as_it_was(ServicesKind services, int count)
    {
        using var world = new ServiceWorld(services: services);
        var before = Held(world);
        for (var i = 0; i < count; i++)
        {
            var yaml = Website(i % 3 == 0 ? "sessionAffinity: ClientIP" : "type: ClusterIP", $"s-{i}", 20 + (i % 200))
                + Slice("a", 8080, $"s-{i}", [.. ServiceWorld.Pods.Keys.Take(i % 5).Select(static pod => (pod, ""))]);
            world.Apply(yaml);
            if (i == count / 2)
            {
                Assert.NotEqual(before, Held(world));
            }
            world.Delete(yaml);
        }
        Assert.Equal(before, Held(world));
    }

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public void When_all_Services_are_gone_the_kernel_is_as_it_was_before_the_first(ServicesKind services)
    {
        using var world = new ServiceWorld(dual: true, services);
        var before = Held(world);
        var yaml = string.Concat(Enumerable.Range(20, 200).Select(static i =>
            Website(i % 3 == 0 ? "sessionAffinity: ClientIP" : "type: ClusterIP", $"s-{i}", i) + Slice($"s-{i}", 8080 + i, $"s-{i}", [.. ServiceWorld.Pods.Keys.Take(i % 4).Select(static pod => (pod, ""))])));
        world.Apply(yaml);
        Assert.NotEqual(before, Held(world));
        world.Delete(yaml);
        Assert.Equal(before, Held(world));
    }

    private static List<string> Held(ServiceWorld world) =>
        [.. world.Kernels.Observe([new NamespaceId("node-1")], new HashSet<EntryKind> { EntryKind.Chain, EntryKind.Set, EntryKind.Element, EntryKind.Object, EntryKind.IptablesChain, EntryKind.IptablesRule }).Entries.Values
            .Select(static held => $"{held.Entry.Key} {held.Entry.Print()} {held.Stamp}").Order(StringComparer.Ordinal)];
}
