using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>Keeps as many pods as a ReplicaSet, or a ReplicationController, asks for. Its counts come from the view, so a pod's change costs the same beside one pod or a thousand.</summary>
internal sealed class ReplicaSetController(ControllerContext context, GroupResource resource) : KeyedController<StoreKey>(context)
{
    private readonly bool isOld = resource == GroupResource.ReplicationControllers;

    private string Kind => isOld ? "ReplicationController" : "ReplicaSet";

    private string Component => isOld ? "replication-controller" : "replicaset-controller";

    /// <summary>So many at a turn: scheduler and nodes begin with the first while the last are still to be made.</summary>
    private const int Batch = 64;

    private readonly Dictionary<StoreKey, (long Version, ReplicaSet Set, JsonObject Template)> parsed = [];

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == resource)
        {
            if (change.New is null)
                parsed.Remove(change.Latest.Key);
            else
                Queue.Add(change.New.Key);
        }
        else if (change.Resource == GroupResource.Pods)
        {
            change.QueueOwners(Queue, resource, Kind);
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.TryFind(key, out var stored))
            return;
        var (set, template) = Parse(stored);
        var owned = View.PodsOf(stored.Uid);
        if (!stored.IsDeleting)
        {
            int missing = (set.Spec.Replicas ?? 1) - owned.Active;
            if (missing > 0)
                Create(stored, template, Math.Min(missing, Batch));
            else if (missing < 0)
                Delete(stored, owned, -missing);
            owned = View.PodsOf(stored.Uid);
            if (missing > Batch)
                Queue.Add(key);
        }
        WriteStatus(stored, set, owned);
    }

    private (ReplicaSet Set, JsonObject Template) Parse(StoredObject stored)
    {
        if (parsed.TryGetValue(stored.Key, out var known) && known.Version == stored.ResourceVersion)
            return (known.Set, known.Template);
        var set = isOld ? OfOld(stored) : stored.As(KubernetesJson.TypeInfo<ReplicaSet>());
        // The template seldom changes; the status does with every pod.
        var template = known.Template is not null && known.Set.Metadata.Generation == set.Metadata.Generation && known.Set.Metadata.Uid == set.Metadata.Uid
            ? known.Template
            : PodFrom(stored);
        parsed[stored.Key] = (stored.ResourceVersion, set, template);
        return (set, template);
    }

    private static ReplicaSet OfOld(StoredObject stored)
    {
        var root = stored.ToNode();
        var spec = Fields.Object(root, "spec");
        spec["selector"] = ReplicationControllerStrategy.SelectorOf(spec);
        return JsonSerializer.Deserialize(root, KubernetesJson.TypeInfo<ReplicaSet>())!;
    }

    private JsonObject PodFrom(StoredObject stored)
    {
        var root = stored.ToNode();
        var template = Fields.Object(Fields.Object(root, "spec"), "template");
        var metadata = new JsonObject { ["generateName"] = stored.Name + "-" };
        foreach (string member in (ReadOnlySpan<string>)["labels", "annotations", "finalizers"])
        {
            if (Fields.Find(template, "metadata")?[member] is { } value)
                metadata[member] = value.DeepClone();
        }
        metadata["ownerReferences"] = new JsonArray(ControllerReference.To(stored, isOld ? "v1" : "apps/v1", Kind));
        return new JsonObject { ["metadata"] = metadata, ["spec"] = Fields.Object(template, "spec").DeepClone() };
    }

    private void Create(StoredObject stored, JsonObject template, int count)
    {
        try
        {
            for (int i = 0; i < count; i++)
            {
                var pod = Registry.Create(GroupResource.Pods, stored.Namespace, (JsonObject)template.DeepClone());
                Context.Show(pod);
                Context.Events.Normal(stored, Component, "SuccessfulCreate", $"Created pod: {pod.Name}");
            }
        }
        catch (ApiException refused)
        {
            Context.Events.Warning(stored, Component, "FailedCreate", $"Error creating: {refused.Message}");
            throw;
        }
    }

    private void Delete(StoredObject stored, OwnedPods owned, int count)
    {
        var victims = new List<PodFacts>(owned.Active);
        foreach (var pod in owned.Pods)
        {
            if (pod.IsActive)
                victims.Add(pod);
        }
        victims.Sort(Cheaper);
        for (int i = 0; i < count && i < victims.Count; i++)
        {
            var pod = victims[i];
            owned.Doom(pod);
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
    }

    /// <summary>First goes what does least: not on a node, not running, not ready, the youngest.</summary>
    private static int Cheaper(PodFacts left, PodFacts right)
    {
        int order = (left.NodeName.Length > 0).CompareTo(right.NodeName.Length > 0);
        if (order == 0)
            order = (left.Stored.Phase == "Running").CompareTo(right.Stored.Phase == "Running");
        if (order == 0)
            order = left.IsReady.CompareTo(right.IsReady);
        if (order == 0)
            order = right.Stored.CreationTimestamp.CompareTo(left.Stored.CreationTimestamp);
        return order != 0 ? order : right.Stored.ResourceVersion.CompareTo(left.Stored.ResourceVersion);
    }

    private void WriteStatus(StoredObject stored, ReplicaSet set, OwnedPods owned)
    {
        int available = set.Spec.MinReadySeconds == 0 ? owned.Ready : Available(stored.Key, owned, TimeSpan.FromSeconds(set.Spec.MinReadySeconds));
        var now = set.Status;
        if (now.Replicas == owned.Active && now.FullyLabeledReplicas == owned.Active && now.ReadyReplicas == owned.Ready && now.AvailableReplicas == available
            && now.ObservedGeneration == set.Metadata.Generation)
        {
            return;
        }
        int replicas = owned.Active, ready = owned.Ready;
        long generation = set.Metadata.Generation;
        try
        {
            Context.Show(Registry.Update(stored.Key, root =>
            {
                var status = Fields.Object(root, "status");
                status["replicas"] = replicas;
                Set(status, "fullyLabeledReplicas", replicas);
                Set(status, "readyReplicas", ready);
                Set(status, "availableReplicas", available);
                Set(status, "observedGeneration", generation);
                return true;
            }, Part.Status));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Deleted meanwhile.
        }
    }

    private int Available(StoreKey key, OwnedPods owned, TimeSpan minimum)
    {
        int available = 0;
        var now = Context.Time.GetUtcNow();
        foreach (var pod in owned.Pods)
        {
            if (!pod.IsActive || !pod.IsReady || pod.ReadySince is not { } since)
                continue;
            var left = since + minimum - now;
            if (left <= TimeSpan.Zero)
                available++;
            else
                Queue.AddAfter(key, left);
        }
        return available;
    }

    internal static void Set(JsonObject status, string member, long value)
    {
        if (value == 0)
            status.Remove(member);
        else
            status[member] = value;
    }
}
