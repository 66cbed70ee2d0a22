using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using static Plumb.Network.Services.Iptables.ChainNames;

namespace Plumb.Network.Services.Iptables;

/// <summary>What is the same whatever Services there are, in one family: the ways into the chains, and the masquerade.</summary>
internal sealed class BaseRules(NamespaceId node, IpFamily family)
{
    /// <summary>The bit of a packet's mark that asks for the node's address as its source; kube-proxy's.</summary>
    public const string MasqueradeBit = "0x4000";

    private const string New = "-m conntrack --ctstate NEW ";

    public IptablesTable Nat { get; } = new(family, IptablesTable.Nat);

    public IptablesTable Filter { get; } = new(family, IptablesTable.Filter);

    public IEnumerable<Entry> Entries()
    {
        IptablesRuleEntry[] nat =
        [
            .. Jumps(Nat, ["PREROUTING", "OUTPUT"], "", "kubernetes service portals", ChainNames.Services, 1),
            .. Jumps(Nat, ["POSTROUTING"], "", "kubernetes postrouting rules", Postrouting, 1),
        ];
        IptablesRuleEntry[] filter =
        [
            .. Jumps(Filter, ["INPUT", "FORWARD", "OUTPUT"], New, "kubernetes load balancer firewall", Firewall, 1),
            .. Jumps(Filter, ["INPUT"], "", "kubernetes health check service ports", NodePorts, 2),
            .. Jumps(Filter, ["FORWARD"], "", "kubernetes forwarding rules", Forward, 2),
            .. Jumps(Filter, ["FORWARD", "OUTPUT"], New, "kubernetes service portals", ChainNames.Services, 3),
            .. Jumps(Filter, ["INPUT", "FORWARD"], New, "kubernetes externally-visible service portals", ExternalServices, 4),
        ];
        return
        [
            IptablesMark.Of(
                node, Nat, Comments(nat),
                ChainNames.Services, NodePorts, Postrouting, MarkMasquerade, $"{AllEndpoints}*", $"{Local}*", $"{External}*", $"{Guard}*", $"{Endpoint}*"),
            IptablesMark.Of(node, Filter, Comments(filter), ChainNames.Services, ExternalServices, NodePorts, Forward, Firewall),
            Chain(Nat, MarkMasquerade, $"-j MARK --set-xmark {MasqueradeBit}/{MasqueradeBit}"),
            Chain(
                Nat,
                Postrouting,
                $"-m mark ! --mark {MasqueradeBit}/{MasqueradeBit} -j RETURN",
                // Taken off: a packet that comes by again (encapsulated, or through a bridge) is not translated twice.
                $"-j MARK --set-xmark {MasqueradeBit}/0x0",
                $"{RuleText.Comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully"),
            Chain(
                Filter,
                Forward,
                "-m conntrack --ctstate INVALID -j DROP",
                $"{RuleText.Comment("kubernetes forwarding rules")} -m mark --mark {MasqueradeBit}/{MasqueradeBit} -j ACCEPT",
                $"{RuleText.Comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
            .. nat,
            .. filter,
        ];
    }

    public IptablesChainEntry Chain(IptablesTable table, string name, params IEnumerable<string> rules) => new(node, table, name) { Rules = [.. rules] };

    private IEnumerable<IptablesRuleEntry> Jumps(IptablesTable table, string[] hooks, string condition, string comment, string target, int order) =>
        hooks.Select(hook => new IptablesRuleEntry(node, table, hook, $"{condition}{RuleText.Comment(comment)} -j {target}") { Order = order });

    private static List<string> Comments(IptablesRuleEntry[] jumps) => [.. jumps.Select(static jump => RuleText.CommentOf(jump.Text)!).Distinct(StringComparer.Ordinal)];
}
