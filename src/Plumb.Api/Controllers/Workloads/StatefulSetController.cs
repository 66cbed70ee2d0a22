using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// Keeps the numbered pods of StatefulSets. 1. What is missing is made, from the first number up. 2. What is too many goes, from the last number down. 3. What has
/// an old template is replaced, from the last number down. With `OrderedReady` each step waits until what it did before is Ready, or gone.
/// </summary>
internal sealed class StatefulSetController : KeyedController<StoreKey>
{
    private const string Component = "statefulset-controller";

    private readonly Dictionary<StoreKey, Parsed> parsed = [];
    private readonly RevisionHistory revisions;

    public StatefulSetController(ControllerContext context) : base(context) => revisions = new RevisionHistory(context, "StatefulSet");

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.StatefulSets)
        {
            if (change.New is null)
                parsed.Remove(change.Latest.Key);
            else
                Queue.Add(change.New.Key);
        }
        else if (change.Resource == GroupResource.ControllerRevisions)
        {
            revisions.Observe(change);
        }
        else if (change.Resource == GroupResource.Pods)
        {
            change.QueueOwners(Queue, GroupResource.StatefulSets, "StatefulSet");
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.TryFind(key, out var stored))
            return;
        var set = Parse(stored);
        var update = stored.IsDeleting ? revisions.Find(stored, set.Record.Status.UpdateRevision) : revisions.Take(stored, set.Template);
        var current = revisions.Find(stored, set.Record.Status.CurrentRevision) ?? update;
        if (update is null || current is null)
            return;
        if (!stored.IsDeleting)
        {
            TellOfClaims(stored, set.Record);
            Drive(stored, set.Record, current, update);
        }
        WriteStatus(stored, set.Record, current, update);
    }

    private Parsed Parse(StoredObject stored)
    {
        if (parsed.TryGetValue(stored.Key, out var known) && known.Version == stored.ResourceVersion)
            return known;
        var record = stored.As(KubernetesJson.TypeInfo<StatefulSet>());
        // The template seldom changes; the status does with every pod.
        var template = known is not null && known.Record.Metadata.Generation == record.Metadata.Generation && known.Record.Metadata.Uid == record.Metadata.Uid
            ? known.Template
            : (JsonObject)Fields.Object(Fields.Object(stored.ToNode(), "spec"), "template").DeepClone();
        return parsed[stored.Key] = new Parsed(stored.ResourceVersion, record, template);
    }

    private void Drive(StoredObject stored, StatefulSet set, RevisionHistory.Revision current, RevisionHistory.Revision update)
    {
        bool ordered = set.Spec.PodManagementPolicy != "Parallel";
        int start = set.Spec.Ordinals?.Start ?? 0;
        int end = start + (set.Spec.Replicas ?? 1);
        var rolling = set.Spec.UpdateStrategy?.Type != "OnDelete";
        int partition = start + (set.Spec.UpdateStrategy?.RollingUpdate?.Partition ?? 0);
        var pods = new SortedDictionary<int, PodFacts>();
        foreach (var pod in View.PodsOf(stored.Uid).Pods)
        {
            if (Ordinal(stored.Name, pod.Key.Name) is { } ordinal)
                pods[ordinal] = pod;
        }

        // 1. Up.
        bool healthy = true;
        for (int ordinal = start; ordinal < end; ordinal++)
        {
            if (!pods.TryGetValue(ordinal, out var pod))
            {
                Create(stored, set, ordinal, rolling && ordinal < partition ? current : update);
                healthy = false;
            }
            else if (pod.IsOver && !Goes(pod))
            {
                Context.Events.Warning(stored, Component, "RecreatingFailedPod", $"StatefulSet {stored.Namespace}/{stored.Name} is recreating failed Pod {pod.Key.Name}");
                Delete(stored, pod);
                healthy = false;
            }
            else if (Goes(pod) || !IsAvailable(stored, set, pod))
            {
                healthy = false;
            }
            if (!healthy && ordered)
                return;
        }

        // 2. Down.
        bool condemned = false;
        foreach (var (ordinal, pod) in pods.Reverse())
        {
            if (ordinal >= start && ordinal < end)
                continue;
            condemned = true;
            if (!Goes(pod))
                Delete(stored, pod);
            if (ordered)
                return;
        }

        // 3. Anew: one that is not ready, whichever, is waited for.
        if (!rolling || condemned)
            return;
        for (int ordinal = end - 1; ordinal >= partition; ordinal--)
        {
            if (!pods.TryGetValue(ordinal, out var pod) || Goes(pod))
                return;
            if (!update.IsOf(pod))
            {
                Delete(stored, pod);
                return;
            }
            if (!IsAvailable(stored, set, pod))
                return;
        }
    }

    private void Create(StoredObject stored, StatefulSet set, int ordinal, RevisionHistory.Revision revision)
    {
        string name = $"{stored.Name}-{ordinal}";
        try
        {
            Context.Show(Registry.Create(GroupResource.Pods, stored.Namespace, PodOf(stored, set, ordinal, name, revision)));
            Context.Events.Normal(stored, Component, "SuccessfulCreate", $"create Pod {name} in StatefulSet {stored.Name} successful");
        }
        catch (ApiException refused)
        {
            Context.Events.Warning(stored, Component, "FailedCreate", $"create Pod {name} in StatefulSet {stored.Name} failed error: {refused.Message}");
            throw;
        }
    }

    private void Delete(StoredObject stored, PodFacts pod)
    {
        View.PodsOf(stored.Uid).Doom(pod);
        try
        {
            Registry.Delete(pod.Key, new DeleteOptions { Uid = pod.Stored.Uid });
            Context.Events.Normal(stored, Component, "SuccessfulDelete", $"delete Pod {pod.Key.Name} in StatefulSet {stored.Name} successful");
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Somebody else was faster.
        }
    }

    private static JsonObject PodOf(StoredObject stored, StatefulSet set, int ordinal, string name, RevisionHistory.Revision revision)
    {
        var template = (JsonObject)revision.Template.DeepClone();
        var spec = Fields.Object(template, "spec");
        spec["hostname"] = name;
        if (set.Spec.ServiceName is { Length: > 0 } service)
            spec["subdomain"] = service;
        StatefulSetStrategy.AddVolumes(spec, set.Spec.VolumeClaimTemplates.Select(static claim => claim.Metadata.Name));
        var metadata = new JsonObject { ["name"] = name };
        foreach (string member in (ReadOnlySpan<string>)["labels", "annotations", "finalizers"])
        {
            if (Fields.Find(template, "metadata")?[member] is { } value)
                metadata[member] = value.DeepClone();
        }
        var labels = Fields.Object(metadata, "labels");
        labels[StatefulSet.PodNameLabel] = name;
        labels[StatefulSet.PodIndexLabel] = ordinal.ToString(CultureInfo.InvariantCulture);
        labels[StatefulSet.RevisionLabel] = revision.Name;
        metadata["ownerReferences"] = new JsonArray(ControllerReference.To(stored, "apps/v1", "StatefulSet"));
        template.Remove("spec");
        return new JsonObject { ["metadata"] = metadata, ["spec"] = spec };
    }

    private void TellOfClaims(StoredObject stored, StatefulSet set)
    {
        if (set.Spec.VolumeClaimTemplates.Count == 0 || set.Status.ObservedGeneration == set.Metadata.Generation)
            return;
        string names = string.Join(", ", set.Spec.VolumeClaimTemplates.Select(static claim => claim.Metadata.Name));
        Context.Events.Warning(stored, Component, "VolumeClaimsIgnored", $"volumeClaimTemplates ({names}) are ignored: this cluster has no volumes; each pod gets an empty directory instead");
    }

    private void WriteStatus(StoredObject stored, StatefulSet set, RevisionHistory.Revision current, RevisionHistory.Revision update)
    {
        int replicas = 0, ready = 0, available = 0, ofCurrent = 0, ofUpdate = 0;
        foreach (var pod in View.PodsOf(stored.Uid).Pods)
        {
            replicas++;
            bool isReady = pod is { IsReady: true, Stored.Phase: "Running" };
            ready += isReady ? 1 : 0;
            available += isReady && IsAvailable(stored, set, pod) ? 1 : 0;
            if (Goes(pod))
                continue;
            ofCurrent += current.IsOf(pod) ? 1 : 0;
            ofUpdate += update.IsOf(pod) ? 1 : 0;
        }
        // The roll-out is complete: what was new is what there is.
        if (set.Spec.UpdateStrategy?.Type != "OnDelete" && ofUpdate == replicas && ready == replicas && replicas == (set.Spec.Replicas ?? 1))
        {
            current = update;
            ofCurrent = ofUpdate;
        }
        var next = new StatefulSetStatus
        {
            ObservedGeneration = set.Metadata.Generation,
            Replicas = replicas,
            ReadyReplicas = ready,
            AvailableReplicas = available,
            CurrentReplicas = ofCurrent,
            UpdatedReplicas = ofUpdate,
            CurrentRevision = current.Name,
            UpdateRevision = update.Name,
            CollisionCount = 0,
        };
        if (next != set.Status)
            Write(stored, next);
        revisions.Prune(stored, set.Spec.RevisionHistoryLimit, current, update);
    }

    private void Write(StoredObject stored, StatefulSetStatus next)
    {
        try
        {
            Context.Show(Registry.Update(stored.Key, root =>
            {
                var status = Fields.Object(root, "status");
                status["replicas"] = next.Replicas;
                status["availableReplicas"] = next.AvailableReplicas;
                status["collisionCount"] = 0;
                status["currentRevision"] = next.CurrentRevision;
                status["updateRevision"] = next.UpdateRevision;
                ReplicaSetController.Set(status, "observedGeneration", next.ObservedGeneration);
                ReplicaSetController.Set(status, "readyReplicas", next.ReadyReplicas);
                ReplicaSetController.Set(status, "currentReplicas", next.CurrentReplicas);
                ReplicaSetController.Set(status, "updatedReplicas", next.UpdatedReplicas);
                return true;
            }, Part.Status));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Deleted meanwhile.
        }
    }

    private bool IsAvailable(StoredObject stored, StatefulSet set, PodFacts pod)
    {
        if (!pod.IsReady || pod.Stored.Phase != "Running")
            return false;
        if (set.Spec.MinReadySeconds == 0)
            return true;
        var left = (pod.ReadySince ?? Context.Time.GetUtcNow()) + TimeSpan.FromSeconds(set.Spec.MinReadySeconds) - Context.Time.GetUtcNow();
        if (left > TimeSpan.Zero)
            Queue.AddAfter(stored.Key, left);
        return left <= TimeSpan.Zero;
    }

    private static bool Goes(PodFacts pod) => pod.IsDoomed || pod.Stored.IsDeleting;

    /// <returns>Null for a pod whose name is not one that the set gives.</returns>
    internal static int? Ordinal(string set, string pod) =>
        pod.Length > set.Length + 1 && pod.StartsWith(set, StringComparison.Ordinal) && pod[set.Length] == '-'
            && int.TryParse(pod.AsSpan(set.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal) ? ordinal : null;

    private sealed record Parsed(long Version, StatefulSet Record, JsonObject Template);
}
