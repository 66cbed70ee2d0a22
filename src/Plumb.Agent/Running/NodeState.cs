using Plumb.Agent.Kernel;
using Plumb.Agent.Leases;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Agent.Running;

/// <summary>All that an agent knows; belongs to the loop and is touched by nobody else.</summary>
internal sealed class NodeState(NodeAgentOptions options, LeaseStore leases, INodeKernel kernel, Planner planner)
{
    public NodeAgentOptions Options { get; } = options;

    public LeaseStore Leases { get; } = leases;

    public INodeKernel Kernel { get; } = kernel;

    public Planner Planner { get; } = planner;

    public NetworkView View => Planner.View;

    public NamespaceId Home => View.Node.Namespace;

    /// <summary>Namespaces of containers that are alive: what is planned for others cannot be done, and need not be.</summary>
    public bool IsAlive(NamespaceId name) => name == Home || Entered.Contains(name);

    /// <summary>Containers' namespaces that are open now.</summary>
    public HashSet<NamespaceId> Entered { get; } = [];

    /// <summary>Whether the kernel holds what the plan says, at least once.</summary>
    public bool IsApplied { get; set; }

    public bool Enter(Lease lease)
    {
        if (!Entered.Contains(lease.NamespaceName) && Kernel.Enter(lease.NamespaceName, lease.NamespacePath, lease.Namespace) is null)
        {
            return false;
        }
        Entered.Add(lease.NamespaceName);
        return true;
    }

    public void LeaveAll()
    {
        foreach (var name in Entered)
        {
            Kernel.Leave(name);
        }
        Entered.Clear();
    }

    /// <summary>Plans and applies; what the kernel refuses is returned.</summary>
    public IReadOnlyList<EntryFailure> Make(IReadOnlyCollection<Change> changes, NetworkView after)
    {
        var items = Planner.Apply(changes, after);
        return items.Count == 0 ? [] : Kernel.Apply([.. items.Where(item => IsAlive(item.Key.Namespace))]);
    }
}
