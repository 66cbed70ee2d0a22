using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Api.Controllers.Scheduling;

/// <summary>
/// What a pod asks of the pods around it: affinity, anti-affinity and spread over topologies, required and preferred. One is made for each pod that asks for
/// anything, or beside which there is a pod that keeps others away; it looks once at every pod.
/// </summary>
internal sealed class PodAffinityFit
{
    public const string NobodyToBeWith = "node(s) didn't match pod affinity rules";
    public const string SomebodyToAvoid = "node(s) didn't match pod anti-affinity rules";
    public const string KeptAway = "node(s) didn't satisfy existing pods anti-affinity rules";
    public const string Skewed = "node(s) didn't match pod topology spread constraints";

    private readonly List<(PodAffinityTerm Term, Dictionary<string, int> Domains, bool Any)> affinities = [];
    private readonly List<(PodAffinityTerm Term, Dictionary<string, int> Domains)> antiAffinities = [];
    private readonly HashSet<(string Key, string Value)> places = [];
    private readonly List<(TopologySpreadConstraint Constraint, Dictionary<string, int> Domains, bool MatchesSelf)> spreads = [];
    private readonly List<(int Weight, PodAffinityTerm Term, Dictionary<string, int> Domains)> preferences = [];
    private readonly PodFacts facts;

    private PodAffinityFit(PodFacts facts) => this.facts = facts;

    /// <param name="keepers">Pods with a required anti-affinity of their own.</param>
    /// <returns>Null: nothing that is around matters.</returns>
    public static PodAffinityFit? Of(Pod pod, PodFacts facts, IReadOnlyDictionary<string, NodeState> nodes, ClusterView view, IEnumerable<PodFacts> keepers)
    {
        var (affinity, anti) = (pod.Spec.Affinity?.PodAffinity, pod.Spec.Affinity?.PodAntiAffinity);
        var fit = new PodAffinityFit(facts);
        fit.TakeKeepers(nodes, keepers);
        if (!IsAsked(pod))
            return fit.places.Count > 0 ? fit : null;
        foreach (var term in affinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [])
        {
            var domains = fit.Count(term, nodes, view);
            fit.affinities.Add((term, domains, domains.Count > 0));
        }
        foreach (var term in anti?.RequiredDuringSchedulingIgnoredDuringExecution ?? [])
            fit.antiAffinities.Add((term, fit.Count(term, nodes, view)));
        foreach (var preferred in affinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [])
            fit.preferences.Add((preferred.Weight, preferred.PodAffinityTerm, fit.Count(preferred.PodAffinityTerm, nodes, view)));
        foreach (var preferred in anti?.PreferredDuringSchedulingIgnoredDuringExecution ?? [])
            fit.preferences.Add((-preferred.Weight, preferred.PodAffinityTerm, fit.Count(preferred.PodAffinityTerm, nodes, view)));
        foreach (var constraint in pod.Spec.TopologySpreadConstraints)
            fit.spreads.Add(fit.Spread(pod, constraint, nodes, view));
        return fit;
    }

    /// <returns>Null when the node may have the pod; else the real scheduler's words.</returns>
    public string? Refusal(NodeState node)
    {
        foreach (var (term, domains, any) in affinities)
        {
            // The first of a group that wants to be together has nobody to be with yet.
            if (!node.Labels.TryGetValue(term.TopologyKey, out string? value) || (!domains.ContainsKey(value) && (any || !Matches(term, facts, facts.Key.Namespace))))
                return NobodyToBeWith;
        }
        foreach (var (term, domains) in antiAffinities)
        {
            if (node.Labels.TryGetValue(term.TopologyKey, out string? value) && domains.ContainsKey(value))
                return SomebodyToAvoid;
        }
        foreach (var (key, value) in places)
        {
            if (node.Labels.TryGetValue(key, out string? label) && label == value)
                return KeptAway;
        }
        foreach (var (constraint, domains, self) in spreads)
        {
            if (constraint.WhenUnsatisfiable == "ScheduleAnyway")
                continue;
            if (!node.Labels.TryGetValue(constraint.TopologyKey, out string? value))
                return "node(s) didn't match pod topology spread constraints (missing required label)";
            int least = constraint.MinDomains is { } wanted && domains.Count < wanted ? 0 : domains.Count == 0 ? 0 : domains.Values.Min();
            if (domains.GetValueOrDefault(value) + (self ? 1 : 0) - least > constraint.MaxSkew)
                return Skewed;
        }
        return null;
    }

    /// <summary>How well the node suits what is only preferred; more is better.</summary>
    public int Score(NodeState node)
    {
        int score = 0;
        foreach (var (weight, term, domains) in preferences)
            score += node.Labels.TryGetValue(term.TopologyKey, out string? value) ? weight * domains.GetValueOrDefault(value) : 0;
        foreach (var (constraint, domains, _) in spreads)
        {
            if (constraint.WhenUnsatisfiable == "ScheduleAnyway")
                score -= node.Labels.TryGetValue(constraint.TopologyKey, out string? value) ? domains.GetValueOrDefault(value) : domains.Count > 0 ? domains.Values.Max() + 1 : 0;
        }
        return score;
    }

