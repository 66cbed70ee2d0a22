using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using static Plumb.Network.Services.Iptables.ChainNames;

namespace Plumb.Network.Services.Iptables;

/// <summary>
/// Services in iptables, in the chains of kube-proxy, for those who know them. Each port has chains of its own; a few that all share lead there. So a change of an endpoint
/// writes the chains of its Service, and a Service that comes or goes those of all.
/// </summary>
public sealed class IptablesServicesLayer : ILayer
{
    private static readonly Origin _cause = new(Subject.Option("services"));
    private static readonly Subject _dispatch = new(new SubjectKind("ServiceDispatch"), "", "");

    public string Name => "services";

    public NodeFacts Remember(IReadOnlyCollection<Change> changes, NetworkView before, NetworkView after) =>
        PoolMemory.Remember(changes, before, after);

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        if (change.Subject == Subject.Machine)
        {
            yield return new PlanKey(Name, Subject.Machine);
            yield return new PlanKey(Name, _dispatch);
        }
        foreach (var service in PoolMemory.ServicesOf(change.Subject, before, after))
        {
            yield return new PlanKey(Name, service);
            if (DispatchDiffers(service, before, after))
            {
                yield return new PlanKey(Name, _dispatch);
            }
        }
    }

    public IEnumerable<EndedFlow> Ended(Change change, NetworkView before, NetworkView after) => PoolMemory.Ended(change, before, after);

    public IEnumerable<EndedFlow> Unserved(NetworkView view) => PoolMemory.Unserved(view);

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (key.Subject.Kind == SubjectKind.Service)
        {
            PlanService(key.Subject, cluster, node, write);
            return;
        }
        foreach (var pods in node.Options.ClusterRanges)
        {
            var all = new BaseRules(node.Namespace, pods.Family);
            if (key.Subject == Subject.Machine)
            {
                foreach (var entry in all.Entries())
                {
                    write.Add(entry, _cause);
                }
            }
            else if (key.Subject == _dispatch)
            {
                PlanDispatch(all, pods, cluster, node, write);
            }
        }
    }

    private static void PlanService(Subject subject, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (cluster.Services.Service(subject) is not { } service || node.Pools.Of(subject) is not { } pools)
        {
            return;
        }
        foreach (var problem in service.Problems)
        {
            write.Refuse(problem, service.Origin);
        }
        foreach (var port in pools.Ports)
        {
            if (PodsOf(node, port.Family) is not { } pods)
            {
                write.Refuse($"its ClusterIP is of a family that the cluster's pods have no addresses of ({port.Family})", service.Origin.At("spec.clusterIPs"));
                continue;
            }
            var cause = service.Origin.At($"spec.ports[{port.Index}]");
            var table = new IptablesTable(port.Family, IptablesTable.Nat);
            foreach (var (name, rules, member) in new PortRules(service, port, pods).Chains())
            {
                write.Add(new IptablesChainEntry(node.Namespace, table, name) { Rules = [.. rules] }, cause);
                if (member is { } endpoint)
                {
                    write.Add(new IptablesChainEntry(node.Namespace, table, name) { Rules = [.. rules] }, endpoint.Cause);
                }
            }
        }
    }

    private static void PlanDispatch(BaseRules all, IpPrefix pods, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        var rules = new DispatchRules();
        var services = new List<ClusterService>(cluster.Services.All);
        services.Sort(static (left, right) => left.Subject.CompareTo(right.Subject));
        foreach (var service in services)
        {
            AddDispatch(service, pods, node, rules);
        }
        var localOnly = pods.Family == IpFamily.V4 ? "! -d 127.0.0.0/8" : "! -d ::1/128";
        rules.Services.Add(
            $"{localOnly} {RuleText.Comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")} -m addrtype --dst-type LOCAL -j {NodePorts}");
        AddRefusalOfTheRest(rules, pods.Family, node);
        foreach (var chain in new[]
        {
            all.Chain(all.Nat, ChainNames.Services, rules.Services),
            all.Chain(all.Nat, NodePorts, rules.NodePorts),
            all.Chain(all.Filter, ChainNames.Services, rules.Refused),
            all.Chain(all.Filter, ExternalServices, rules.RefusedOutside),
            all.Chain(all.Filter, Firewall, rules.Guarded),
            all.Chain(all.Filter, NodePorts, rules.HealthChecks),
        })
        {
            // All Services are its cause: each rule's comment names its own.
            write.Add(chain, _cause);
        }
    }

    // kube-proxy lets go what is sent to an address of Services at which there is none, in this mode; it would wander to the router and back.
    private static void AddRefusalOfTheRest(DispatchRules rules, IpFamily family, NodeFacts node)
    {
        foreach (var address in node.Answers.Select(static answer => answer.Address).Concat(node.Options.DnsServers).Where(address => address.Family == family).Distinct())
        {
            rules.Refused.Add($"-d {IpPrefix.Host(address)} {RuleText.Comment("an address of this node")} -j RETURN");
        }
        foreach (var range in node.Options.ServiceRanges)
        {
            if (range.Family == family)
            {
                rules.Refused.Add(
                    $"-d {range.Network} {RuleText.Comment("no port of a Service")} -j REJECT --reject-with {(family == IpFamily.V4 ? "icmp" : "icmp6")}-port-unreachable");
            }
        }
    }

    private static bool DispatchDiffers(Subject service, NetworkView before, NetworkView after)
    {
        foreach (var pods in after.Node.Options.ClusterRanges)
        {
            if (!Of(before).Equals(Of(after)))
            {
                return true;
            }

            DispatchRules Of(NetworkView view)
            {
                var rules = new DispatchRules();
                if (view.Cluster.Services.Service(service) is { } known)
                {
                    AddDispatch(known, pods, view.Node, rules);
                }
                return rules;
            }
        }
        return false;
    }

    private static void AddDispatch(ClusterService service, IpPrefix pods, NodeFacts node, DispatchRules to)
    {
        foreach (var port in node.Pools.Of(service.Subject)?.Ports ?? [])
        {
            if (port.Family == pods.Family)
            {
                new PortRules(service, port, pods).Dispatch(to, node.Answers);
            }
        }
    }

    private static IpPrefix? PodsOf(NodeFacts node, IpFamily family)
    {
        foreach (var pods in node.Options.ClusterRanges)
        {
            if (pods.Family == family)
            {
                return pods;
            }
        }
        return null;
    }
}
