using Plumb.Diagnosis.Walk;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Scenes;

namespace Plumb.Tracing;

/// <summary>Asks plans of nodes why there is what a packet meets.</summary>
internal static class PlannedCauses
{
    private static readonly IReadOnlyDictionary<EntryKey, IReadOnlyList<Origin>> None = new Dictionary<EntryKey, IReadOnlyList<Origin>>();

    /// <summary>By entry; without an agent there are none.</summary>
    /// <param name="isAll">What is planned besides is told too: what is seen and was not predicted may be anything.</param>
    public static async Task<IReadOnlyDictionary<EntryKey, IReadOnlyList<Origin>>> OfAsync(IScene scene, Trace trace, bool isAll)
    {
        var hops = trace.Outcomes.SelectMany(static outcome => outcome.There.Concat(outcome.Back)).ToList();
        var places = hops.Select(static hop => hop.Space).ToHashSet();
        var nodes = scene.Parties.Nodes.ToHashSet(StringComparer.Ordinal);
        nodes.IntersectWith(scene.Parties.All.Where(party => places.Contains(party.Space)).Select(static party => party.Node));
        var causes = new Dictionary<EntryKey, IReadOnlyList<Origin>>();
        HashSet<EntryKey>? keys = isAll ? null : [.. hops.Select(static hop => hop.Entry).OfType<EntryKey>()];
        foreach (var plan in await Task.WhenAll(nodes.Select(node => scene.PlanAsync(node, keys))))
        {
            foreach (var (key, origins) in plan?.Origins() ?? None)
            {
                causes[key] = origins;
            }
        }
        return causes;
    }
}