    public static bool IsAsked(Pod pod) => pod.Spec.Affinity is { PodAffinity: not null } or { PodAntiAffinity: not null } || pod.Spec.TopologySpreadConstraints.Count > 0;

    /// <summary>Whether it matters to the pod where the other one is.</summary>
    public static bool IsConcerned(Pod pod, PodFacts facts, PodFacts other, ClusterView view)
    {
        var (affinity, anti) = (pod.Spec.Affinity?.PodAffinity, pod.Spec.Affinity?.PodAntiAffinity);
        foreach (var term in (affinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []).Concat(anti?.RequiredDuringSchedulingIgnoredDuringExecution ?? []))
        {
            if (Matches(term, other, facts.Key.Namespace, view))
                return true;
        }
        return other.Key.Namespace == facts.Key.Namespace
            && pod.Spec.TopologySpreadConstraints.Any(constraint => Selector.From(constraint.LabelSelector).Matches(other.Stored.Labels));
    }

    private void TakeKeepers(IReadOnlyDictionary<string, NodeState> nodes, IEnumerable<PodFacts> keepers)
    {
        foreach (var keeper in keepers)
        {
            if (keeper.IsOver || !nodes.TryGetValue(keeper.NodeName, out var node))
                continue;
            foreach (var term in keeper.Stored.As(KubernetesJson.TypeInfo<Pod>()).Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [])
            {
                if (node.Labels.TryGetValue(term.TopologyKey, out string? value) && Matches(term, facts, keeper.Key.Namespace))
                    places.Add((term.TopologyKey, value));
            }
        }
    }

    /// <summary>How many pods that the term means are in each domain of its topology.</summary>
    private Dictionary<string, int> Count(PodAffinityTerm term, IReadOnlyDictionary<string, NodeState> nodes, ClusterView view)
    {
        var domains = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var other in view.Pods.Values)
        {
            if (!other.IsOver && nodes.TryGetValue(other.NodeName, out var node) && node.Labels.TryGetValue(term.TopologyKey, out string? value) && Matches(term, other, facts.Key.Namespace, view))
                domains[value] = domains.GetValueOrDefault(value) + 1;
        }
        return domains;
    }

    private (TopologySpreadConstraint, Dictionary<string, int>, bool) Spread(Pod pod, TopologySpreadConstraint constraint, IReadOnlyDictionary<string, NodeState> nodes, ClusterView view)
    {
        var selector = Selector.From(WithKeys(constraint.LabelSelector, constraint.MatchLabelKeys));
        var domains = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in nodes.Values)
        {
            // Nodes that the pod may not be on at all are no domain that it could be spread to (`nodeAffinityPolicy: Honor`, the default).
            if (node.Labels.TryGetValue(constraint.TopologyKey, out string? value) && (constraint.NodeAffinityPolicy == "Ignore" || NodeFit.IsSelected(pod, node)))
                domains.TryAdd(value, 0);
        }
        foreach (var other in view.PodsIn(facts.Key.Namespace))
        {
            if (!other.IsOver && !other.Stored.IsDeleting && nodes.TryGetValue(other.NodeName, out var node) && node.Labels.TryGetValue(constraint.TopologyKey, out string? value)
                && domains.TryGetValue(value, out int there) && selector.Matches(other.Stored.Labels))
                domains[value] = there + 1;
        }
        return (constraint, domains, selector.Matches(facts.Stored.Labels));
    }

    /// <summary>`matchLabelKeys`: the pod's own values of these labels are asked for, too.</summary>
    private LabelSelector? WithKeys(LabelSelector? selector, IReadOnlyList<string> keys)
    {
        if (selector is null || keys.Count == 0)
            return selector;
        var labels = new Dictionary<string, string>(selector.MatchLabels);
        foreach (string key in keys)
        {
            if (facts.Stored.Labels.TryGetValue(key, out string? value))
                labels[key] = value;
        }
        return selector with { MatchLabels = labels };
    }

    private static bool Matches(PodAffinityTerm term, PodFacts other, string home, ClusterView? view = null)
    {
        bool there = term.Namespaces.Contains(other.Key.Namespace)
            || (term.Namespaces.Count == 0 && term.NamespaceSelector is null && other.Key.Namespace == home)
            || (term.NamespaceSelector is { } namespaces && (Selector.From(namespaces) is var selector
                && (view is null || (view.Find(new StoreKey(GroupResource.Namespaces, "", other.Key.Namespace)) is { } found && selector.Matches(found.Labels)))));
        return there && term.LabelSelector is not null && Selector.From(term.LabelSelector).Matches(other.Stored.Labels);
    }
}
