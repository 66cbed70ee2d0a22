using Plumb.Agent.Kernel;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Running;

/// <summary>
/// The first comparison of plan and kernel after a start. What an earlier agent made and is still wanted is kept as it is, so
/// that connections live through a restart; what is missing is made, what nobody wants any more goes.
/// </summary>
internal static class Adoption
{
    public static IReadOnlyList<EntryFailure> Adopt(NodeState state)
    {
        // Containers that are still alive are part of the node again. An address whose container has ended stays held until DEL.
        var node = state.View.Node;
        var changes = new List<Change>();
        foreach (var lease in state.Leases.All.ToList())
        {
            if (state.Enter(lease))
            {
                node = node.With(LearnedMac.Read(state, lease).ToSandbox());
                changes.Add(new Change(lease.Id.Subject));
            }
        }
        if (state.Leases.All.Any(static lease => lease.Ports.Any(static port => port.IsOnLoopback)))
        {
            node = node.WithPastLoopbackPorts();
            changes.Add(new Change(Subject.Machine));
        }
        state.Planner.Apply(changes, state.View with { Node = node });
        state.IsApplied = true;
        return Compare(state);
    }

    /// <summary>Compares what the open namespaces hold with the plan, and applies the difference.</summary>
    /// <param name="home">What the node's own holds, if nothing has been written there since; null: it is looked at now.</param>
    public static IReadOnlyList<EntryFailure> Compare(NodeState state, ObservedState? home = null)
    {
        var together = new ObservedState();
        Add(together, home ?? state.Observe(state.Home)); // now that it is known which parameters are of interest
        foreach (var name in state.Entered)
        {
            Add(together, state.Observe(name));
        }
        var delta = state.Kernel.Difference(state.Planner.Desired, together, [state.Home, .. state.Entered]);
        var failures = Conflicts(state, delta);
        var items = state.Allowed(delta.Items);
        if (items.Count != 0)
        {
            if (items.Any(static item => item is { Want: null, Was: IptablesChainEntry }) && !state.View.Node.HasUnmarked)
            {
                state.Planner.Apply([], state.View with { Node = state.View.Node.WithUnmarked() });
            }
            // An earlier agent may have served Services in another way.
            foreach (var step in Changeover.Steps(items))
            {
                failures.AddRange(state.Apply(step));
            }
        }
        return failures;
    }

    /// <summary>What is somebody else's where something of ours is wanted, as failures.</summary>
    public static List<EntryFailure> Conflicts(NodeState state, Delta delta)
    {
        var failures = new List<EntryFailure>();
        foreach (var conflict in delta.Conflicts)
        {
            failures.Add(new EntryFailure(
                conflict.Want.Entry.Key,
                $"'{conflict.Holds.Entry.Print()}' stands there and is not Plumb's; wanted is '{conflict.Want.Entry.Print()}': remove the one, or change what wants the other"));
        }
        state.Withhold(delta.Conflicts.Select(static conflict => conflict.Want.Entry), failures);
        return failures;
    }

    private static void Add(ObservedState to, ObservedState from)
    {
        foreach (var entry in from.Entries.Values)
        {
            to.Set(entry);
        }
        foreach (var ((space, kind), reason) in from.Unread)
        {
            to.SetUnread(space, kind, reason);
        }
    }
}
