using Plumb.Agent.Cni;
using Plumb.Agent.Kernel;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Agent.Running;

/// <summary>Something for the agent's one thread of thought to do.</summary>
internal abstract record AgentWork
{
    /// <summary>When it was queued, where somebody measures.</summary>
    public long Since { get; set; }

    /// <summary>A pod is to be connected.</summary>
    public sealed record Add(CniRequest Request) : AgentWork
    {
        public SandboxId Id { get; } = new(Request.ContainerId, Request.Interface);

        public TaskCompletionSource<CniResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>A pod's connection is to end.</summary>
    public sealed record Delete(SandboxId Id) : AgentWork
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Nodes as they are now; null: gone.</summary>
    /// <param name="All">Whether nodes that are not named are gone too.</param>
    public sealed record Nodes(IReadOnlyList<(string Name, ClusterNode? Node)> Changed, bool All) : AgentWork;

    /// <summary>Services and slices of endpoints as they are now; null: gone, or none that nodes serve.</summary>
    /// <param name="All">Whether these are all that there are.</param>
    public sealed record Services(
        IReadOnlyList<(Subject Subject, ClusterService? Now)> Changed,
        IReadOnlyList<(Subject Subject, ServiceSlice? Now)> Slices,
        bool All) : AgentWork;

    /// <summary>The node itself answers at these addresses of Services from now on, and at no others.</summary>
    public sealed record Answers(ValueList<LocalAnswer> Now) : AgentWork;

    /// <summary>Somebody else wrote into the node's kernel.</summary>
    public sealed record Kernel(ForeignChange Change) : AgentWork;

    /// <summary>The network is to be planned by other options from now on, with no connection lost.</summary>
    public sealed record Switch(Func<NetworkOptions, NetworkOptions> Options) : AgentWork
    {
        public TaskCompletionSource<SwitchOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Something was not done, or could not be read, and it is time to try again.</summary>
    public sealed record Compare : AgentWork;

    /// <summary>A look at the agent's state, or a change to it for somebody who waits for the outcome.</summary>
    public sealed record Ask(Action<NodeState> Question) : AgentWork;
}

/// <summary>What became of going over to other options.</summary>
/// <param name="Refused">What could not be made, and why: then all is as it was. Nothing, when the new plan is in the kernel.</param>
/// <param name="Left">What is still there of the old one.</param>
internal sealed record SwitchOutcome(IReadOnlyList<EntryFailure> Refused, IReadOnlyList<EntryFailure> Left);
