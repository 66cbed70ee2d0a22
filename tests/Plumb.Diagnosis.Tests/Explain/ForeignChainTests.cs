using Plumb.Diagnosis.Explain;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Explain;

/// <summary>Chains of kube-proxy, kubelet and the reference plugins, as real clusters held them.</summary>
public sealed class ForeignChainTests
{
    private static readonly NamespaceId Node = new("node-1");

    [Theory]
    [InlineData("iptables-legacy/node-1/iptables-legacy-save.txt")]
    [InlineData("iptables-legacy/node-2/iptables-legacy-save.txt")]
    [InlineData("iptables-nft/node-1/iptables-save.txt")]
    [InlineData("iptables-nft/node-2/iptables-save.txt")]
    [InlineData("nftables/node-2/iptables-save.txt")]
    [InlineData("podman-cni/host/iptables-save.txt")]
    [InlineData("cni-ptp-macvlan/host/iptables-save.txt")]
    public void Nothing_in_iptables_of_a_real_node_is_unexplained(string file)
    {
        var account = Of(file);
        Assert.True(account.Count > 10, $"{account.Count} chains and rules");
        Assert.Empty(account.Where(static one => one.Standing == Standing.Unexplained).Select(static one => one.Text));
    }

    [Theory]
    [InlineData("iptables-legacy/node-1/iptables-legacy-save.txt")]
    [InlineData("iptables-nft/node-1/iptables-save.txt")]
    public void Every_chain_of_a_Service_names_its_port_or_endpoint(string file)
    {
        string[] prefixes = ["KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-SEP-"];
        var account = Of(file);
        foreach (var prefix in prefixes)
        {
            var chains = account.Where(one => one.Key.Name.Contains(" " + prefix, StringComparison.Ordinal) && one.Key.Kind == EntryKind.IptablesChain).ToList();
            Assert.NotEmpty(chains);
            Assert.All(chains, static one => Assert.Contains("Service port ", one.Reason, StringComparison.Ordinal));
        }
        Assert.All(account, static one => Assert.All(one.Rules, static rule => Assert.DoesNotContain("goes on in", rule.Reason, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_chain_s_rules_say_what_each_does()
    {
        var chain = Assert.Single(Account.Of(
            Read(
                """
                *nat
                :PREROUTING ACCEPT [0:0]
                :KUBE-SERVICES - [0:0]
                :KUBE-MARK-MASQ - [0:0]
                :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
                :KUBE-SEP-IT2ZTR26TO4XFPTO - [0:0]
                -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
                -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
                -A KUBE-SVC-ERIFXISQEP7F7OF4 ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp --dport 53 -j KUBE-MARK-MASQ
                -A KUBE-SVC-ERIFXISQEP7F7OF4 -m comment --comment "kube-system/kube-dns:dns-tcp -> 10.244.0.2:53" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-IT2ZTR26TO4XFPTO
                -A KUBE-SEP-IT2ZTR26TO4XFPTO -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp" -m tcp -j DNAT --to-destination 10.244.0.2:53
                COMMIT
                """),
            new Dictionary<EntryKey, PlannedReason>()), static one => one.Key.Name == "ip nat KUBE-SVC-ERIFXISQEP7F7OF4");
        Assert.Equal("kube-proxy's chain for Service port kube-system/kube-dns:dns-tcp (tcp): chooses one of all endpoints of a Service port at random", chain.Reason);
        Assert.Equal(
            [
                "marks packets that KUBE-POSTROUTING is to masquerade",
                "to endpoint 10.244.0.2:53 of Service port kube-system/kube-dns:dns-tcp (tcp): translates to one endpoint of a Service port, with probability 0.5 of what comes so far",
            ],
            chain.Rules.Select(static rule => rule.Reason));
    }

    private static IReadOnlyList<Explanation> Of(string file)
    {
        var path = Path.Combine(Foreign.Require(""), file);
        return Account.Of(Read(File.ReadAllText(path)), new Dictionary<EntryKey, PlannedReason>());
    }

    private static ObservedState Read(string text)
    {
        var state = new ObservedState();
        foreach (var observed in IptablesSave.Read(text, IpFamily.V4, Node))
        {
            state.Set(observed);
        }
        return state;
    }
}
