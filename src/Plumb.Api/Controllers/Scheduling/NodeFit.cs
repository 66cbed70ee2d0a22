using System.Globalization;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Scheduling;

/// <summary>A node as the scheduler sees it.</summary>
internal sealed class NodeState(string name)
{
    private readonly Dictionary<string, int> podsByOwner = [];
    private readonly Dictionary<HostPort, int> hostPorts = [];

    public string Name => name;
    public IReadOnlyDictionary<string, string> Labels { get; private set; } = LabelDictionary.Empty;
    public IReadOnlyList<Taint> Taints { get; private set; } = [];
    public bool Unschedulable { get; private set; }
    public int PodCount { get; private set; }

    /// <returns>Whether anything changed that lets pods in.</returns>
    public bool Take(StoredObject stored)
    {
        var node = stored.As(KubernetesJson.TypeInfo<Node>());
        bool same = Labels.Count == stored.Labels.Count && stored.Labels.Equals(Labels as LabelDictionary) && Unschedulable == node.Spec.Unschedulable && Taints.Count == node.Spec.Taints.Count;
        for (int i = 0; same && i < Taints.Count; i++)
            same = Taints[i] == node.Spec.Taints[i];
        bool isFirst = ReferenceEquals(Labels, LabelDictionary.Empty) && Taints.Count == 0;
        Labels = stored.Labels;
        Taints = node.Spec.Taints;
        Unschedulable = node.Spec.Unschedulable;
        return !same || isFirst;
    }

    public int PodsOf(string ownerUid) => ownerUid.Length == 0 ? 0 : podsByOwner.GetValueOrDefault(ownerUid);

    public void Count(PodFacts pod, int step)
    {
        PodCount += step;
        if (pod.OwnerUid.Length > 0)
        {
            int left = podsByOwner[pod.OwnerUid] = podsByOwner.GetValueOrDefault(pod.OwnerUid) + step;
            if (left == 0)
                podsByOwner.Remove(pod.OwnerUid);
        }
        foreach (var port in pod.HostPorts ?? [])
        {
            int left = hostPorts[port] = hostPorts.GetValueOrDefault(port) + step;
            if (left == 0)
                hostPorts.Remove(port);
        }
    }

    public bool Holds(HostPort wanted)
    {
        foreach (var held in hostPorts.Keys)
        {
            if (held.Collides(wanted))
                return true;
        }
        return false;
    }
}

/// <summary>Whether a pod may run on a node, and in the real scheduler's words why not.</summary>
internal static class NodeFit
{
    public const string PortsTaken = "node(s) didn't have free ports for the requested pod ports";

    private static readonly Taint CordonTaint = new() { Key = "node.kubernetes.io/unschedulable", Effect = "NoSchedule" };

    /// <returns>Null when it may.</returns>
    public static string? Refusal(Pod pod, PodFacts facts, NodeState node)
    {
        if (node.Unschedulable && !IsTolerated(pod.Spec.Tolerations, CordonTaint))
            return "node(s) were unschedulable";
        if (!IsSelected(pod, node))
            return "node(s) didn't match Pod's node affinity/selector";
        foreach (var taint in node.Taints)
        {
            if (taint.Effect is "NoSchedule" or "NoExecute" && !IsTolerated(pod.Spec.Tolerations, taint))
                return $"node(s) had untolerated taint {{{taint.Key}: {taint.Value}}}";
        }
        foreach (var port in facts.HostPorts ?? [])
        {
            if (node.Holds(port))
                return PortsTaken;
        }
        return null;
    }

    /// <summary>Whether the pod's selector and node affinity allow the node.</summary>
    public static bool IsSelected(Pod pod, NodeState node)
    {
        foreach (var (key, value) in pod.Spec.NodeSelector)
        {
            if (!node.Labels.TryGetValue(key, out string? label) || label != value)
                return false;
        }
        return pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is not { } required || Matches(required, node);
    }

    public static bool IsTolerated(IReadOnlyList<Toleration> tolerations, Taint taint)
    {
        foreach (var toleration in tolerations)
        {
            if (toleration.Tolerates(taint))
                return true;
        }
        return false;
    }

    /// <summary>How many of the node's PreferNoSchedule taints the pod does not tolerate, against how much its preferences weigh there.</summary>
    public static int Score(Pod pod, NodeState node)
    {
        int score = 0;
        foreach (var taint in node.Taints)
            score -= taint.Effect == "PreferNoSchedule" && !IsTolerated(pod.Spec.Tolerations, taint) ? 100 : 0;
        foreach (var preferred in pod.Spec.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [])
            score += Matches(preferred.Preference, node) ? preferred.Weight : 0;
        return score;
    }

    /// <summary>Any of the terms must hold, and of a term all parts; a term without parts holds nowhere.</summary>
    private static bool Matches(NodeSelector selector, NodeState node)
    {
        foreach (var term in selector.NodeSelectorTerms)
        {
            if (Matches(term, node))
                return true;
        }
        return false;
    }

    private static bool Matches(NodeSelectorTerm term, NodeState node)
    {
        bool holds = term.MatchExpressions.Count + term.MatchFields.Count > 0;
        foreach (var expression in term.MatchExpressions)
            holds &= Holds(expression, node.Labels.GetValueOrDefault(expression.Key));
        foreach (var expression in term.MatchFields)
            holds &= Holds(expression, expression.Key == "metadata.name" ? node.Name : null);
        return holds;
    }

    private static bool Holds(LabelSelectorRequirement expression, string? value) => expression.Operator switch
    {
        "In" => value is not null && expression.Values.Contains(value),
        "NotIn" => value is null || !expression.Values.Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Compare(value, expression) > 0,
        "Lt" => Compare(value, expression) < 0,
        _ => false,
    };

    private static int Compare(string? value, LabelSelectorRequirement expression) =>
        expression.Values.Count == 1
        && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
        && long.TryParse(expression.Values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long limit)
            ? number.CompareTo(limit) : 0;
}
