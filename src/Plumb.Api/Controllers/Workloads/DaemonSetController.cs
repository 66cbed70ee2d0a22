using System.Text.Json.Nodes;
using Plumb.Api.Controllers.Scheduling;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// Keeps one pod of a DaemonSet on each node that it may be on. 1. Nodes without a pod get one, nodes that must not have one lose it. 2. Pods of an old template
/// are replaced, as many at a time as the strategy allows.
/// </summary>
internal sealed class DaemonSetController : KeyedController<StoreKey>
{
    private const string Component = "daemonset-controller";
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastBackOff = TimeSpan.FromMinutes(15);

    /// <summary>What a node's own state may say does not keep its daemons away.</summary>
    private static readonly (string Key, string Effect)[] Borne =
    [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];

    private readonly RevisionHistory revisions;
    private readonly Dictionary<string, NodeState> nodes = new(StringComparer.Ordinal);
    private readonly HashSet<StoreKey> sets = [];

    /// <summary>Pods that fail again and again on a node are replaced ever later.</summary>
    private readonly Dictionary<(StoreKey Set, string Node), (DateTimeOffset Since, TimeSpan Delay)> backOffs = [];

    public DaemonSetController(ControllerContext context) : base(context) => revisions = new RevisionHistory(context, "DaemonSet");

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.DaemonSets)
        {
            if (change.New is null)
            {
                sets.Remove(change.Latest.Key);
                foreach (var key in OfSet(change.Latest.Key))
                    backOffs.Remove(key);
                return;
            }
            sets.Add(change.New.Key);
            Queue.Add(change.New.Key);
        }
        else if (change.Resource == GroupResource.ControllerRevisions)
        {
            revisions.Observe(change);
        }
        else if (change.Resource == GroupResource.Nodes)
        {
            TakeNode(change);
        }
        else if (change.Resource == GroupResource.Pods)
        {
            change.QueueOwners(Queue, GroupResource.DaemonSets, "DaemonSet");
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.TryFind(key, out var stored))
            return;
        var set = stored.As(KubernetesJson.TypeInfo<DaemonSet>());
        var template = (JsonObject)Fields.Object(Fields.Object(stored.ToNode(), "spec"), "template").DeepClone();
        if (stored.IsDeleting)
            return;
        var update = revisions.Take(stored, template);
        var places = Places(stored, set);
        Man(stored, set, update, places);
        if (set.Spec.UpdateStrategy?.Type != "OnDelete")
            Roll(stored, set, update, places);
        WriteStatus(stored, set, update, Places(stored, set));
        revisions.Prune(stored, set.Spec.RevisionHistoryLimit, update);
    }

    /// <summary>A node, or a name that no node has any more, with the set's pods there: those that are not on their way out, the oldest first.</summary>
    private sealed record Place(string Node, bool Wanted, bool Tolerated, List<PodFacts> Pods);

    private void TakeNode(in ObservedChange change)
    {
        string name = change.Latest.Name;
        if (change.New is null)
        {
            nodes.Remove(name);
        }
        else
        {
            if (!nodes.TryGetValue(name, out var node))
                nodes[name] = node = new NodeState(name);
            if (!node.Take(change.New))
                return;
        }
        foreach (var key in sets)
            Queue.Add(key);
    }

    private List<Place> Places(StoredObject stored, DaemonSet set)
    {
        var byNode = new SortedDictionary<string, List<PodFacts>>(StringComparer.Ordinal);
        foreach (string name in nodes.Keys)
            byNode[name] = [];
        foreach (var pod in View.PodsOf(stored.Uid).Pods)
        {
            if (pod.IsDoomed || pod.Stored.IsDeleting)
                continue;
            string name = NodeOf(pod);
            if (!byNode.TryGetValue(name, out var there))
                byNode[name] = there = [];
            there.Add(pod);
        }
        var places = new List<Place>();
        var wanted = new Pod { Spec = set.Spec.Template.Spec };
        foreach (var (name, there) in byNode)
        {
            there.Sort(static (left, right) => left.Stored.CreationTimestamp.CompareTo(right.Stored.CreationTimestamp));
            bool selected = nodes.TryGetValue(name, out var node) && NodeFit.IsSelected(wanted, node);
            places.Add(new Place(name, selected && Bears(wanted, node!, "NoSchedule", "NoExecute"), selected && Bears(wanted, node!, "NoExecute"), there));
        }
        return places;
    }

    private static bool Bears(Pod pod, NodeState node, params ReadOnlySpan<string> effects)
    {
        foreach (var taint in node.Taints)
        {
            if (effects.Contains(taint.Effect ?? "") && !Borne.Contains((taint.Key, taint.Effect ?? "")) && !NodeFit.IsTolerated(pod.Spec.Tolerations, taint)
                && !(pod.Spec.HostNetwork && taint.Key == "node.kubernetes.io/network-unavailable"))
                return false;
        }
        return true;
    }

    private void Man(StoredObject stored, DaemonSet set, RevisionHistory.Revision update, List<Place> places)
    {
        foreach (var place in places)
        {
            foreach (var pod in place.Pods.ToList())
            {
                if (pod.Stored.Phase != "Failed" || BacksOff(stored.Key, place.Node))
                    continue;
                Context.Events.Warning(stored, Component, "FailedDaemonPod", $"Found failed daemon pod {pod.Key.Namespace}/{pod.Key.Name} on node {place.Node}, will try to kill it");
                Delete(stored, pod);
                place.Pods.Remove(pod);
            }
            if (place.Wanted && place.Pods.Count == 0)
            {
                place.Pods.Add(Create(stored, set, update, place.Node));
            }
            else if (!place.Wanted && !place.Tolerated)
            {
                foreach (var pod in place.Pods)
                    Delete(stored, pod);
                place.Pods.Clear();
            }
            else if (place.Pods.Count > 1 + (Surge(set, places) > 0 ? 1 : 0))
            {
                // Two at once: the older one stays.
                for (int i = place.Pods.Count - 1; i > 0; i--)
                    Delete(stored, place.Pods[i]);
                place.Pods.RemoveRange(1, place.Pods.Count - 1);
            }
        }
    }

    private List<(StoreKey Set, string Node)> OfSet(StoreKey set) => [.. backOffs.Keys.Where(key => key.Set == set)];

    /// <summary>Whether it is too early; if not, the next time is later. A node on which nothing failed for long begins anew.</summary>
    private bool BacksOff(StoreKey set, string node)
    {
        var now = Context.Time.GetUtcNow();
        if (!backOffs.TryGetValue((set, node), out var last) || now - last.Since > 2 * LastBackOff)
        {
            backOffs[(set, node)] = (now, FirstBackOff);
            return false;
        }
        if (last.Since + last.Delay - now is var left && left > TimeSpan.Zero)
        {
            Queue.AddAfter(set, left);
            return true;
        }
        backOffs[(set, node)] = (now, last.Delay * 2 < LastBackOff ? last.Delay * 2 : LastBackOff);
        return false;
    }

    private void Roll(StoredObject stored, DaemonSet set, RevisionHistory.Revision update, List<Place> places)
    {
        int desired = places.Count(static place => place.Wanted);
        int surge = Surge(set, places);
        int unavailable = surge > 0 ? 0 : Math.Max(1, (set.Spec.UpdateStrategy?.RollingUpdate?.MaxUnavailable ?? 1).Of(desired, roundUp: true) ?? 1);
        int down = places.Count(place => place.Wanted && !place.Pods.Exists(pod => IsAvailable(stored, set, pod)));
        int doubled = places.Count(static place => place.Pods.Count > 1);
        foreach (var place in places)
        {
            var old = place.Pods.Find(pod => !update.IsOf(pod));
            if (!place.Wanted || old is null)
                continue;
            var anew = place.Pods.Find(pod => update.IsOf(pod));
            bool serves = IsAvailable(stored, set, old);
            if (surge == 0)
            {
                // One that serves nobody costs nothing.
                if (serves && down >= unavailable)
                    continue;
                down += serves ? 1 : 0;
                Delete(stored, old);
            }
            else if (anew is not null ? IsAvailable(stored, set, anew) : !serves)
            {
                Delete(stored, old);
            }
            else if (anew is null && doubled < surge)
            {
                doubled++;
                place.Pods.Add(Create(stored, set, update, place.Node));
            }
        }
    }

    private static int Surge(DaemonSet set, List<Place> places) =>
        set.Spec.UpdateStrategy?.RollingUpdate?.MaxSurge is { } surge ? surge.Of(places.Count(static place => place.Wanted), roundUp: true) ?? 0 : 0;

    private PodFacts Create(StoredObject stored, DaemonSet set, RevisionHistory.Revision revision, string node)
    {
        try
        {
            var made = Registry.Create(GroupResource.Pods, stored.Namespace, PodFor(stored, set, revision, node));
            Context.Show(made);
            Context.Events.Normal(stored, Component, "SuccessfulCreate", $"Created pod: {made.Name}");
            return View.Pods[made.Key];
        }
        catch (ApiException refused)
        {
            Context.Events.Warning(stored, Component, "FailedCreate", $"Error creating: {refused.Message}");
            throw;
        }
    }

    private void Delete(StoredObject stored, PodFacts pod)
    {
        View.PodsOf(stored.Uid).Doom(pod);
        try
        {
            Registry.Delete(pod.Key, new DeleteOptions { Uid = pod.Stored.Uid });
            Context.Events.Normal(stored, Component, "SuccessfulDelete", $"Deleted pod: {pod.Key.Name}");
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Somebody else was faster.
        }
    }

    private static JsonObject PodFor(StoredObject stored, DaemonSet set, RevisionHistory.Revision revision, string node)
    {
        var template = (JsonObject)revision.Template.DeepClone();
        var spec = Fields.Object(template, "spec");
        // The scheduler puts it there: so it waits, and says why, like any other pod.
        var required = Fields.Object(Fields.Object(Fields.Object(spec, "affinity"), "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution");
        required["nodeSelectorTerms"] = new JsonArray(new JsonObject
        {
            ["matchFields"] = new JsonArray(new JsonObject { ["key"] = "metadata.name", ["operator"] = "In", ["values"] = new JsonArray(node) }),
        });
        if (spec["tolerations"] is not JsonArray tolerations)
            spec["tolerations"] = tolerations = [];
        foreach (var (key, effect) in Borne)
            tolerations.Add(new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = effect });
        if (set.Spec.Template.Spec.HostNetwork)
            tolerations.Add(new JsonObject { ["key"] = "node.kubernetes.io/network-unavailable", ["operator"] = "Exists", ["effect"] = "NoSchedule" });
        var metadata = new JsonObject { ["generateName"] = stored.Name + "-" };
        foreach (string member in (ReadOnlySpan<string>)["labels", "annotations", "finalizers"])
        {
            if (Fields.Find(template, "metadata")?[member] is { } value)
                metadata[member] = value.DeepClone();
        }
        var labels = Fields.Object(metadata, "labels");
        labels[StatefulSet.RevisionLabel] = revision.Hash;
        labels["pod-template-generation"] = set.Metadata.Annotations.GetValueOrDefault("deprecated.daemonset.template.generation", "1");
        metadata["ownerReferences"] = new JsonArray(ControllerReference.To(stored, "apps/v1", "DaemonSet"));
        return new JsonObject { ["metadata"] = metadata, ["spec"] = spec.DeepClone() };
    }

    private void WriteStatus(StoredObject stored, DaemonSet set, RevisionHistory.Revision update, List<Place> places)
    {
        int desired = 0, current = 0, misplaced = 0, updated = 0, ready = 0, available = 0;
        foreach (var place in places)
        {
            if (!place.Wanted)
            {
                misplaced += place.Pods.Count > 0 ? 1 : 0;
                continue;
            }
            desired++;
            if (place.Pods.Count == 0)
                continue;
            current++;
            ready += place.Pods.Exists(static pod => pod.IsReady) ? 1 : 0;
            available += place.Pods.Exists(pod => IsAvailable(stored, set, pod)) ? 1 : 0;
            updated += update.IsOf(place.Pods[0]) ? 1 : 0;
        }
        var next = new DaemonSetStatus
        {
            ObservedGeneration = set.Metadata.Generation,
            DesiredNumberScheduled = desired,
            CurrentNumberScheduled = current,
            NumberMisscheduled = misplaced,
            UpdatedNumberScheduled = updated,
            NumberReady = ready,
            NumberAvailable = available,
            NumberUnavailable = desired - available,
        };
        if (next == set.Status)
            return;
        try
        {
            Context.Show(Registry.Update(stored.Key, root =>
            {
                var status = Fields.Object(root, "status");
                status["currentNumberScheduled"] = next.CurrentNumberScheduled;
                status["numberMisscheduled"] = next.NumberMisscheduled;
                status["desiredNumberScheduled"] = next.DesiredNumberScheduled;
                status["numberReady"] = next.NumberReady;
                ReplicaSetController.Set(status, "observedGeneration", next.ObservedGeneration);
                ReplicaSetController.Set(status, "updatedNumberScheduled", next.UpdatedNumberScheduled);
                ReplicaSetController.Set(status, "numberAvailable", next.NumberAvailable);
                ReplicaSetController.Set(status, "numberUnavailable", next.NumberUnavailable);
                return true;
            }, Part.Status));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Deleted meanwhile.
        }
    }

    private bool IsAvailable(StoredObject stored, DaemonSet set, PodFacts pod)
    {
        if (!pod.IsReady)
            return false;
        var left = (pod.ReadySince ?? Context.Time.GetUtcNow()) + TimeSpan.FromSeconds(set.Spec.MinReadySeconds) - Context.Time.GetUtcNow();
        if (set.Spec.MinReadySeconds > 0 && left > TimeSpan.Zero)
            Queue.AddAfter(stored.Key, left);
        return set.Spec.MinReadySeconds == 0 || left <= TimeSpan.Zero;
    }

    /// <summary>Where it runs, or, before it is bound, where it is meant to.</summary>
    private static string NodeOf(PodFacts pod)
    {
        if (pod.NodeName.Length > 0)
            return pod.NodeName;
        var terms = pod.Stored.As(KubernetesJson.TypeInfo<Pod>()).Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms;
        return terms is [{ MatchFields: [{ Key: "metadata.name", Values: [var name] }] }, ..] ? name : "";
    }
}
