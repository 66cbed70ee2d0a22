using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network;

/// <summary>What is planned together and replaced together: one layer's part of one subject.</summary>
public readonly record struct PlanKey(string Layer, Subject Subject) : IComparable<PlanKey>
{
    public int CompareTo(PlanKey other)
    {
        var byLayer = string.CompareOrdinal(Layer, other.Layer);
        return byLayer != 0 ? byLayer : Subject.CompareTo(other.Subject);
    }

    public override string ToString() => $"{Layer}: {Subject}";
}

/// <summary>All that a plan is made from: the cluster's objects, and what is so on this node.</summary>
public sealed record NetworkView(ClusterView Cluster, NodeFacts Node);

/// <summary>
/// One layer of the network: pure, without memory. Layers do not know one another; what they share (devices, hooks, marks) has
/// its name in <see cref="Stages"/> and <see cref="Devices"/>.
/// </summary>
/// <remarks>The law that every layer keeps: after any sequence of changes, what was planned step by step is what a plan from nothing gives.</remarks>
public interface ILayer
{
    /// <summary>The folder's name in lower case; part of every <see cref="PlanKey"/>.</summary>
    string Name { get; }

    /// <summary>
    /// What the layer remembers of how things became what they are, brought up to date: kept among the node's facts, so that a plan from
    /// nothing of the same view is the same plan. Most layers remember nothing.
    /// </summary>
    /// <param name="after">With all changes made; its node holds what was remembered before.</param>
    NodeFacts Remember(IReadOnlyCollection<Change> changes, NetworkView before, NetworkView after) => after.Node;

    /// <summary>
    /// The keys whose plan may differ because of a change. <paramref name="before"/> matters: what a thing was decides what it
    /// leaves behind. At the start every subject is a change from an empty view.
    /// </summary>
    IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after);

    /// <summary>Connections that must not go on as the kernel remembers them. Asked after <see cref="Remember"/>; most changes end none.</summary>
    IEnumerable<EndedFlow> Ended(Change change, NetworkView before, NetworkView after) => [];

    /// <summary>Connections that began while there was no layer of this name, and would go on without it.</summary>
    IEnumerable<EndedFlow> Unserved(NetworkView view) => [];

    /// <summary>Writes all entries of one key; none when its subject is no more.</summary>
    void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write);
}

/// <summary>Takes what a layer plans.</summary>
public interface IPlanWriter
{
    /// <summary>An entry may be added with several causes, by one key or by many.</summary>
    void Add(Entry entry, Origin cause);

    /// <summary>Says in one line what cannot be planned, why, and what to do; the rest of the plan goes on without it.</summary>
    void Refuse(string line, Origin cause);
}
