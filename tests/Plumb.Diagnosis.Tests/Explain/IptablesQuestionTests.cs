using Plumb.Diagnosis.Explain;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Diagnosis.Tests.Explain;

/// <summary>Chains of iptables in an account: whose they are, and which of their rules matter to a question.</summary>
public sealed class IptablesQuestionTests
{
    private static readonly NamespaceId Node = new("node-1");
    private static readonly IptablesTable Nat = new(IpFamily.V4, "nat");
    private static readonly Origin Option = new(Subject.Option("services"));
    private static readonly Origin Website = new(new Subject(SubjectKind.Service, "default", "website"), "spec.ports[0]");
    private static readonly Origin Shop = new(new Subject(SubjectKind.Service, "default", "shop"), "spec.ports[0]");

    [Theory]
    [InlineData("KUBE-SVC-AAAAAAAAAAAAAAAA")]
    [InlineData("10.96.14.7")]
    [InlineData("service/website")]
    public void A_chain_an_address_and_a_Service_lead_to_the_same_and_to_nothing_of_others(string thing)
    {
        var (account, observed) = World();
        var answer = new Question(thing).Answer(account, observed);
        Assert.Equal(["ip nat KUBE-SEP-AAAAAAAAAAAAAAAA", "ip nat KUBE-SERVICES", "ip nat KUBE-SVC-AAAAAAAAAAAAAAAA"], answer.Select(static one => one.Key.Name).Order(StringComparer.Ordinal));
        var shared = answer.Single(static one => one.Key.Name.EndsWith("SERVICES", StringComparison.Ordinal)).Text.Split('\n');
        Assert.Equal(3, shared.Length);
        Assert.Contains("default/website:http cluster IP", shared[1], StringComparison.Ordinal);
        Assert.Equal("    (and 2 more)", shared[2]);
        Assert.Contains("Service default/website", answer.Single(static one => one.Key.Name.Contains("SVC", StringComparison.Ordinal)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Built_in_chains_are_the_kernel_s_and_rules_of_known_programs_are_known()
    {
        var (account, _) = World();
        Assert.Equal(
            [Standing.Kernel, Standing.Known, Standing.Planned, Standing.Unexplained],
            account.Where(static one => one.Key.Name.Contains("PREROUTING", StringComparison.Ordinal)).Select(static one => one.Standing).Order(Comparer<Standing>.Create(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))));
        Assert.Contains("Docker: the way to DOCKER", account.Select(static one => one.Reason));
    }

    private static (IReadOnlyList<Explanation> Account, ObservedState Observed) World()
    {
        var observed = new ObservedState();
        var planned = new Dictionary<EntryKey, PlannedReason>();
        Add(new IptablesChainEntry(Node, Nat, "PREROUTING") { Policy = "ACCEPT" }, Owner.Kernel);
        Add(new IptablesRuleEntry(Node, Nat, "PREROUTING", "-j KUBE-SERVICES"), Owner.Plumb, Option);
        Add(new IptablesRuleEntry(Node, Nat, "PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"), Owner.Foreign);
        Add(new IptablesRuleEntry(Node, Nat, "PREROUTING", "-j ACCEPT"), Owner.Foreign);
        Add(Chain("KUBE-MARK-MASQ", "-j MARK --set-xmark 0x4000/0x4000"), Owner.Plumb, Option);
        Add(
            Chain(
                "KUBE-SERVICES",
                "-d 10.96.14.8/32 -p tcp -m comment --comment \"default/shop:http cluster IP\" -m tcp --dport 80 -j KUBE-SVC-BBBBBBBBBBBBBBBB",
                "-d 10.96.14.7/32 -p tcp -m comment --comment \"default/website:http cluster IP\" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA",
                "-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"),
            Owner.Plumb,
            Option);
        Add(Chain("KUBE-SVC-AAAAAAAAAAAAAAAA", "-d 10.96.14.7/32 -j KUBE-MARK-MASQ", "-m comment --comment \"default/website:http -> 10.244.1.3:8080\" -j KUBE-SEP-AAAAAAAAAAAAAAAA"), Owner.Plumb, Website);
        Add(Chain("KUBE-SEP-AAAAAAAAAAAAAAAA", "-p tcp -j DNAT --to-destination 10.244.1.3:8080"), Owner.Plumb, Website);
        Add(Chain("KUBE-SVC-BBBBBBBBBBBBBBBB", "-j KUBE-MARK-MASQ"), Owner.Plumb, Shop);
        return (Account.Of(observed, planned), observed);

        void Add(Entry entry, Owner owner, Origin? cause = null)
        {
            observed.Set(new Observed(entry, owner, null, new KernelFacts()));
            if (cause is not null)
            {
                planned[entry.Key] = new PlannedReason(entry.Print(), [cause]);
            }
        }
    }

    private static IptablesChainEntry Chain(string name, params string[] rules) => new(Node, Nat, name) { Rules = [.. rules] };
}
