using System.Collections.Immutable;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using static Plumb.Network.Services.Iptables.ChainNames;

namespace Plumb.Network.Services.Iptables;

/// <summary>A chain that one Service's port needs, with its rules.</summary>
/// <param name="Backend">The endpoint that the chain is of; null: it is of the port.</param>
internal readonly record struct PortChain(string Name, List<string> Rules, PoolMember? Backend = null);

/// <summary>
/// The rules of one port of a Service in one family, as kube-proxy 1.34 writes them: who is sent where, whose source becomes the node's, and what is
/// refused because nobody is behind it.
/// </summary>
internal sealed class PortRules
{
    private readonly ClusterService _service;
    private readonly ClusterServicePort _port;
    private readonly IpFamily _family;
    private readonly IpPrefix _pods;
    private readonly List<PoolMember> _cluster;
    private readonly List<PoolMember> _local;
    private readonly string _name;
    private readonly string _protocol;
    private readonly string _hash;

    /// <param name="pods">All pods' addresses: who comes from elsewhere gets the node's.</param>
    public PortRules(ClusterService service, PortPools pools, IpPrefix pods)
    {
        _service = service;
        _port = service.Ports[pools.Index];
        _family = pools.Family;
        _pods = pods;
        _cluster = Sorted(pools.Cluster.Members);
        _local = Sorted(pools.Local?.Members ?? []);
        _name = PortName(service.Subject, _port.Name);
        _protocol = Word(_port.Protocol);
        _hash = HashOf(_name, _port.Protocol);
    }

    private bool HasEndpoints => _cluster.Count != 0 || _local.Count != 0;

    private bool HasInside => _service.IsLocalInside ? _local.Count != 0 : HasEndpoints;

    private bool HasOutside => _service.IsLocalOutside ? _local.Count != 0 : HasEndpoints;

    private bool IsReachedFromOutside => _port.NodePort != 0 || _service.ExternalIPs.Count != 0 || _service.BalancerAddresses.Count != 0;

    private bool IsGuarded => HasEndpoints && _service.BalancerAddresses.Count != 0 && _service.SourceRanges.Count != 0;

    // What comes in from outside under the policy Local takes the other endpoints too when it began inside.
    private bool UsesCluster => _cluster.Count != 0 && (!_service.IsLocalInside || IsReachedFromOutside);

    private bool UsesLocal => _local.Count != 0 && (_service.IsLocalInside || (_service.IsLocalOutside && IsReachedFromOutside));

    private string Inside => (_service.IsLocalInside ? Local : AllEndpoints) + _hash;

    /// <summary>The port's own chains, in table nat; none when nobody is behind it.</summary>
    public IEnumerable<PortChain> Chains()
    {
        if (!HasEndpoints)
        {
            yield break;
        }
        if (UsesCluster)
        {
            yield return new PortChain(AllEndpoints + _hash, Spread(AllEndpoints + _hash, _cluster));
        }
        if (UsesLocal)
        {
            yield return new PortChain(Local + _hash, Spread(Local + _hash, _local));
        }
        if (IsReachedFromOutside)
        {
            yield return new PortChain(External + _hash, FromOutside());
        }
        if (IsGuarded)
        {
            yield return new PortChain(Guard + _hash, Allowed());
        }
        var seen = new HashSet<Backend>();
        foreach (var member in (UsesCluster ? _cluster : []).Concat(UsesLocal ? _local : []))
        {
            if (seen.Add(member.Backend))
            {
                yield return new PortChain(ChainOf(member.Backend), ToEndpoint(member.Backend), member);
            }
        }
    }

    /// <summary>The port's rules in the chains of all.</summary>
    /// <param name="answers">What the node itself answers is nobody's to translate.</param>
    public void Dispatch(DispatchRules to, IEnumerable<LocalAnswer> answers)
    {
        var reject = $"REJECT --reject-with {(_family == IpFamily.V4 ? "icmp" : "icmp6")}-port-unreachable";
        var none = HasEndpoints ? "has no local endpoints" : "has no endpoints";
        // Others have some: silence, so that whoever balances tries another node.
        var refusal = HasEndpoints ? "DROP" : reject;
        foreach (var address in Own(_service.ClusterIPs))
        {
            if (answers.Any(answer => answer.Address == address && answer.Protocol == _port.Protocol && answer.Port == _port.Port))
            {
                continue;
            }
            if (HasInside)
            {
                to.Services.Add(At(address, "cluster IP", Inside));
            }
            else
            {
                to.Refused.Add(At(address, none, refusal));
            }
        }
        WriteExternal(to, Own(_service.ExternalIPs), "external IP", External + _hash, none, refusal);
        WriteExternal(to, Own(_service.BalancerAddresses), "loadbalancer IP", (IsGuarded ? Guard : External) + _hash, none, refusal);
        foreach (var address in IsGuarded ? Own(_service.BalancerAddresses) : [])
        {
            to.Guarded.Add(At(address, $"traffic not accepted by {Guard}{_hash}", "DROP"));
        }
        if (_port.NodePort != 0)
        {
            if (HasEndpoints)
            {
                to.NodePorts.Add($"-p {_protocol} {Comment("")} -m {_protocol} --dport {_port.NodePort} -j {External}{_hash}");
            }
            if (!HasOutside)
            {
                to.RefusedOutside.Add($"-p {_protocol} {Comment(none)} -m addrtype --dst-type LOCAL -m {_protocol} --dport {_port.NodePort} -j {refusal}");
            }
        }
        if (_service.IsHealthChecked && _port == _service.Ports[0])
        {
            to.HealthChecks.Add($"-p tcp {Comment("health check node port")} -m tcp --dport {_service.HealthCheckPort} -j ACCEPT");
        }
    }

