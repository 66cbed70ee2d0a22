using Plumb.Agent.Kernel;
using Plumb.Agent.Leases;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Running;

/// <summary>
/// A plugin behind ours in the chain (<c>tuning</c>) may give a pod's interface another hardware address, and nobody tells us: until CHECK comes, which some runtimes
/// call after ADD, or the agent starts again. The permanent neighbour and forwarding entries have to name that one, else nothing reaches the pod.
/// </summary>
internal static class LearnedMac
{
    /// <summary>What the lease is with the address that its interface has now; also on disk. The container's namespace is entered.</summary>
    public static Lease Read(NodeState state, Lease lease)
    {
        var key = new EntryKey(lease.NamespaceName, EntryKind.Link, lease.Id.Interface);
        if (state.Kernel.Observe(lease.NamespaceName, [], KernelAreas.Routing).Entries.GetValueOrDefault(key) is not { Owner: Owner.Plumb, Entry: LinkEntry { Mac: { } mac } }
            || mac == lease.ToSandbox().Mac
            || mac.IsMulticast
            || mac.IsZero
            // A pod that takes another's, or its router's, shall get nothing that is meant for them.
            || mac == state.BridgeMac
            || state.Leases.All.Any(other => other.ToSandbox().Mac == mac))
        {
            return lease;
        }
        return state.Leases.Renew(lease with { Mac = mac });
    }

    /// <summary>Reads it and plans by it.</summary>
    public static void Learn(NodeState state, Lease lease)
    {
        var now = Read(state, lease);
        if (now != lease)
        {
            state.Make([new Change(lease.Id.Subject)], state.View with { Node = state.View.Node.With(now.ToSandbox()) });
            // The kernel forgets an interface's neighbours when its own address changes.
            var inside = lease.NamespaceName;
            var delta = state.Kernel.Difference(state.Planner.Desired, state.Observe(inside), [inside]);
            state.Apply([.. delta.Items.Where(static item => item is { Want.Entry: NeighbourEntry, Was: null })]);
        }
    }
}
