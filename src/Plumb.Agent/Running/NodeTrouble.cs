using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Pods;

namespace Plumb.Agent.Running;

/// <summary>Why a node cannot wire pods: what STATUS answers, what keeps the CNI configuration from being written, and what the Node's condition says.</summary>
internal static class NodeTrouble
{
    /// <returns>One line; null: it can, unless its ranges are full.</returns>
    public static string? Of(NodeState state)
    {
        var (cluster, node) = (state.View.Cluster, state.View.Node);
        if (state.Lost.FirstOrDefault(static lost => lost.IsNeeded) is { } needed)
        {
            return needed.Line;
        }
        if (!state.IsApplied)
        {
            return !state.KnowsNodes ? $"the network of {node.Name} is not set up yet: the API has not said yet which nodes there are"
                : cluster.Node(node.Name) is not { } self ? $"there is no Node {node.Name}: give the agent the Node's name by --node, or register the node"
                : self.Addresses.Count != 0 ? $"no device of {node.Name} has the address that its Node object says, {string.Join(" or ", self.Addresses)}"
                : $"Node {node.Name} has no InternalIP in status.addresses, and no route tells which device leads to other nodes";
        }
        if (state.Withheld is { } link)
        {
            return link;
        }
        var refused = new List<(string Line, Origin Cause)>();
        return PodPools.Usable(cluster, node, refused).Count != 0 ? null
            : refused.Count != 0 ? $"Node {node.Name} has no usable spec.podCIDR: {string.Join("; ", refused.Select(static one => one.Line))}"
            : $"Node {node.Name} has no spec.podCIDR: give it one, or let the controller manager do it (--allocate-node-cidrs, --cluster-cidr)";
    }
}
