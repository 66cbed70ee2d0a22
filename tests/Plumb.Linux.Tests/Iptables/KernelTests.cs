using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Iptables;

/// <summary>Chains in a real kernel, with iptables' own programs as witnesses.</summary>
public sealed class KernelTests
{
    private static readonly NamespaceId Node = new("node-1");

    [Fact]
    public void What_was_written_is_read_back_and_only_what_differs_is_written_again() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), static seed =>
        {
            using var kernels = Kernels();
            var random = new Random(seed);
            for (var step = 0; step < 4; step++)
            {
                var desired = RandomChains(random);
                var delta = Difference.Between(desired, kernels.Observe([Node]));
                Assert.Empty(delta.Conflicts);
                kernels.Apply(delta.Items);
                Assert.Empty(Difference.Between(desired, kernels.Observe([Node])).Items);
            }
            var nothing = new DesiredState();
            kernels.Apply(Difference.Between(nothing, kernels.Observe([Node])).Items);
            Assert.All(kernels.Observe([Node]).Entries.Values, static held => Assert.Equal(Owner.Kernel, held.Owner));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(8));

    [Fact]
    public async Task Others_chains_and_rules_are_left_alone_and_come_after_Plumb_s()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        await Witness.Shell(network, "iptables -t nat -N DOCKER; iptables -t nat -A DOCKER -j RETURN; iptables -t nat -A PREROUTING -j DOCKER");
        var desired = Few(IpFamily.V4);
        kernels.Apply(Difference.Between(desired, kernels.Observe([Node])).Items);
        Assert.Equal(
            ["-P PREROUTING ACCEPT", "-A PREROUTING -m comment --comment first -j KUBE-SERVICES", "-A PREROUTING -m comment --comment second -j KUBE-SERVICES", "-A PREROUTING -j DOCKER"],
            Lines(await Witness.Run(network, "iptables", "-t", "nat", "-S", "PREROUTING")));

        kernels.Apply(Difference.Between(new DesiredState(), kernels.Observe([Node])).Items);

        Assert.Equal(
            ["-P PREROUTING ACCEPT", "-P INPUT ACCEPT", "-P OUTPUT ACCEPT", "-P POSTROUTING ACCEPT", "-N DOCKER", "-A PREROUTING -j DOCKER", "-A DOCKER -j RETURN"],
            Lines(await Witness.Run(network, "iptables", "-t", "nat", "-S")));
    }

    [Fact]
    public async Task A_table_of_iptables_is_told_once_and_a_table_of_nft_s_own_beside_it_too()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        Assert.DoesNotContain(kernels.Observe([Node]).Entries.Keys, static key => Linux.Kernel.Kernels.IsRules(key.Kind));
        await Witness.Shell(network, "iptables -t nat -N MINE; nft add table ip own; nft add chain ip own something");
        var keys = kernels.Observe([Node]).Entries.Keys.Where(static key => Linux.Kernel.Kernels.IsRules(key.Kind)).Select(static key => $"{key.Kind} {key.Name}").Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "Chain ip own something", "IptablesChain ip nat INPUT", "IptablesChain ip nat MINE", "IptablesChain ip nat OUTPUT",
                "IptablesChain ip nat POSTROUTING", "IptablesChain ip nat PREROUTING", "Table ip own",
            ],
            keys);
    }

    /// <summary>iptables-save tells rules of it that are not so.</summary>
    [Fact]
    public async Task A_table_that_somebody_made_with_nft_under_a_name_of_iptables_stays_his()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        await Witness.Shell(
            network,
            "nft add table ip nat; nft 'add chain ip nat mine { type nat hook prerouting priority -100; }'; nft add chain ip nat other; nft add set ip nat s '{ type ipv4_addr; }'; nft add rule ip nat other ip saddr @s accept");
        var before = Keys();
        Assert.Equal(["Chain ip nat mine", "Chain ip nat other", "Set ip nat s", "Table ip nat"], before);
        var desired = Few(IpFamily.V4);
        kernels.Apply(Difference.Between(desired, kernels.Observe([Node])).Items);
        Assert.Empty(Difference.Between(desired, kernels.Observe([Node])).Items);
        Assert.Superset(before.ToHashSet(), Keys().ToHashSet());
        Assert.DoesNotContain("IptablesChain ip nat other", Keys());

        List<string> Keys() =>
            [.. kernels.Observe([Node]).Entries.Keys.Where(static key => Linux.Kernel.Kernels.IsRules(key.Kind)).Select(static key => $"{key.Kind} {key.Name}").Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task A_chain_of_our_name_that_is_not_ours_is_a_conflict()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        await Witness.Shell(network, "iptables -t nat -N KUBE-SERVICES; iptables -t nat -A KUBE-SERVICES -j ACCEPT");
        var delta = Difference.Between(Few(IpFamily.V4), kernels.Observe([Node]));
        Assert.Equal("ip nat KUBE-SERVICES", Assert.Single(delta.Conflicts).Holds.Entry.Key.Name);
    }

    /// <summary>Who flushes the tables also empties the chain that says which chains are Plumb's.</summary>
    [Fact]
    public async Task What_somebody_flushed_is_made_good_and_others_empty_chains_stay()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        var desired = Few(IpFamily.V4);
        kernels.Apply(Difference.Between(desired, kernels.Observe([Node])).Items);
        await Witness.Shell(network, "iptables -t nat -N DOCKER; iptables -t nat -F");
        var delta = Difference.Between(desired, kernels.Observe([Node]));
        Assert.Empty(delta.Conflicts);
        kernels.Apply(delta.Items);
        Assert.Empty(Difference.Between(desired, kernels.Observe([Node])).Items);
        Assert.Contains("-N DOCKER", await Witness.Run(network, "iptables", "-t", "nat", "-S"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_names_the_entry_and_nothing_of_its_table_is_done()
    {
        using var kernels = Kernels();
        var desired = Few(IpFamily.V4);
        var bad = new IptablesChainEntry(Node, new IptablesTable(IpFamily.V4, "nat"), "KUBE-BAD") { Rules = ["-j ACCEPT", "-p tcp --no-such-option"] };
        desired.Set(bad);
        var refused = Assert.Throws<ApplyException>(() => kernels.Apply(Difference.Between(desired, kernels.Observe([Node])).Items));
        Assert.Equal(bad.Key, Assert.Single(refused.Refusals).Item.Key);
        Assert.DoesNotContain(kernels.Observe([Node]).Entries.Values, static held => held.Owner == Owner.Plumb);
    }

    [Fact]
    public async Task Whatever_others_write_in_comments_and_wherever_they_jump_nothing_differs()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        var desired = Few(IpFamily.V4);
        kernels.Apply(Difference.Between(desired, kernels.Observe([Node])).Items);
        await Witness.Shell(
            network, "iptables -A INPUT -m comment --comment \"$(printf 'a\\nb')\" -j ACCEPT; iptables -t nat -I PREROUTING -i eth9 -j KUBE-SERVICES");
        Assert.Contains("a\nb", await Witness.Run(network, "iptables-save"), StringComparison.Ordinal);
        Assert.Empty(Difference.Between(desired, kernels.Observe([Node])).Items);
    }

    /// <summary>The kernel keeps what is jumped to.</summary>
    [Fact]
    public async Task A_chain_that_others_jump_to_is_left_empty_and_everything_else_goes()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        kernels.Apply(Difference.Between(Few(IpFamily.V4), kernels.Observe([Node])).Items);
        await Witness.Shell(network, "iptables -t nat -N MINE; iptables -t nat -A MINE -j KUBE-SVC-A");
        var nothing = new DesiredState();

        var kept = Assert.Throws<ApplyException>(() => kernels.Apply(Difference.Between(nothing, kernels.Observe([Node])).Items));

        Assert.Equal("ip nat KUBE-SVC-A", Assert.Single(kept.Refusals).Item.Key.Name);
        var listed = Lines(await Witness.Run(network, "iptables", "-t", "nat", "-S")).Where(static line => !line.StartsWith("-P", StringComparison.Ordinal) && !line.Contains("PLUMB", StringComparison.Ordinal));
        Assert.Equal(["-N KUBE-SVC-A", "-N MINE", "-A MINE -j KUBE-SVC-A"], listed);
        await Witness.Shell(network, "iptables -t nat -F MINE; iptables -t nat -X MINE");
        kernels.Apply(Difference.Between(nothing, kernels.Observe([Node])).Items);
        Assert.All(kernels.Observe([Node]).Entries.Values, static held => Assert.Equal(Owner.Kernel, held.Owner));
    }

    [Fact]
    public async Task A_write_of_ours_is_known_as_ours()
    {
        using var network = NetworkNamespace.Create();
        using var kernels = Kernels(network);
        using var changes = kernels.Subscribe(Node, NetlinkFamily.Netfilter, [7]); // NFNLGRP_NFTABLES
        kernels.Apply(Difference.Between(Few(IpFamily.V4), kernels.Observe([Node])).Items);
        var writers = new HashSet<uint>();
        await changes.ReceiveAsync(message => writers.Add(message.PortId), TestContext.Current.CancellationToken);
        Assert.NotEmpty(writers);
        Assert.All(writers, writer => Assert.True(kernels.IsOwn(Node, writer)));
        Assert.False(kernels.IsOwn(Node, (uint)Environment.ProcessId + 1_000_000));
    }

    private static Kernels Kernels(NetworkNamespace? network = null)
    {
        var kernels = new Kernels();
        kernels.Add(Node, network is null ? NetworkNamespace.Create() : NetworkNamespace.Open(network.ProcPath));
        return kernels;
    }

    private static string[] Lines(string text) => text.Replace("\"", "", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static DesiredState Few(IpFamily family)
    {
        var state = new DesiredState();
        var nat = new IptablesTable(family, "nat");
        state.Set(IptablesMark.Of(Node, nat, ["first", "second"], "KUBE-SERVICES", "KUBE-SVC-*"));
        state.Set(new IptablesChainEntry(Node, nat, "KUBE-SERVICES") { Rules = ["-d 10.96.0.1/32 -j KUBE-SVC-A"] });
        state.Set(new IptablesChainEntry(Node, nat, "KUBE-SVC-A") { Rules = ["-j RETURN"] });
        state.Set(new IptablesRuleEntry(Node, nat, "PREROUTING", "-m comment --comment \"second\" -j KUBE-SERVICES") { Order = 2 });
        state.Set(new IptablesRuleEntry(Node, nat, "PREROUTING", "-m comment --comment \"first\" -j KUBE-SERVICES") { Order = 1 });
        return state;
    }

    // Rules of every form that is planned.
    private static DesiredState RandomChains(Random random)
    {
        var state = new DesiredState();
        foreach (var family in new[] { IpFamily.V4, IpFamily.V6 })
        {
            var (pod, all, mask) = family == IpFamily.V4 ? ("10.244.1.3/32", "10.244.0.0/16", "255.255.255.255") : ("fd00:10:244::3/128", "fd00:10:244::/56", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
            var to = family == IpFamily.V4 ? "10.244.1.3:8080" : "[fd00:10:244::3]:8080";
            var reject = family == IpFamily.V4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
            string[] nat =
            [
                $"! -s {all} -d {pod} -p tcp {RuleText.Comment("default/x:http cluster IP")} -m tcp --dport 80 -j KUBE-MARK-MASQ",
                $"{RuleText.Comment($"default/x -> {to}")} -m statistic --mode random --probability {RuleText.Probability(random.Next(2, 2000))} -j KUBE-MARK-MASQ",
                $"{RuleText.Comment("default/x")} -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-A --mask {mask} --rsource -j KUBE-MARK-MASQ",
                $"-p udp {RuleText.Comment("default/x")} -m recent --set --name KUBE-SEP-A --mask {mask} --rsource -m udp -j DNAT --to-destination {to}",
                $"-p sctp {RuleText.Comment("default/x")} -m sctp -j DNAT --to-destination {to}",
                $"{RuleText.Comment("nodeports")} -m addrtype --dst-type LOCAL -j RETURN",
                $"{RuleText.Comment("a \"quoted\" word")}",
                "-m mark ! --mark 0x4000/0x4000 -j RETURN",
                "-j MARK --set-xmark 0x4000/0x0",
            ];
            string[] filter =
            [
                $"-d {pod} -p tcp {RuleText.Comment("has no endpoints")} -m tcp --dport 80 -j REJECT --reject-with {reject}",
                $"-p tcp {RuleText.Comment("has no endpoints")} -m addrtype --dst-type LOCAL -m tcp --dport 31100 -j DROP",
                "-m conntrack --ctstate INVALID -j DROP",
                $"{RuleText.Comment("forwarding")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            ];
            foreach (var (name, rules) in new[] { ("nat", nat), ("filter", filter) })
            {
                var table = new IptablesTable(family, name);
                state.Set(IptablesMark.Of(Node, table, ["chain *"], "KUBE-*"));
                state.Set(new IptablesChainEntry(Node, table, "KUBE-MARK-MASQ") { Rules = ["-j MARK --set-xmark 0x4000/0x4000"] });
                for (var i = 0; i < 6; i++)
                {
                    if (random.Next(3) == 0)
                    {
                        continue;
                    }
                    state.Set(new IptablesChainEntry(Node, table, $"KUBE-{i}") { Rules = [.. Enumerable.Range(0, random.Next(6)).Select(_ => rules[random.Next(rules.Length)])] });
                    if (i == 0)
                    {
                        // So long that it is told by what changes; several transactions for who may not have a large buffer.
                        state.Set(new IptablesChainEntry(Node, table, "KUBE-0")
                        {
                            Rules = [.. Enumerable.Range(1, 400).Where(_ => random.Next(8) != 0).OrderBy(port => random.Next(50) == 0 ? 0 : port)
                                .Select(port => $"-p tcp {RuleText.Comment($"default/x:{port} cluster IP")} -m tcp --dport {port} -j KUBE-MARK-MASQ")],
                        });
                    }
                    if (random.Next(2) == 0)
                    {
                        state.Set(new IptablesRuleEntry(Node, table, "OUTPUT", $"{RuleText.Comment($"chain {i}")} -j KUBE-{i}") { Order = i });
                    }
                }
            }
        }
        return state;
    }
}
