using Plumb.Diagnosis.Snapshots;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Network.Services;
using Plumb.Scenes;

namespace Plumb.Planning;

/// <summary>
/// The plan that a node's agent has, made again from what a scene shows: the same objects, and the node's facts as its kernel bears them. Slots of
/// endpoints have a history, which is read back from the kernel as an agent does that takes over from another.
/// </summary>
internal static class ScenePlan
{
    /// <exception cref="PlanInputException">There is no such Node object.</exception>
    public static Planner Make(IScene scene, SnapshotNetwork network, ClusterView cluster, string node)
    {
        var self = cluster.Node(node) ?? throw new PlanInputException($"there is no Node {node} among the objects of {scene.Title}");
        var home = new NamespaceId(node);
        var observed = scene.World.Find(home)?.State ?? throw new PlanInputException($"{scene.Title} does not hold the kernel of {node}");
        var options = network.ToOptions();
        var facts = NodeFacts.Create(node, home, options, UnderlayReading.Find(observed, home, [.. self.Addresses]));
        if (options.Services != ServicesKind.None)
        {
            facts = facts.With(facts.Pools.Found(ServiceElements.Slots(observed, home)));
        }
        foreach (var pod in scene.Parties.All)
        {
            if (pod.Node == node && pod.Space != home && SandboxOf(pod, self) is { } sandbox)
            {
                facts = facts.With(sandbox);
            }
        }
        return Planner.FromScratch(Layers.For(options), new NetworkView(cluster, facts));
    }

    // The name of its namespace ends in the beginning of its container's id, which is all that names of devices are made of.
    private static Sandbox? SandboxOf(Party pod, ClusterNode node)
    {
        var at = pod.Space.Name.LastIndexOf('@');
        var leases = new List<PodLease>(2);
        foreach (var address in pod.Addresses)
        {
            foreach (var range in node.PodRanges)
            {
                if (range.Contains(address))
                {
                    leases.Add(new PodLease(address, range.Network));
                }
            }
        }
        return pod.Kind != PartyKind.Pod || at < 0 || leases.Count == 0
            ? null
            : new Sandbox(new SandboxId(pod.Space.Name[(at + 1)..], Devices.PodEnd), pod.Space, [.. leases]) { PodScope = pod.Scope!, PodName = pod.Name };
    }
}