    private void WriteExternal(DispatchRules to, IEnumerable<IpAddress> addresses, string what, string chain, string none, string refusal)
    {
        foreach (var address in addresses)
        {
            if (HasEndpoints)
            {
                to.Services.Add(At(address, what, chain));
            }
            if (!HasOutside)
            {
                to.RefusedOutside.Add(At(address, none, refusal));
            }
        }
    }

    private List<string> Spread(string chain, List<PoolMember> members)
    {
        var rules = new List<string>((2 * members.Count) + 1);
        if (chain == Inside)
        {
            foreach (var address in Own(_service.ClusterIPs))
            {
                rules.Add($"! -s {_pods.Network} {At(address, "cluster IP", MarkMasquerade)}");
            }
        }
        if (_service.AffinitySeconds is { } seconds)
        {
            foreach (var member in members)
            {
                var endpoint = ChainOf(member.Backend);
                rules.Add($"{CommentTo(member.Backend)} -m recent --rcheck --seconds {seconds} --reap {Remembered(endpoint)} -j {endpoint}");
            }
        }
        for (var i = 0; i < members.Count; i++)
        {
            // Each takes its share of what those before it have left.
            var left = members.Count - i;
            var chance = left == 1 ? "" : $" -m statistic --mode random --probability {RuleText.Probability(left)}";
            rules.Add($"{CommentTo(members[i].Backend)}{chance} -j {ChainOf(members[i].Backend)}");
        }
        return rules;
    }

    private List<string> FromOutside()
    {
        var rules = new List<string>();
        if (!_service.IsLocalOutside)
        {
            rules.Add($"{RuleText.Comment($"masquerade traffic for {_name} external destinations")} -j {MarkMasquerade}");
            rules.Add($"-j {AllEndpoints}{_hash}");
            return rules;
        }
        // The policy is for who comes from outside: pods and the node itself take any endpoint.
        if (UsesCluster)
        {
            rules.Add($"-s {_pods.Network} {RuleText.Comment($"pod traffic for {_name} external destinations")} -j {AllEndpoints}{_hash}");
            rules.Add($"{RuleText.Comment($"masquerade LOCAL traffic for {_name} external destinations")} -m addrtype --src-type LOCAL -j {MarkMasquerade}");
            rules.Add($"{RuleText.Comment($"route LOCAL traffic for {_name} external destinations")} -m addrtype --src-type LOCAL -j {AllEndpoints}{_hash}");
        }
        if (HasOutside)
        {
            rules.Add($"-j {Local}{_hash}");
        }
        return rules;
    }

    private List<string> Allowed()
    {
        var rules = new List<string>();
        foreach (var range in _service.SourceRanges)
        {
            if (range.Family == _family)
            {
                // iptables prints no condition that everybody meets.
                var from = range.Length == 0 ? "" : $"-s {range.Network} ";
                rules.Add($"{from}{Comment("loadbalancer IP")} -j {External}{_hash}");
            }
        }
        rules.Add(RuleText.Comment($"other traffic to {_name} will be dropped by {Firewall}"));
        return rules;
    }

    private List<string> ToEndpoint(Backend backend)
    {
        var remember = _service.AffinitySeconds is null ? "" : $" -m recent --set {Remembered(ChainOf(backend))}";
        return
        [
            // Who reaches itself would answer itself.
            $"-s {IpPrefix.Host(backend.Address)} {Comment("")} -j {MarkMasquerade}",
            $"-p {_protocol} {Comment("")}{remember} -m {_protocol} -j DNAT --to-destination {backend}",
        ];
    }

    private string ChainOf(Backend backend) => Endpoint + HashOf(_name, _port.Protocol, backend);

    private string At(IpAddress address, string what, string target) =>
        $"-d {IpPrefix.Host(address)} -p {_protocol} {Comment(what)} -m {_protocol} --dport {_port.Port} -j {target}";

    private string Comment(string what) => RuleText.Comment(what.Length == 0 ? _name : $"{_name} {what}");

    private string CommentTo(Backend backend) => RuleText.Comment($"{_name} -> {backend}");

    private string Remembered(string chain) =>
        $"--name {chain} --mask {(_family == IpFamily.V4 ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")} --rsource";

    private IEnumerable<IpAddress> Own(IEnumerable<IpAddress> addresses) => addresses.Where(address => address.Family == _family);

    // Whatever their history: the same objects make the same rules.
    private static List<PoolMember> Sorted(ImmutableArray<PoolMember> members)
    {
        var sorted = new List<PoolMember>(members);
        sorted.Sort(static (left, right) =>
        {
            var byAddress = left.Backend.Address.CompareTo(right.Backend.Address);
            return byAddress != 0 ? byAddress : left.Backend.Port.CompareTo(right.Backend.Port);
        });
        return sorted;
    }
}
