using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Masquerade;

/// <summary>
/// Traffic of pods that leaves the cluster takes the node's address, because nobody outside knows the way back to a pod's. All
/// other traffic keeps its own: pods see pods, nodes see pods.
/// </summary>
public sealed class MasqueradeLayer : ILayer
{
    private static readonly IpPrefix _multicast4 = IpPrefix.Parse("224.0.0.0/4");
    private static readonly IpPrefix _multicast6 = IpPrefix.Parse("ff00::/8");

    public string Name => "masquerade";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        if (change.Subject == Subject.Machine)
        {
            yield return new PlanKey(Name, Subject.Machine);
            foreach (var name in after.Cluster.Nodes.Keys)
            {
                yield return new PlanKey(Name, Subject.Node(name));
            }
        }
        else if (change.Subject.Kind == SubjectKind.Node)
        {
            yield return new PlanKey(Name, change.Subject);
        }
    }

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        foreach (var pods in node.Options.ClusterRanges)
        {
            var program = new MasqueradeProgram(node.Namespace, pods.Family);
            if (key.Subject == Subject.Machine)
            {
                PlanProgram(program, pods, node, write);
            }
            else if (cluster.Node(key.Subject.Name) is { } other)
            {
                var cause = other.Origin.At("status.addresses");
                foreach (var address in other.Addresses)
                {
                    if (address.Family == pods.Family)
                    {
                        write.Add(program.NodeAddresses.Element([address]), cause);
                    }
                }
            }
        }
    }

    private static void PlanProgram(MasqueradeProgram program, IpPrefix pods, NodeFacts node, IPlanWriter write)
    {
        var cause = AddressSets.Cause;
        AddressSets.Plan(program.Table, pods, write);
        write.Add(program.NodeAddresses, cause);
        write.Add(program.Chain(cause.ToStamp(Origin.CommentBytes)), cause);
        if (node.Underlay?.AddressOf(pods.Family) is { } own)
        {
            write.Add(program.NodeAddresses.Element([own.Address]), new Origin(Subject.Node(node.Name), "status.addresses"));
        }
    }

    /// <summary>The layer's part of table <c>plumb</c> of one family.</summary>
    private sealed class MasqueradeProgram
    {
        private readonly TableBuilder _table;
        private readonly IpFamily _family;

        public MasqueradeProgram(NamespaceId node, IpFamily family)
        {
            _family = family;
            _table = AddressSets.Table(node, family);
            Inside = AddressSets.Inside(_table, family);
            NodeAddresses = AddressSets.NodeAddresses(_table, family);
        }

        public TableBuilder Table => _table;

        /// <summary>All pods' addresses.</summary>
        public SetEntry Inside { get; }

        /// <summary>Where nodes are reached: pods speak to them with their own addresses.</summary>
        public SetEntry NodeAddresses { get; }

        public ChainEntry Chain(Stamp stamp)
        {
            var isV4 = _family == IpFamily.V4;
            var (source, destination) = isV4 ? (Ip.Source, Ip.Destination) : (Ip6.Source, Ip6.Destination);
            return Stages.Masquerade.In(
                _table.Namespace,
                _table.Id,
                _table.Rule(
                    stamp,
                    source.In(Inside),
                    destination.NotIn(Inside),
                    destination.NotIn(NodeAddresses),
                    destination.IsNot(isV4 ? _multicast4 : _multicast6),
                    // Random ports: two nodes' kernels cannot choose the same one for one destination and lose a connection.
                    Statements.Masquerade(NatFlags.FullyRandom)));
        }
    }
}
