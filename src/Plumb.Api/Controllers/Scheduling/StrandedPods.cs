using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Scheduling;

/// <summary>Pods that fit on no node, by what keeps them off: each change finds those that it can help, and no other is looked at again.</summary>
internal sealed class StrandedPods(ClusterView view)
{
    private readonly Dictionary<StoreKey, (PodFacts Facts, Pod Pod)> all = [];
    private readonly Dictionary<(string Protocol, int Port), HashSet<StoreKey>> byPort = [];

    /// <summary>A pod that is somewhere, or is nowhere, is in their way.</summary>
    private readonly HashSet<StoreKey> byOthers = [];

    /// <summary>A pod that is somewhere wants them to keep away.</summary>
    private readonly HashSet<StoreKey> keptAway = [];

    public bool Contains(StoreKey key) => all.ContainsKey(key);

    /// <param name="refusals">The words that nodes refuse it with.</param>
    public void Add(Pod pod, PodFacts facts, IEnumerable<string> refusals)
    {
        Remove(facts.Key);
        all[facts.Key] = (facts, pod);
        foreach (string refusal in refusals)
        {
            switch (refusal)
            {
                case NodeFit.PortsTaken:
                    foreach (var port in facts.HostPorts ?? [])
                    {
                        if (!byPort.TryGetValue((port.Protocol, port.Port), out var waiting))
                            byPort[(port.Protocol, port.Port)] = waiting = [];
                        waiting.Add(facts.Key);
                    }
                    break;
                case PodAffinityFit.KeptAway:
                    keptAway.Add(facts.Key);
                    break;
                case PodAffinityFit.NobodyToBeWith or PodAffinityFit.SomebodyToAvoid or PodAffinityFit.Skewed:
                    byOthers.Add(facts.Key);
                    break;
            }
        }
    }

    public void Remove(StoreKey key)
    {
        if (!all.Remove(key, out var pod))
            return;
        byOthers.Remove(key);
        keptAway.Remove(key);
        foreach (var port in pod.Facts.HostPorts ?? [])
        {
            if (byPort.TryGetValue((port.Protocol, port.Port), out var waiting) && waiting.Remove(key) && waiting.Count == 0)
                byPort.Remove((port.Protocol, port.Port));
        }
    }

    /// <summary>A node is new, or says something else of itself.</summary>
    public List<StoreKey> HelpedBy(NodeState node)
    {
        var helped = new List<StoreKey>();
        foreach (var (key, (facts, pod)) in all)
        {
            if (NodeFit.Refusal(pod, facts, node) is null)
                helped.Add(key);
        }
        return helped;
    }

    /// <summary>A pod has come to a node: others wanted to be with it, or to be no more than it has.</summary>
    public List<StoreKey> HelpedByArrival(PodFacts came) => Concerned(byOthers, came);

    /// <summary>A pod has gone, or is about to: its ports are free, and who avoided it need not.</summary>
    public List<StoreKey> HelpedByEnd(PodFacts gone)
    {
        var helped = Concerned(byOthers, gone);
        foreach (var port in gone.HostPorts ?? [])
            helped.AddRange(byPort.GetValueOrDefault((port.Protocol, port.Port)) ?? []);
        if (gone.KeepsOthersAway)
            helped.AddRange(keptAway);
        return helped;
    }

    private List<StoreKey> Concerned(HashSet<StoreKey> waiting, PodFacts other)
    {
        var helped = new List<StoreKey>();
        foreach (var key in waiting)
        {
            if (all[key] is var (facts, pod) && PodAffinityFit.IsConcerned(pod, facts, other, view))
                helped.Add(key);
        }
        return helped;
    }
}
