using System.Text.Json.Nodes;
using Plumb.Api.Controllers.Scheduling;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Nodes;

/// <summary>
/// Marks nodes that no longer renew their lease as lost, keeps the taints that follow from a node's conditions, evicts pods that do not tolerate them, and
/// removes the pods of nodes that were deleted.
/// </summary>
internal sealed class NodeLifecycleController(ControllerContext context, TimeSpan grace) : KeyedController<string>(context)
{
    private const string NotReady = "node.kubernetes.io/not-ready";
    private const string Unreachable = "node.kubernetes.io/unreachable";
    private const string Cordoned = "node.kubernetes.io/unschedulable";
    private const string LeaseNamespace = "kube-node-lease";

    /// <summary>When each node was last heard of, on a clock that no change of the date moves, and by which version of its lease.</summary>
    private readonly Dictionary<string, (long At, long Lease)> lastSeen = [];

    public override void Observe(in ObservedChange change)
    {
        var key = change.Latest.Key;
        if (key.Resource == GroupResource.Leases && key.Namespace == LeaseNamespace && change.New is not null)
        {
            // A renewal needs no work; unless the node was given up.
            lastSeen[key.Name] = (Context.Time.GetTimestamp(), change.New.ResourceVersion);
            if (change.Old is null)
                Queue.Add(key.Name);
        }
        else if (key.Resource == GroupResource.Nodes)
        {
            if (change.New is null)
                lastSeen.Remove(key.Name);
            else if (Ready(change.New) is var now && now != Ready(change.Old) && now?.Status != "Unknown")
                // A kubelet that reports its status lives, lease or not.
                lastSeen[key.Name] = (Context.Time.GetTimestamp(), lastSeen.GetValueOrDefault(key.Name).Lease);
            Queue.Add(key.Name);
        }
        else if (change.NewPod is { NodeName.Length: > 0 } pod && change.OldPod?.NodeName != pod.NodeName)
        {
            Queue.Add(pod.NodeName);
        }
    }

    protected override void Reconcile(string key)
    {
        if (!View.TryFind(new StoreKey(GroupResource.Nodes, "", key), out var stored))
        {
            RemovePods(key);
            return;
        }
        var node = stored.As(KubernetesJson.TypeInfo<Node>());
        var ready = node.Status.Conditions.Find("Ready");
        if (ready is { Status: "True" or "False" } && lastSeen.TryGetValue(key, out var seen))
        {
            var left = grace - Context.Time.GetElapsedTime(seen.At);
            // A loop that is busy learns of renewals late: the store has the last word before a node is given up.
            if (left <= TimeSpan.Zero && Lease(key) is { } lease && lease.ResourceVersion > seen.Lease)
            {
                lastSeen[key] = (Context.Time.GetTimestamp(), lease.ResourceVersion);
                left = grace;
            }
            if (left > TimeSpan.Zero)
            {
                Queue.AddAfter(key, left);
            }
            else
            {
                stored = Lose(stored);
                node = stored.As(KubernetesJson.TypeInfo<Node>());
                ready = node.Status.Conditions.Find("Ready");
            }
        }
        Taint(stored, node, ready?.Status ?? "");
        Evict(key, node);
    }

    private StoredObject? Lease(string node) => Context.Store.Find(new StoreKey(GroupResource.Leases, LeaseNamespace, node));

    private static Condition? Ready(StoredObject? stored) => stored?.As(KubernetesJson.TypeInfo<Node>()).Status.Conditions.Find("Ready");

    private StoredObject Lose(StoredObject stored)
    {
        string now = Rfc3339.Format(Context.Time.GetUtcNow());
        var written = Registry.Update(stored.Key, root =>
        {
            foreach (var condition in Fields.Objects(Fields.Object(root, "status"), "conditions"))
            {
                if (Fields.Text(condition, "type") is not ("Ready" or "MemoryPressure" or "DiskPressure" or "PIDPressure"))
                    continue;
                condition["status"] = "Unknown";
                condition["reason"] = "NodeStatusUnknown";
                condition["message"] = "Kubelet stopped posting node status.";
                condition["lastTransitionTime"] = now;
            }
            return true;
        }, Part.Status);
        Context.Show(written);
        Context.Events.Normal(written, "node-controller", "NodeNotReady", $"Node {stored.Name} status is now: NodeNotReady");
        // Their kubelet cannot say it any more.
        foreach (var pod in new List<PodFacts>(View.PodsOn(stored.Name)))
        {
            if (pod.IsReady)
                MarkNotReady(pod, now);
        }
        return written;
    }

