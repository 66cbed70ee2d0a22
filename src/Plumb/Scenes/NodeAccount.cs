using Plumb.Diagnosis.Explain;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.State;

namespace Plumb.Scenes;

/// <summary>Everything in a node's own namespace and in those of its pods, with its reason.</summary>
/// <param name="Refusals">What objects ask for that the node does not do.</param>
internal sealed record NodeAccount(IReadOnlyList<Explanation> Entries, ObservedState Observed, IReadOnlyList<string> Refusals)
{
    /// <param name="thing">What is asked about: of what is much, what may be about that is enough; null: all of it.</param>
    public static async Task<NodeAccount> OfAsync(IScene scene, string node, string? thing)
    {
        var spaces = scene.Parties.All.Where(party => party.Node == node).Select(static party => party.Space).ToHashSet();
        var plan = thing is null ? await scene.PlanAsync(node) : await scene.PlanAboutAsync(node, thing);
        // What is planned for a pod that has come since has nothing to be compared with.
        var planned = plan?.Entries.Where(entry => spaces.Contains(entry.Key.Namespace)).ToList() ?? [];
        var origins = plan?.Origins();
        var observed = scene.Observe(spaces, planned.Where(static entry => entry.Kind == EntryKind.Sysctl).Select(static entry => entry.Key), thing is null || plan is null ? null : planned);
        // Names that are hashed are recognised by what an API knows; where Plumb makes them, the plan says it.
        var services = plan is null ? await scene.ListAsync<Service>(null, CancellationToken.None) : [];
        return new NodeAccount(
            Account.Of(observed, planned.ToDictionary(static entry => entry.Key, entry => new PlannedReason(entry.Text, origins![entry.Key]) { MoreCauses = entry.MoreOrigins ?? 0 }), services), observed, plan?.Refusals ?? []);
    }
}
