using Plumb.Diagnosis.Owners;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Explain;

/// <summary>Says of chains and rules that another program has made whose they are and what for.</summary>
internal sealed class ChainWords(ObservedState all, IReadOnlyList<Service> services)
{
    // What a rule does is iptables' own language (iptables-extensions(8)), nobody's in particular.
    private static readonly Dictionary<string, string> Targets = new(StringComparer.Ordinal)
    {
        ["ACCEPT"] = "lets through, past the rest of the table",
        ["DROP"] = "drops without a word",
        ["REJECT"] = "refuses: the sender is told",
        ["RETURN"] = "goes back to the chain that led here",
        ["MASQUERADE"] = "gives it the address of the device that it leaves by",
        ["LOG"] = "tells the kernel's log",
        ["NFLOG"] = "tells a program that listens",
        ["TPROXY"] = "hands it to a socket of this host, address and all",
        ["CT"] = "settles how its connection is tracked",
        ["NOTRACK"] = "its connection is not tracked",
        ["TCPMSS"] = "lowers the segment size that TCP asks for",
        ["CONNMARK"] = "carries the mark between packet and connection",
    };

    private readonly Lazy<ServiceChains> _services = new(() => new ServiceChains(all, services));

    /// <summary>Null: nobody known makes such a chain.</summary>
    public string? Of(IptablesChainEntry chain)
    {
        if (Catalogue.Known.Find(Sign.Chain, chain.Name) is not { } claim)
        {
            return null;
        }
        return Subject(chain) is { } subject ? $"{claim.Owner}'s chain for {subject}: {claim.Meaning}"
            : ContainerOf(chain) is { } container ? $"{claim.Owner}, for {container}: {claim.Meaning}"
            : claim.ToString();
    }

    /// <inheritdoc cref="Of(IptablesChainEntry)"/>
    public static string? Of(ChainEntry chain)
    {
        var claim = Catalogue.Known.Find(Sign.Chain, $"{chain.Table.Name}/{chain.Name}") ?? Catalogue.Known.Find(Sign.Chain, chain.Name) ?? Catalogue.Known.Find(Sign.Table, chain.Table.Name);
        return claim is null ? null
            : NftablesSubject(chain) is { } subject ? $"{claim.Owner}'s chain for {subject}: {claim.Meaning}"
            : claim.ToString();
    }

    /// <summary>A rule in a built-in chain, where rules of many stand: known by where it leads, or by its comment.</summary>
    public static string? OfRule(IptablesRuleEntry rule) =>
        RuleText.Target(rule.Text) is { } target && Catalogue.Known.Find(Sign.Chain, target) is { } claim ? $"{claim.Owner}: the way to {target}"
        : RuleText.CommentOf(rule.Text) is { } comment && Catalogue.Known.Find(Sign.Comment, comment) is { } said ? said.ToString()
        : DeviceOf(rule.Text) is { } about ? $"{about.Claim.Owner}: about {about.Device}"
        : null;

    // -i docker0, -o docker0
    private static (string Device, Claim Claim)? DeviceOf(string rule)
    {
        string? before = null;
        foreach (var word in RuleText.Words(rule))
        {
            if (before is "-i" or "-o" && Catalogue.Known.Find(Sign.Device, word) is { } claim)
            {
                return (word, claim);
            }
            before = word;
        }
        return null;
    }

    /// <summary>Each rule of a chain with what it does.</summary>
    public IReadOnlyList<ExplainedRule> Rules(IptablesChainEntry chain) => [.. chain.Rules.Select(rule => new ExplainedRule($"-A {chain.Name} {rule}", Does(chain, rule)))];

    private string Does(IptablesChainEntry chain, string rule)
    {
        var words = RuleText.Words(rule).ToList();
        var target = RuleText.Target(rule);
        var does = target is null ? "counts" : target switch
        {
            "MARK" => MarkWords(After(words, "--set-xmark") ?? After(words, "--or-mark") ?? ""),
            "DNAT" => $"sends it to {After(words, "--to-destination")}",
            "SNAT" => $"gives it the source {After(words, "--to-source")}",
            "REDIRECT" => $"hands it to this host's port {After(words, "--to-ports")}",
            _ when Targets.TryGetValue(target, out var known) => known,
            _ when all.Entries.GetValueOrDefault(new IptablesChainEntry(chain.Namespace, chain.Table, target).Key)?.Entry is IptablesChainEntry next && Subject(next) is { } subject =>
                Catalogue.Known.Find(Sign.Chain, target) is { } claim ? $"to {subject}: {claim.Meaning}" : $"to {subject}",
            _ when Catalogue.Known.Find(Sign.Chain, target) is { } claim => claim.Meaning,
            _ => $"goes on in {target}",
        };
        return After(words, "--probability") is { } probability ? $"{does}, with probability {Rounded(probability)} of what comes so far" : does;
    }

    private static string MarkWords(string mark)
    {
        if (!MarkBits.TryParse(mark, out var bits))
        {
            return "marks it";
        }
        var claim = Catalogue.Known.OfMark(bits).FirstOrDefault(known => MarkBits.TryParse(known.Pattern, out var own) && own.Mask == bits.Mask);
        return claim is null ? $"marks it ({MarkBits.Names(bits.Mask)})" : $"marks it: {claim.Meaning}";
    }

    private string? Subject(IptablesChainEntry chain) => _services.Value.SubjectOf(chain);

    // service-ULMVA6XW-default/website/tcp/http, endpoint-…-default/website/tcp/http__10.244.1.3/8080
    private static string? NftablesSubject(ChainEntry chain)
    {
        if (chain.Table.Name != "kube-proxy")
        {
            return null;
        }
        var parts = chain.Name.Split('-', 3);
        if (parts.Length < 3 || parts[2].Split("__") is not { } halves || halves[0].Split('/') is not [var space, var name, var protocol, var port])
        {
            return null;
        }
        var service = $"Service port {space}/{name}{(port.Length == 0 ? "" : ":" + port)} ({protocol})";
        return halves.Length == 2 ? $"endpoint {halves[1].Replace('/', ':')} of {service}" : service;
    }

    /// <summary>The reference plugins say in a comment which network and container a chain is for: <c>name: "net" id: "260e…"</c>.</summary>
    private static string? ContainerOf(IptablesChainEntry chain)
    {
        foreach (var rule in chain.Rules)
        {
            if (chain.Name.StartsWith("CNI-", StringComparison.Ordinal) && RuleText.CommentOf(rule) is { } comment && comment.Split('"') is [_, var network, _, var id, ..])
            {
                return $"container {(id.Length > 12 ? id[..12] : id)} in the network {network}";
            }
        }
        return null;
    }

    private static string? After(List<string> words, string option) => words.IndexOf(option) is >= 0 and var at && at + 1 < words.Count ? words[at + 1] : null;

    private static string Rounded(string probability) =>
        double.TryParse(probability, System.Globalization.CultureInfo.InvariantCulture, out var value) ? value.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture) : probability;
}

/// <summary>A rule and what it does, for a person.</summary>
/// <param name="Text">As it would be typed.</param>
public sealed record ExplainedRule(string Text, string Reason);
