using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.RealKernel;

public sealed class PacketTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(OverlayKind.Vxlan)]
    [InlineData(OverlayKind.Routed)]
    public async Task Pods_reach_pods_on_their_node_and_on_another_with_their_own_addresses(OverlayKind overlay)
    {
        await using var machines = await Machines.StartAsync(overlay);
        var client = await machines.AddAsync(1, "client");
        var near = await machines.AddAsync(1, "near");
        var far = await machines.AddAsync(2, "far");
        Assert.Equal(client.Address, await SourceSeenAsync(client.Inside, near.Inside, near.Address));
        Assert.Equal(client.Address, await SourceSeenAsync(client.Inside, far.Inside, far.Address));
        // A node speaks to pods, its own and others'; pods speak to nodes, and are known by their own address there.
        await SourceSeenAsync(machines.Nodes[1], near.Inside, near.Address);
        await SourceSeenAsync(machines.Nodes[1], far.Inside, far.Address);
        Assert.Equal(client.Address, await SourceSeenAsync(client.Inside, machines.Nodes[2], IPAddress.Parse("192.168.1.12")));
        await machines.CheckAsync(1, "client");
    }

    [Fact]
    public async Task A_hardware_address_that_a_plugin_behind_gave_is_learned_by_CHECK_and_kept_by_the_next_agent()
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Routed);
        var client = await machines.AddAsync(1, "client");
        var server = await machines.AddAsync(1, "server");
        await Witness.Shell(server.Inside, "ip link set eth0 address c2:11:22:33:44:55");

        await machines.CheckAsync(1, "server");

        Assert.Contains("c2:11:22:33:44:55 PERMANENT", await Witness.Run(machines.Nodes[1], "ip", "neigh", "show", server.Address.ToString()), StringComparison.Ordinal);
        Assert.Equal(client.Address, await SourceSeenAsync(client.Inside, server.Inside, server.Address));
        // Nobody calls CHECK of this one.
        await Witness.Shell(client.Inside, "ip link set eth0 address c2:11:22:33:44:66");
        await machines.StopAgentAsync(1);
        await machines.StartAgentAsync(1);
        Assert.Contains("c2:11:22:33:44:66", await Witness.Shell(client.Inside, "ip link show eth0"), StringComparison.Ordinal);
        Assert.Equal(client.Address, await SourceSeenAsync(client.Inside, server.Inside, server.Address));
        // Another's is not to be had.
        await Witness.Shell(client.Inside, "ip link set eth0 address c2:11:22:33:44:55");
        Assert.False(await machines.TryAsync(1, "CHECK", "client"));
        Assert.Contains("c2:11:22:33:44:66 PERMANENT", await Witness.Run(machines.Nodes[1], "ip", "neigh", "show", client.Address.ToString()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_lives_through_a_restart_of_the_agent_which_changes_nothing()
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Vxlan);
        var client = await machines.AddAsync(1, "client");
        var server = await machines.AddAsync(2, "server");
        using var listener = server.Inside.ListenTcp(new IPEndPoint(server.Address, 80));
        using var connection = await client.Inside.ConnectTcpAsync(new IPEndPoint(server.Address, 80), Cancel);
        using var accepted = await listener.AcceptAsync(Cancel);

        await machines.StopAgentAsync(1);
        await EchoAsync(connection, accepted);
        var writes = new CuttingSeam(int.MaxValue);
        await machines.StartAgentAsync(1, writes);
        Assert.Empty(writes.Writes);
        await EchoAsync(connection, accepted);
    }

    [Fact]
    public async Task A_link_with_the_bridges_name_that_is_somebody_elses_is_named_and_left_and_the_node_is_not_ready_until_it_goes()
    {
        await using var machines = Machines.WithoutAgents(OverlayKind.Vxlan);
        await Witness.Shell(machines.Nodes[1], "ip link add cni0 type veth peer name other && ip address add 10.9.9.1/24 dev cni0");
        var options = machines.Options(1);
        await using var agent = await NodeAgent.StartAsync(options, Cancel);

        Assert.Contains("cni0", await machines.Log.LineAsync("wires no pods"), StringComparison.Ordinal);
        var found = await Witness.Shell(machines.Nodes[1], "ip -d address show cni0");
        Assert.Contains("veth", found, StringComparison.Ordinal);
        Assert.Contains("10.9.9.1/24", found, StringComparison.Ordinal);
        Assert.DoesNotContain("10.244.1.1", found, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(options.CniConfigurationDirectory!, "10-plumb.conflist")));

        await Witness.Shell(machines.Nodes[1], "ip link delete cni0");
        await agent.Ready;
        Assert.Contains("bridge", await Witness.Shell(machines.Nodes[1], "ip -d link show cni0"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("route", "10.244.2.0/24")]
    [InlineData("link", "plumb-vxlan")]
    [InlineData("neighbour", "10.244.1.2 dev cni0")]
    [InlineData("fdb", "0a:56:c0:a8:01:0c")]
    [InlineData("chain", "ip plumb masquerade-pods")]
    public async Task What_somebody_removes_by_hand_is_restored(string what, string name)
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Vxlan);
        var client = await machines.AddAsync(1, "client");
        var server = await machines.AddAsync(2, "server");
        var node = new NamespaceId("node-1");
        using var hand = new Kernels();
        hand.Add(node, NetworkNamespace.Open(machines.Nodes[1].ProcPath));
        var victim = hand.Observe([node]).Entries.Values.First(holds =>
            holds.Entry.Kind.ToString().Equals(what, StringComparison.OrdinalIgnoreCase) && holds.Entry.Key.Name.StartsWith(name, StringComparison.Ordinal));
        hand.Apply([new DeltaItem(null, victim.Entry)]);
        Assert.Contains("was removed; restored", await machines.Log.LineAsync(victim.Entry.Key.Name.Split(' ')[0]));
        Assert.True(victim.Entry.IsSatisfiedBy(hand.Observe([node]).Entries[victim.Entry.Key].Entry));
        Assert.Equal(client.Address, await SourceSeenAsync(client.Inside, server.Inside, server.Address));
    }

    [Fact]
    public async Task A_pod_that_goes_leaves_nothing_on_the_node()
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Vxlan);
        var node = new NamespaceId("node-1");
        using var eye = new Kernels();
        eye.Add(node, NetworkNamespace.Open(machines.Nodes[1].ProcPath));
        var before = Lasting();
        await machines.AddAsync(1, "client");
        await machines.DeleteAsync(1, "client");
        await machines.DeleteAsync(1, "client");
        Assert.Equal(before, Lasting());

        // What the kernel resolves and joins by itself comes and goes.
        List<EntryKey> Lasting() => [.. eye.Observe([node]).Entries.Values.Where(holds => holds.Owner != Owner.Kernel).Select(holds => holds.Entry.Key).Order()];
    }

    private static async Task<IPAddress> SourceSeenAsync(NetworkNamespace from, NetworkNamespace to, IPAddress address)
    {
        using var listener = to.ListenTcp(new IPEndPoint(IPAddress.Any, 8080));
        using var connection = await from.ConnectTcpAsync(new IPEndPoint(address, 8080), Cancel);
        using var accepted = await listener.AcceptAsync(Cancel);
        await EchoAsync(connection, accepted);
        return ((IPEndPoint)accepted.RemoteEndPoint!).Address;
    }

    private static async Task EchoAsync(Socket one, Socket other)
    {
        var sent = new byte[] { 1, 2, 3 };
        var received = new byte[3];
        await one.SendAsync(sent, Cancel);
        await other.ReceiveAsync(received, Cancel);
        Assert.Equal(sent, received);
    }
}