    private void MarkNotReady(PodFacts pod, string now)
    {
        try
        {
            Context.Show(Registry.Update(pod.Key, root =>
            {
                foreach (var condition in Fields.Objects(Fields.Object(root, "status"), "conditions"))
                {
                    if (Fields.Text(condition, "type") != "Ready" || Fields.Text(condition, "status") != "True")
                        continue;
                    condition["status"] = "False";
                    condition["lastTransitionTime"] = now;
                    return true;
                }
                return false;
            }, Part.Status));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Deleted meanwhile.
        }
    }

    private void Taint(StoredObject stored, Node node, string ready)
    {
        var wanted = new List<(string Key, string Effect)>();
        if (ready is "False" or "")
            wanted.Add((NotReady, "NoSchedule"));
        if (ready == "False")
            wanted.Add((NotReady, "NoExecute"));
        if (ready == "Unknown")
            wanted.AddRange([(Unreachable, "NoSchedule"), (Unreachable, "NoExecute")]);
        if (node.Spec.Unschedulable)
            wanted.Add((Cordoned, "NoSchedule"));
        bool same = true;
        foreach (var taint in node.Spec.Taints)
            same &= !IsOurs(taint.Key) || wanted.Contains((taint.Key, taint.Effect));
        foreach (var (key, effect) in wanted)
            same &= Has(node, key, effect);
        if (same)
            return;
        string now = Rfc3339.Format(Context.Time.GetUtcNow());
        Context.Show(Registry.Update(stored.Key, root =>
        {
            var spec = Fields.Object(root, "spec");
            var taints = new JsonArray();
            foreach (var taint in Fields.Objects(spec, "taints"))
            {
                if (!IsOurs(Fields.Text(taint, "key")) || wanted.Contains((Fields.Text(taint, "key"), Fields.Text(taint, "effect"))))
                    taints.Add(taint.DeepClone());
            }
            foreach (var (key, effect) in wanted)
            {
                if (!Has(node, key, effect))
                    taints.Add(new JsonObject { ["key"] = key, ["effect"] = effect, ["timeAdded"] = now });
            }
            if (taints.Count > 0)
                spec["taints"] = taints;
            else
                spec.Remove("taints");
            return true;
        }));
    }

    /// <summary>A pod goes when the shortest of its tolerations for the node's NoExecute taints has run out, and at once when it has none.</summary>
    private void Evict(string name, Node node)
    {
        bool any = false;
        foreach (var taint in node.Spec.Taints)
            any |= taint.Effect == "NoExecute";
        if (!any)
            return;
        var now = Context.Time.GetUtcNow();
        foreach (var pod in new List<PodFacts>(View.PodsOn(name)))
        {
            if (!pod.IsActive || Deadline(pod, node, now) is not { } deadline)
                continue;
            if (deadline > now)
            {
                Queue.AddAfter(name, deadline - now);
                continue;
            }
            Context.Events.Normal(pod.Stored, "taint-eviction-controller", "TaintManagerEviction", $"Marking for deletion Pod {pod.Key.Namespace}/{pod.Key.Name}");
            Delete(pod, new DeleteOptions { Uid = pod.Stored.Uid });
        }
    }

    private static DateTimeOffset? Deadline(PodFacts pod, Node node, DateTimeOffset now)
    {
        DateTimeOffset? deadline = null;
        foreach (var taint in node.Spec.Taints)
        {
            if (taint.Effect != "NoExecute")
                continue;
            if (!NodeFit.IsTolerated(pod.Tolerations, taint))
                return now;
            foreach (var toleration in pod.Tolerations)
            {
                if (toleration.TolerationSeconds is { } seconds && toleration.Tolerates(taint) && (taint.TimeAdded ?? now).AddSeconds(seconds) is var end && (deadline is null || end < deadline))
                    deadline = end;
            }
        }
        return deadline;
    }

    private void RemovePods(string node)
    {
        foreach (var pod in new List<PodFacts>(View.PodsOn(node)))
            Delete(pod, new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Stored.Uid });
    }

    private void Delete(PodFacts pod, DeleteOptions options)
    {
        try
        {
            Registry.Delete(pod.Key, options);
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Gone already.
        }
    }

    private static bool IsOurs(string key) => key is NotReady or Unreachable or Cordoned;

    private static bool Has(Node node, string key, string effect)
    {
        foreach (var taint in node.Spec.Taints)
        {
            if (taint.Key == key && taint.Effect == effect)
                return true;
        }
        return false;
    }
}
