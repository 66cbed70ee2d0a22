using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Controllers.Workloads;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Api.Controllers;

/// <summary>
/// Gives a pod that has no controller to the workload whose selector matches it, and lets it go from one whose selector does so no more; likewise ReplicaSets and
/// Deployments. It works before the controllers of the workloads, which wait while it <see cref="IsBehind"/>, and for all of them: they count what is theirs
/// already, and no two take the same.
/// </summary>
internal sealed class Adoption(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private static readonly Dictionary<GroupResource, GroupResource> Dependents = new()
    {
        [GroupResource.Deployments] = GroupResource.ReplicaSets,
        [GroupResource.ReplicaSets] = GroupResource.Pods,
        [GroupResource.ReplicationControllers] = GroupResource.Pods,
        [GroupResource.StatefulSets] = GroupResource.Pods,
        [GroupResource.DaemonSets] = GroupResource.Pods,
        [GroupResource.Jobs] = GroupResource.Pods,
    };

    private readonly Dictionary<string, Dictionary<string, Keeper>> keepers = [];

    /// <summary>Something may get another owner yet: whoever counted now would count wrong.</summary>
    public bool IsBehind => !Queue.IsEmpty;

    private sealed record Keeper(StoreKey Key, string Uid, DateTimeOffset Since, long Generation, string Text, Selector Selector);

    public override void Observe(in ObservedChange change)
    {
        if (Dependents.ContainsKey(change.Resource))
            Keep(change);
        // Where neither has changed, nothing has to be looked at: a status is written with each step of a pod.
        if (change.Resource == GroupResource.Pods || change.Resource == GroupResource.ReplicaSets)
        {
            if (change.New is { } now && (change.Old is not { } old || !now.Labels.Equals(old.Labels) || now.Controller?.Uid != old.Controller?.Uid) && IsAstray(now))
                Queue.Add(now.Key);
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        var pod = View.Pods.GetValueOrDefault(key);
        if ((pod?.Stored ?? View.Find(key)) is not { } stored || !keepers.TryGetValue(key.Namespace, out var present))
            return;
        if (stored.Controller is { } owner)
        {
            if (present.TryGetValue(owner.Uid, out var keeper) && Concerns(keeper, stored) && !IsOut(keeper, pod) && Stands(keeper))
                Release(keeper, stored);
            return;
        }
        if (stored.IsDeleting || pod is { IsDoomed: true })
            return;
        Keeper? first = null;
        foreach (var keeper in present.Values)
        {
            if (Concerns(keeper, stored) && !IsOut(keeper, pod) && (first is null || IsBefore(keeper, first)) && Stands(keeper))
                first = keeper;
        }
        if (first is not null)
            Adopt(first, stored);
    }

    private void Keep(in ObservedChange change)
    {
        string @namespace = change.Latest.Namespace;
        if (change.New is not { } stored)
        {
            if (keepers.TryGetValue(@namespace, out var left) && left.Remove(change.Latest.Uid) && left.Count == 0)
                keepers.Remove(@namespace);
            return;
        }
        if (!keepers.TryGetValue(@namespace, out var present))
            keepers[@namespace] = present = [];
        if (present.TryGetValue(stored.Uid, out var known) && known.Generation == stored.Generation)
            return;
        var spec = Fields.Object(stored.ToNode(), "spec");
        var node = stored.Key.Resource == GroupResource.ReplicationControllers ? ReplicationControllerStrategy.SelectorOf(spec) : Fields.Find(spec, "selector");
        string text = node?.ToJsonString() ?? "";
        if (known?.Text == text)
        {
            present[stored.Uid] = known with { Generation = stored.Generation };
            return;
        }
        var selector = Selector.From(node?.Deserialize(KubernetesJson.TypeInfo<LabelSelector>()));
        present[stored.Uid] = new(stored.Key, stored.Uid, stored.CreationTimestamp, stored.Generation, text, selector.IsEverything ? Selector.Nothing : selector);
        Seek(present[stored.Uid]);
    }

    /// <summary>A selector is new: what it matches, and what it matched before.</summary>
    private void Seek(Keeper keeper)
    {
        var dependents = Dependents[keeper.Key.Resource] == GroupResource.Pods
            ? View.PodsIn(keeper.Key.Namespace).Select(static pod => pod.Stored)
            : keepers[keeper.Key.Namespace].Values.Select(other => View.Find(other.Key)).OfType<StoredObject>();
        foreach (var dependent in dependents)
        {
            if (Concerns(keeper, dependent))
                Queue.Add(dependent.Key);
        }
    }

    private bool IsAstray(StoredObject dependent)
    {
        if (!keepers.TryGetValue(dependent.Namespace, out var present))
            return false;
        if (dependent.Controller is { } owner)
            return present.TryGetValue(owner.Uid, out var keeper) && Concerns(keeper, dependent);
        foreach (var keeper in present.Values)
        {
            if (Concerns(keeper, dependent))
                return true;
        }
        return false;
    }

    /// <summary>Whether it is without a controller and wanted, or its own and wanted no more. What it does not count never is: a pod may name a Deployment.</summary>
    private static bool Concerns(Keeper keeper, StoredObject dependent) =>
        Dependents[keeper.Key.Resource] == dependent.Key.Resource
        && (dependent.Controller is { } owner ? owner.Uid == keeper.Uid && !Wants(keeper, dependent) : Wants(keeper, dependent));

    private static bool Wants(Keeper keeper, StoredObject dependent) =>
        keeper.Selector.Matches(dependent.Labels)
        && (keeper.Key.Resource != GroupResource.StatefulSets || StatefulSetController.Ordinal(keeper.Key.Name, dependent.Name) is not null);

    /// <summary>Those that only keep up a number care for no pod that is no replica any more.</summary>
    private static bool IsOut(Keeper keeper, PodFacts? pod) =>
        pod is { IsActive: false } && (keeper.Key.Resource == GroupResource.ReplicaSets || keeper.Key.Resource == GroupResource.ReplicationControllers);

    /// <summary>Asked of the store itself: an owner that is being deleted may just have let its dependents go. A job that is over claims nothing.</summary>
    private bool Stands(Keeper keeper) => Context.Store.Find(keeper.Key) is { IsDeleting: false } found && found.Uid == keeper.Uid
        && !(keeper.Key.Resource == GroupResource.Jobs && JobController.IsOver(found.As(KubernetesJson.TypeInfo<Job>())));

    private static bool IsBefore(Keeper one, Keeper other) =>
        one.Since != other.Since ? one.Since < other.Since : string.CompareOrdinal(one.Uid, other.Uid) < 0;

    private void Adopt(Keeper keeper, StoredObject dependent)
    {
        var definition = Registry.Catalog.Find(keeper.Key.Resource);
        Change(dependent, (present, metadata) =>
        {
            if (present.Controller is not null || present.IsDeleting || !Wants(keeper, present))
                return false;
            Add(metadata, "ownerReferences", ControllerReference.To(keeper.Key.Name, keeper.Uid, definition.ApiVersion, definition.Kind));
            if (keeper.Key.Resource == GroupResource.Jobs && !JobTally.Holds(present))
                Add(metadata, "finalizers", Job.TrackingFinalizer);
            return true;
        });
    }

    private void Release(Keeper keeper, StoredObject dependent) => Change(dependent, (present, metadata) =>
    {
        if (present.Controller?.Uid != keeper.Uid || Wants(keeper, present))
            return false;
        if (keeper.Key.Resource == GroupResource.Jobs)
            JobTally.Free(metadata);
        return GarbageCollector.Disown(metadata, keeper.Uid);
    });

    private void Change(StoredObject dependent, Func<StoredObject, JsonObject, bool> change)
    {
        try
        {
            Context.Show(Registry.Update(Registry.Catalog.Find(dependent.Key.Resource), dependent.Key, Part.Main,
                (present, root) => present.Uid == dependent.Uid && change(present, Fields.Object(root, "metadata")) ? root : null, WriteOptions.Default));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Nothing to be had any more.
        }
    }

    private static void Add(JsonObject metadata, string member, JsonNode item)
    {
        if (metadata[member] is not JsonArray items)
            metadata[member] = items = [];
        items.Add(item);
    }
}
