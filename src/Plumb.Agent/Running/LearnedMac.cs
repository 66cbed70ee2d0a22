using Microsoft.Extensions.Logging;
using Plumb.Agent.Leases;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;

namespace Plumb.Agent.Running;

/// <summary>
/// A plugin behind ours in the chain (<c>tuning</c>) may give a pod's interface another hardware address, and nobody tells us, not even the kernel on the node's side. So
/// it is read a little after ADD, by CHECK, which some runtimes call, and when the agent starts again. The permanent neighbour and forwarding entries have to name that one, else nothing reaches the pod.
/// </summary>
internal static partial class LearnedMac
{
    // When a plugin behind ours is done as a rule, and when it is on a machine that has too much to do.
    private static readonly TimeSpan[] _pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)];

    /// <summary>Learns it of pods that have just been connected, until cancelled.</summary>
    public static async Task LearnLaterAsync(AgentLoop loop, TimeProvider time, IReadOnlyList<SandboxId> added, ILogger log, CancellationToken cancel)
    {
        try
        {
            foreach (var pause in _pauses)
            {
                await Task.Delay(pause, time, cancel);
                await loop.AskAsync(state =>
                {
                    Learn(state, added, log);
                    return true;
                });
            }
        }
        catch (OperationCanceledException)
        {
            // The agent is ending; the next one reads it when it starts.
        }
    }

    private static void Learn(NodeState state, IReadOnlyList<SandboxId> added, ILogger log)
    {
        try
        {
            foreach (var id in added)
            {
                try
                {
                    if (state.Leases.Find(id) is { } lease && state.Enter(lease))
                    {
                        Learn(state, lease);
                    }
                }
                // One pod's trouble is not the others'; it is tried once more, and when the agent starts again.
                catch (Exception failed) when (failed is NetlinkException or SystemCallException or IOException or UnauthorizedAccessException)
                {
                    Log.Unread(log, id.ContainerId, failed.Message);
                }
            }
        }
        finally
        {
            state.LeaveAll();
        }
    }

    /// <summary>What the lease is with the address that its interface has now; also on disk. The container's namespace is entered.</summary>
    public static Lease Read(NodeState state, Lease lease)
    {
        // One device: how many routes a pod has, and how long they take to read, is its own affair.
        if (state.Kernel.MacOf(lease.NamespaceName, lease.Id.Interface) is not { } mac
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

    private static partial class Log
    {
        [LoggerMessage(1019, LogLevel.Warning, "whether a plugin behind this one gave container {Container} another hardware address is not known: {Reason}")]
        public static partial void Unread(ILogger log, string container, string reason);
    }
}
