using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Scheduling;

/// <summary>
/// Gives each pod a node: one that its selectors, taints and host ports allow, and of these the one with the fewest pods of the same owner, then the fewest
/// pods. Resources are not counted. One pass over the nodes for each pod.
/// </summary>
internal sealed class Scheduler(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Component = "default-scheduler";

    private readonly SortedDictionary<string, NodeState> nodes = new(StringComparer.Ordinal);

    /// <summary>They fit nowhere: tried again when something changes that could make room.</summary>
    private readonly HashSet<StoreKey> stranded = [];

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
                Retry();
        }
        else if (change.Resource == GroupResource.Pods)
        {
            Count(change.OldPod, -1);
            Count(change.NewPod, 1);
            if (change.NewPod is { } waiting && IsMine(waiting))
            {
                // What it says of a stranded pod itself must not make it look again at once.
                if (!stranded.Contains(waiting.Key) || change.OldPod is null)
                    Queue.Add(waiting.Key);
            }
            else
                stranded.Remove(change.Latest.Key);
            if (change.OldPod is { HostPorts: not null } && (change.NewPod is null || change.NewPod.IsOver))
                Retry();
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.Pods.TryGetValue(key, out var facts) || !IsMine(facts))
            return;
        var pod = facts.Stored.As(KubernetesJson.TypeInfo<Pod>());
        if (pod.Spec.SchedulerName is not (null or "" or Component) || pod.Spec.SchedulingGates.Count > 0)
            return;
        NodeState? best = null;
        int bestOfOwner = 0;
        Dictionary<string, int>? reasons = null;
        foreach (var node in nodes.Values)
        {
            if (NodeFit.Refusal(pod, facts, node) is { } refusal)
            {
                reasons ??= [];
                reasons[refusal] = reasons.GetValueOrDefault(refusal) + 1;
                continue;
            }
            int ofOwner = node.PodsOf(facts.OwnerUid);
            if (best is null || ofOwner < bestOfOwner || (ofOwner == bestOfOwner && node.PodCount < best.PodCount))
                (best, bestOfOwner) = (node, ofOwner);
        }
        if (best is null)
        {
            Strand(facts, reasons);
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
        stranded.Remove(key);
        Context.Events.Normal(facts.Stored, Component, "Scheduled", $"Successfully assigned {key.Namespace}/{key.Name} to {best.Name}");
    }

    private static bool IsMine(PodFacts pod) => pod.NodeName.Length == 0 && pod.IsActive;

    private void Count(PodFacts? pod, int step)
    {
        if (pod is not null && !pod.IsOver && nodes.TryGetValue(pod.NodeName, out var node))
            node.Count(pod, step);
    }

    private void Retry()
    {
        foreach (var key in stranded)
            Queue.Add(key);
        stranded.Clear();
    }

    private void Strand(PodFacts facts, Dictionary<string, int>? reasons)
    {
        stranded.Add(facts.Key);
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
