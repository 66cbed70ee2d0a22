using System.Text.Json.Nodes;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Network.Services.Iptables;

namespace Plumb.Network.Tests.Services.Iptables;

/// <summary>The chains are kube-proxy's: laid beside those that kube-proxy 1.34 wrote on a real cluster, from the same objects.</summary>
public sealed class KubeProxyTests
{
    // As they stand in every cluster, and in this project's issues.
    [Theory]
    [InlineData("default", "kubernetes", "https", IpProtocol.Tcp, "NPX46M4PTMTKRN6Y")]
    [InlineData("kube-system", "kube-dns", "dns", IpProtocol.Udp, "TCOU7JCQXEZGVUNU")]
    [InlineData("kube-system", "kube-dns", "dns-tcp", IpProtocol.Tcp, "ERIFXISQEP7F7OF4")]
    public void A_chain_has_the_name_that_people_know(string scope, string service, string port, IpProtocol protocol, string hash) =>
        Assert.Equal(hash, ChainNames.HashOf(ChainNames.PortName(new Subject(SubjectKind.Service, scope, service), port), protocol));

    [Theory]
    [InlineData("node-1")]
    [InlineData("node-2")]
    public void Every_chain_that_kube_proxy_wrote_is_planned_rule_by_rule(string node)
    {
        var recorded = FindRecorded();
        Assert.SkipWhen(recorded is null, "no ../shared/fixtures/foreign beside this checkout");
        var objects = JsonNode.Parse(File.ReadAllText(Path.Combine(recorded!, "objects.json")))!["items"]!.AsArray();
        var plan = OfflinePlan.Make(objects.Select(static item => item!), node, new NetworkOptions { Overlay = OverlayKind.Routed, Services = ServicesKind.Iptables }, new AssumedMachine());
        var ours = plan.Desired.Entries.Values.Select(static desired => desired.Entry).OfType<IptablesChainEntry>().ToDictionary(static chain => (chain.Table, chain.Name));
        var saved = File.ReadAllText(Path.Combine(recorded!, node, "iptables-save.txt"));
        var compared = 0;
        foreach (var theirs in IptablesSave.Read(saved, IpFamily.V4, new NamespaceId(node)).Select(static one => one.Entry).OfType<IptablesChainEntry>())
        {
            if (theirs.IsBuiltIn || !theirs.Name.StartsWith("KUBE-", StringComparison.Ordinal) || IsKubelets(theirs.Name))
            {
                continue;
            }
            var planned = ours[(theirs.Table, theirs.Name)];
            // A map gives Services no order there; with a counter for each that comes by loopback, and without what says no more than drop.
            var isShared = theirs.Name is ChainNames.Services or ChainNames.NodePorts or ChainNames.ExternalServices or ChainNames.Firewall or ChainNames.Forward;
            Assert.Equal(Rules(theirs, isShared), Rules(planned, isShared));
            ours.Remove((theirs.Table, theirs.Name));
            compared++;
        }
        Assert.True(compared > 100, $"only {compared} chains were compared");
        // What is left is the mark that tells ours from others'.
        Assert.All(ours.Keys, static key => Assert.Equal(IptablesMark.Chain, key.Name));
    }

    [Fact]
    public void Every_way_into_the_chains_is_kube_proxy_s()
    {
        var recorded = FindRecorded();
        Assert.SkipWhen(recorded is null, "no ../shared/fixtures/foreign beside this checkout");
        var saved = IptablesSave.Read(File.ReadAllText(Path.Combine(recorded!, "node-1", "iptables-save.txt")), IpFamily.V4, new NamespaceId("node-1"));
        var ours = new BaseRules(new NamespaceId("node-1"), IpFamily.V4).Entries().OfType<IptablesRuleEntry>().ToList();
        var theirs = saved.Select(static one => one.Entry).OfType<IptablesRuleEntry>().Where(rule => ours.Exists(own => RuleText.Target(own.Text) == RuleText.Target(rule.Text))).ToList();
        foreach (var chain in theirs.GroupBy(static rule => (rule.Table, rule.Chain)))
        {
            Assert.Equal(
                chain.Select(static rule => rule.Text),
                ours.Where(own => own.Table == chain.Key.Table && own.Chain == chain.Key.Chain).OrderBy(static own => own.Order).Select(static own => own.Text));
        }
        Assert.Equal(ours.Count, theirs.Count);
    }

    private static bool IsKubelets(string chain) => chain is "KUBE-FIREWALL" or "KUBE-IPTABLES-HINT" or "KUBE-KUBELET-CANARY" or "KUBE-PROXY-CANARY";

    private static List<string> Rules(IptablesChainEntry chain, bool isShared)
    {
        var rules = new List<string>();
        foreach (var rule in chain.Rules)
        {
            // Counters of kube-proxy's own (nfacct), and what Plumb does better on purpose.
            if (!rule.Contains("nfacct", StringComparison.Ordinal)
                && rule != "-m conntrack --ctstate INVALID -j DROP"
                && !rule.Contains("\"no port of a Service\"", StringComparison.Ordinal))
            {
                rules.Add(rule.Replace("! -d 127.0.0.0/8 ", "", StringComparison.Ordinal));
            }
        }
        if (isShared && rules.Count > 1)
        {
            Assert.True(chain.Name != ChainNames.Services || chain.Table.Name != "nat" || rules[^1].EndsWith("-j KUBE-NODEPORTS", StringComparison.Ordinal));
            rules.Sort(StringComparer.Ordinal);
        }
        return rules;
    }

    private static string? FindRecorded()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var beside = Path.Combine(folder.FullName, "shared", "fixtures", "foreign", "iptables-nft");
            if (Directory.Exists(beside))
            {
                return beside;
            }
        }
        return null;
    }
}
