using Plumb.Agent.Installing;
using Plumb.Agent.Tests.RealKernel;
using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.Installing;

public sealed class NodeRemovalTests
{
    // Numbers that count what happens are no state, nor is how long an address has been there.
    private const string Dump =
        """
        ip -d link; ip addr | sed 's/ tentative//'; ip route show table all; ip -6 route show table all; ip rule; ip -6 rule; ip neigh show nud permanent; bridge fdb
        tc qdisc; nft list ruleset; sysctl -a --pattern '^net\.' | grep -v nf_conntrack_count
        """;

    [Theory]
    [InlineData(OverlayKind.Vxlan)]
    [InlineData(OverlayKind.Routed)]
    public async Task A_node_is_afterwards_what_it_was_before(OverlayKind overlay)
    {
        await using var machines = Machines.WithoutAgents(overlay);
        var node = machines.Nodes[1];
        var options = machines.Options(1);
        var backup = Path.Combine(options.StateDirectory, "backup.tar");
        await File.WriteAllTextAsync(backup, "somebody's", TestContext.Current.CancellationToken);
        await SettleAsync(node);
        await Witness.Shell(node, "nft add table ip others; ip route add 203.0.113.0/24 via 192.168.1.12; sysctl -qw net.ipv4.conf.eth0.rp_filter=1");
        var before = await DumpAsync(node);
        await machines.StartAgentAsync(1);
        await machines.AddAsync(1, "client");
        // Of an agent that set some of it, and of one that found it set.
        await machines.StopAgentAsync(1);
        await machines.StartAgentAsync(1);
        Assert.NotEqual(before, await DumpAsync(node));
        await machines.StopAgentAsync(1);
        Assert.True(File.Exists(Path.Combine(options.CniConfigurationDirectory!, "10-plumb.conflist")));

        var report = NodeRemoval.Run(options);

        Assert.Equal(before, await DumpAsync(node));
        Assert.Contains("sysctl net/ipv4/ip_forward = 0", report.Parameters);
        Assert.Contains("sysctl net/ipv4/conf/eth0/rp_filter = 1", report.Parameters);
        Assert.Equal(1, report.Leases);
        Assert.Equal([backup], Directory.EnumerateFileSystemEntries(options.StateDirectory));
        Assert.Empty(Directory.EnumerateFileSystemEntries(options.CniConfigurationDirectory!));

        var again = NodeRemoval.Run(options);
        Assert.Empty(again.Entries.Concat(again.Parameters).Concat(again.Files));
    }

    [Fact]
    public async Task One_that_is_cut_off_anywhere_can_be_done_again()
    {
        for (var passes = 0; ; passes++)
        {
            await using var machines = Machines.WithoutAgents(OverlayKind.Vxlan);
            await SettleAsync(machines.Nodes[1]);
            var before = await DumpAsync(machines.Nodes[1]);
            await machines.StartAgentAsync(1);
            await machines.AddAsync(1, "client");
            await machines.StopAgentAsync(1);
            var seam = new CuttingSeam(passes);
            var whole = false;
            try
            {
                NodeRemoval.Run(machines.Options(1) with { Writes = seam });
                whole = true;
            }
            catch (CutException)
            {
                NodeRemoval.Run(machines.Options(1));
            }
            Assert.Equal(before, await DumpAsync(machines.Nodes[1]));
            if (whole)
            {
                Assert.True(passes > 5, $"only {passes} writes");
                break;
            }
        }
    }

    [Fact]
    public async Task A_parameter_that_somebody_else_has_set_since_stays()
    {
        await using var machines = Machines.WithoutAgents(OverlayKind.Routed);
        await machines.StartAgentAsync(1);
        await machines.StopAgentAsync(1);
        await Witness.Shell(machines.Nodes[1], "sysctl -qw net.ipv4.conf.eth0.arp_announce=1");

        NodeRemoval.Run(machines.Options(1));

        Assert.Equal("1", (await Witness.Shell(machines.Nodes[1], "sysctl -n net.ipv4.conf.eth0.arp_announce")).Trim());
    }

    [Fact]
    public async Task While_an_agent_runs_it_is_refused()
    {
        await using var machines = Machines.WithoutAgents(OverlayKind.Routed);
        await machines.StartAgentAsync(1);

        var refused = Assert.Throws<AgentException>(() => NodeRemoval.Run(machines.Options(1)));

        Assert.Contains("another agent serves this node's state; end it first", refused.Message);
        Assert.Contains("table ip plumb", await Witness.Shell(machines.Nodes[1], "nft list tables"));
    }

    // The kernel gives the wire its carrier a moment after it was made, and with it an address of its own, which is not looked at here.
    private static Task<string> SettleAsync(NetworkNamespace node) => Witness.Shell(
        node, "ip link set eth0 addrgenmode none; ip -6 address flush dev eth0 scope link; timeout 60 sh -c \"until ip link show eth0 | grep -q 'state UP'; do sleep 0.02; done\"");

    private static async Task<string> DumpAsync(NetworkNamespace node) => await Witness.Shell(node, Dump);
}
