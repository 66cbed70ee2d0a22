using Plumb.Agent.Cni;
using Plumb.Network;
using Plumb.Network.Facts;

namespace Plumb.Agent.Running;

/// <summary>Makes a container that is connected faster or slower. CNI has no word for that: whoever runs containers asks at the agent's socket.</summary>
internal sealed class BandwidthChange(AgentLoop loop)
{
    /// <summary>Returns when the kernel goes by it; what waits goes on at the new rate.</summary>
    /// <exception cref="CniException">The container is not connected, the agent is not ready, or the kernel refuses: all is as it was.</exception>
    /// <exception cref="IOException">The disk is full or read-only: all is as it was.</exception>
    public Task MakeAsync(SandboxId id, Bandwidth now) => loop.AskAsync(state =>
    {
        Make(state, id, now);
        return true;
    });

    private static void Make(NodeState state, SandboxId id, Bandwidth now)
    {
        var was = state.Leases.Find(id) ?? throw new CniException(CniErrorCode.UnknownContainer, $"container {id.ContainerId} holds no address for {id.Interface}");
        if (was.Bandwidth == now)
        {
            return;
        }
        if (!state.IsApplied || state.MustCompare || state.View.Node.Sandbox(id) is null)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"the network of {state.View.Node.Name} is not set up yet");
        }
        // Whoever comes after us is to make the same of it.
        var lease = state.Leases.Renew(was with { Bandwidth = now });
        var failures = Plan(state, lease.ToSandbox());
        if (failures.Count != 0)
        {
            // The kernel first: a disk that is full keeps nobody from being as he was.
            Plan(state, was.ToSandbox());
            state.Leases.Renew(was);
            throw new CniException(CniErrorCode.KernelRefused, failures[0].Message, failures[0].Key.ToString());
        }
    }

    private static IReadOnlyList<Kernel.EntryFailure> Plan(NodeState state, Sandbox sandbox) =>
        state.Make([new Change(sandbox.Id.Subject)], state.View with { Node = state.View.Node.With(sandbox) });
}
