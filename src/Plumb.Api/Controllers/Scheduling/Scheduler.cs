using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Scheduling;

/// <summary>
/// Gives each pod a node: one that its selectors, taints, host ports and the pods around allow, and of these the one that it prefers, then the one with the fewest
/// pods of the same owner, then the fewest pods. Resources are not counted; an event says so. One pass over the nodes for each pod.
/// </summary>
internal sealed class Scheduler(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Component = "default-scheduler";

    private readonly SortedDictionary<string, NodeState> nodes = new(StringComparer.Ordinal);

    private readonly StrandedPods stranded = new(context.View);

    /// <summary>Pods that keep others away from where they are.</summary>
    private readonly HashSet<StoreKey> keepers = [];

    /// <summary>Owners who were told that resources are not counted: once is enough.</summary>
    private readonly HashSet<string> told = [];

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.Nodes)
        {
            if (change.New is null)
            {
                nodes.Remove(change.Latest.Name);
                return;
            }
            if (!nodes.TryGetValue(change.New.Name, out var node))
            {
                nodes[change.New.Name] = node = new NodeState(change.New.Name);
                foreach (var pod in View.PodsOn(node.Name))
                    Count(pod, 1);
            }
            if (node.Take(change.New))
                Retry(stranded.HelpedBy(node));
        }
        else if (change.Resource == GroupResource.Pods)
        {
            Count(change.OldPod, -1);
            Count(change.NewPod, 1);
            if (change.NewPod is { KeepsOthersAway: true, IsOver: false })
                keepers.Add(change.Latest.Key);
            else
                keepers.Remove(change.Latest.Key);
            if (change.NewPod is { } waiting && IsMine(waiting))
            {
                // What it says of a stranded pod itself must not make it look again at once.
                if (!stranded.Contains(waiting.Key) || change.OldPod is null)
                    Queue.Add(waiting.Key);
            }
            else
                stranded.Remove(change.Latest.Key);
            // Somebody has gone, or come, or become another, whom others may have waited for.
            if (Here(change.OldPod) is { } old && (change.NewPod is null || change.NewPod.IsOver || change.NewPod.Stored.IsDeleting != old.Stored.IsDeleting || !old.Stored.Labels.Equals(change.NewPod.Stored.Labels)))
                Retry(stranded.HelpedByEnd(old));
            if (Here(change.NewPod) is { } now && (Here(change.OldPod) is not { } before || !before.Stored.Labels.Equals(now.Stored.Labels)))
                Retry(stranded.HelpedByArrival(now));
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.Pods.TryGetValue(key, out var facts) || !IsMine(facts))
            return;
        var pod = facts.Stored.As(KubernetesJson.TypeInfo<Pod>());
        if (pod.Spec.SchedulerName is not (null or "" or Component) || pod.Spec.SchedulingGates.Count > 0)
            return;
        var around = keepers.Count == 0 && !PodAffinityFit.IsAsked(pod) ? null : PodAffinityFit.Of(pod, facts, nodes, View, keepers.Select(keeper => View.Pods.GetValueOrDefault(keeper)).OfType<PodFacts>().Where(keeper => keeper != facts));
        NodeState? best = null;
        var bestRank = default((int, int, int));
        Dictionary<string, int>? reasons = null;
        foreach (var node in nodes.Values)
        {
            if ((NodeFit.Refusal(pod, facts, node) ?? around?.Refusal(node)) is { } refusal)
            {
                reasons ??= [];
                reasons[refusal] = reasons.GetValueOrDefault(refusal) + 1;
                continue;
            }
            var rank = (-NodeFit.Score(pod, node) - (around?.Score(node) ?? 0), node.PodsOf(facts.OwnerUid), node.PodCount);
            if (best is null || rank.CompareTo(bestRank) < 0)
                (best, bestRank) = (node, rank);
        }
        if (best is null)
        {
            Strand(pod, facts, reasons);
            return;
        }
        try
        {
            Context.Show(Registry.Bind(key, best.Name));
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Deleted, or bound by somebody else, meanwhile.
            return;
        }
        catch (ApiException refused) when (refused.Code is 403 or 422)
        {
            // An admission policy. It is tried again, later and later.
            Context.Events.Warning(facts.Stored, Component, "FailedScheduling", $"binding rejected: {refused.Message}");
            throw;
        }
        stranded.Remove(key);
        if (AsksForResources(pod) && told.Add(facts.OwnerUid.Length > 0 ? facts.OwnerUid : facts.Stored.Uid))
            Context.Events.Normal(facts.Stored, Component, "ResourcesIgnored", "This cluster counts no resources: requests and limits have no effect on where a pod is placed");
        Context.Events.Normal(facts.Stored, Component, "Scheduled", $"Successfully assigned {key.Namespace}/{key.Name} to {best.Name}");
    }

    private static bool AsksForResources(Pod pod) => pod.Spec.Containers.Any(static container => container.Resources is { } asked && asked.Requests.Count + asked.Limits.Count > 0);

    private static PodFacts? Here(PodFacts? pod) => pod is { NodeName: not "", IsOver: false } ? pod : null;

    private static bool IsMine(PodFacts pod) => pod.NodeName.Length == 0 && pod.IsActive;

    private void Count(PodFacts? pod, int step)
    {
        if (pod is not null && !pod.IsOver && nodes.TryGetValue(pod.NodeName, out var node))
            node.Count(pod, step);
    }

    private void Retry(List<StoreKey> helped)
    {
        foreach (var key in helped)
            Queue.Add(key);
    }

    private void Strand(Pod pod, PodFacts facts, Dictionary<string, int>? reasons)
    {
        stranded.Add(pod, facts, reasons?.Keys ?? Enumerable.Empty<string>());
        var text = new StringBuilder();
        if (nodes.Count == 0)
            text.Append("no nodes available to schedule pods");
        else
        {
            text.Append($"0/{nodes.Count} nodes are available: ");
            var parts = new List<string>();
            foreach (var (reason, count) in reasons!)
                parts.Add($"{count} {reason}");
            parts.Sort(StringComparer.Ordinal);
            text.AppendJoin(", ", parts).Append('.');
        }
        string message = text.ToString();
        Context.Events.Warning(facts.Stored, Component, "FailedScheduling", message);
        var now = Context.Time.GetUtcNow();
        Context.Show(Registry.Update(facts.Key, root =>
        {
            var status = Fields.Object(root, "status");
            if (status["conditions"] is not JsonArray conditions)
                status["conditions"] = conditions = [];
            JsonObject? condition = null;
            foreach (var item in conditions)
                condition = Fields.Text(item as JsonObject, "type") == "PodScheduled" ? (JsonObject)item! : condition;
            if (condition is not null && Fields.Text(condition, "message") == message)
                return false;
            if (condition is null)
                conditions.Add(condition = new JsonObject { ["type"] = "PodScheduled", ["lastProbeTime"] = null });
            if (Fields.Text(condition, "status") != "False")
                condition["lastTransitionTime"] = Rfc3339.Format(now);
            condition["status"] = "False";
            condition["reason"] = "Unschedulable";
            condition["message"] = message;
            return true;
        }, Part.Status));
    }
}
