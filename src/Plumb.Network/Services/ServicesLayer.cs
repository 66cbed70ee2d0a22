using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>
/// Services in nf_tables: a program of constant size, and elements of maps for each Service. A change of one endpoint writes that
/// endpoint's elements.
/// </summary>
public sealed class ServicesLayer : ILayer
{
    private static readonly Origin _cause = new(Subject.Option("services"));
    private static readonly SubjectKind _program = new("ServiceProgram");

    // What depends on nothing but namespace and family is made once.
    private readonly Dictionary<(NamespaceId, IpFamily), ServicesTable> _tables = [];

    public string Name => "services";

    public NodeFacts Remember(IReadOnlyCollection<Change> changes, NetworkView before, NetworkView after) =>
        PoolMemory.Remember(changes, before, after);

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        var subject = change.Subject;
        if (subject == Subject.Machine
            || subject == Subject.Node(after.Node.Name)
            || (subject.Kind == SubjectKind.Sandbox && !before.Node.PoolsInUse.SequenceEqual(after.Node.PoolsInUse)))
        {
            yield return new PlanKey(Name, Subject.Machine);
        }
        foreach (var service in PoolMemory.ServicesOf(subject, before, after))
        {
            yield return new PlanKey(Name, service);
            foreach (var program in ProgramsOf(service, before, after))
            {
                yield return new PlanKey(Name, program);
            }
        }
    }

    public IEnumerable<EndedFlow> Ended(Change change, NetworkView before, NetworkView after) => PoolMemory.Ended(change, before, after);

    public IEnumerable<EndedFlow> Unserved(NetworkView view) => PoolMemory.Unserved(view);

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (key.Subject.Kind == SubjectKind.Service)
        {
            if (cluster.Services.Service(key.Subject) is { } service && node.Pools.Of(key.Subject) is { } pools)
            {
                new ServicePlan(service, pools, family => TableOf(node, family), write).Write();
            }
            return;
        }
        foreach (var pods in node.Options.ClusterRanges)
        {
            var table = TableOf(node, pods.Family)!;
            if (key.Subject == Subject.Machine)
            {
                PlanProgram(table, pods, cluster, node, write);
            }
            else if (ProgramOf(key.Subject, pods.Family) is { } program && node.Pools.Runs(pods.Family, program))
            {
                foreach (var entry in new ServicesProgram(table).Of(program))
                {
                    write.Add(entry, _cause);
                }
            }
        }
    }

    private static void PlanProgram(ServicesTable table, IpPrefix pods, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        AddressSets.Plan(table.Builder, pods, write);
        foreach (var set in table.Sets)
        {
            write.Add(set, _cause);
        }
        foreach (var chain in new ServicesProgram(table).Chains())
        {
            write.Add(chain, _cause);
        }
        foreach (var range in node.Options.ServiceRanges)
        {
            if (range.Family == table.Family)
            {
                write.Add(table.ServiceRange.Element([range.Network]), new Origin(Subject.Option("service-cidr")));
            }
        }
        if (node.Underlay?.AddressOf(table.Family) is { } own)
        {
            write.Add(table.NodePortAddresses.Element([own.Address]), new Origin(Subject.Node(node.Name), "status.addresses"));
        }
        foreach (var answer in node.Answers)
        {
            if (answer.Address.Family == table.Family)
            {
                write.Add(table.OwnAddresses.Element([answer.Address], []), answer.Cause);
                write.Add(table.OwnAnswers.Element([answer.Address, answer.Protocol, answer.Port], []), answer.Cause);
            }
        }
        foreach (var (range, cause) in LocalRanges(table.Family, cluster, node))
        {
            write.Add(table.LocalPods.Element([range]), cause);
        }
    }

    /// <summary>The ranges that this node's pods have addresses of, none inside another.</summary>
    private static List<(IpPrefix Range, Origin Cause)> LocalRanges(IpFamily family, ClusterView cluster, NodeFacts node)
    {
        var ranges = new List<(IpPrefix Range, Origin Cause)>();
        if (cluster.Node(node.Name) is { } self)
        {
            for (var i = 0; i < self.PodRanges.Count; i++)
            {
                Add(self.PodRanges[i].Network, self.Origin.At($"spec.podCIDRs[{i}]"));
            }
        }
        foreach (var range in node.PoolsInUse)
        {
            Add(range, new Origin(Subject.Machine, "leases"));
        }
        return ranges;

        void Add(IpPrefix range, Origin cause)
        {
            if (range.Family == family && !ranges.Exists(other => other.Range.Overlaps(range)))
            {
                ranges.Add((range, cause));
            }
        }
    }

    private ServicesTable? TableOf(NodeFacts node, IpFamily family)
    {
        foreach (var pods in node.Options.ClusterRanges)
        {
            if (pods.Family != family)
            {
                continue;
            }
            if (!_tables.TryGetValue((node.Namespace, family), out var table))
            {
                _tables[(node.Namespace, family)] = table = new ServicesTable(node.Namespace, family);
            }
            return table;
        }
        return null;
    }

    /// <summary>The programs that a Service began or ceased to need, and that nobody else needed or needs.</summary>
    private static IEnumerable<Subject> ProgramsOf(Subject service, NetworkView before, NetworkView after)
    {
        var (was, now) = (before.Node.Pools.Of(service), after.Node.Pools.Of(service));
        if (ReferenceEquals(was, now))
        {
            yield break;
        }
        foreach (var pools in new[] { was, now })
        {
            foreach (var port in pools?.Ports ?? [])
            {
                foreach (var pool in new[] { port.Cluster, port.Local })
                {
                    if (pool is not null && before.Node.Pools.Runs(port.Family, pool.Program) != after.Node.Pools.Runs(port.Family, pool.Program))
                    {
                        yield return new Subject(_program, port.Family.ToString(), pool.Program.Number.ToString());
                    }
                }
            }
        }
    }

    private static PoolProgram? ProgramOf(Subject subject, IpFamily family) =>
        subject.Kind == _program && subject.Scope == family.ToString() && uint.TryParse(subject.Name, out var number)
            ? PoolProgram.FromNumber(number)
            : null;
}
