using Plumb.Diagnosis.Explain;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.State;

namespace Plumb.Scenes;

/// <summary>Everything in a node's own namespace and in those of its pods, with its reason.</summary>
/// <param name="Refusals">What objects ask for that the node does not do.</param>
internal sealed record NodeAccount(IReadOnlyList<Explanation> Entries, ObservedState Observed, IReadOnlyList<string> Refusals)
{
    public static async Task<NodeAccount> OfAsync(IScene scene, string node)
    {
        var spaces = scene.Parties.All.Where(party => party.Node == node).Select(static party => party.Space).ToHashSet();
        var plan = await scene.PlanAsync(node);
        // What is planned for a pod that has come since has nothing to be compared with.
        var planned = plan?.Entries.Where(entry => spaces.Contains(entry.Key.Namespace)).ToList() ?? [];
        var origins = plan?.Origins();
        var observed = scene.Observe(spaces, planned.Where(static entry => entry.Kind == EntryKind.Sysctl).Select(static entry => entry.Key));
        // Names that are hashed are recognised by what an API knows; where Plumb makes them, the plan says it.
        var services = plan is null ? await scene.ListAsync<Service>(null, CancellationToken.None) : [];
        return new NodeAccount(
            Account.Of(observed, planned.ToDictionary(static entry => entry.Key, entry => new PlannedReason(entry.Text, origins![entry.Key])), services), observed, plan?.Refusals ?? []);
    }
}
