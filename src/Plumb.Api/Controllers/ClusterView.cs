using System.Diagnostics.CodeAnalysis;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers;

/// <summary>A change as controllers see it, with pods already parsed.</summary>
internal readonly record struct ObservedChange(ChangeKind Kind, StoredObject? Old, StoredObject? New, PodFacts? OldPod, PodFacts? NewPod)
{
    public StoredObject Latest => New ?? Old!;

    public GroupResource Resource => Latest.Key.Resource;

    /// <summary>Puts those of one kind into a queue whose it is, and whose it was until now.</summary>
    public void QueueOwners(WorkQueue<StoreKey> queue, GroupResource resource, string kind)
    {
        if (New?.Controller is { } now && now.Kind == kind)
            queue.Add(new StoreKey(resource, Latest.Namespace, now.Name));
        if (Old?.Controller is { } before && before.Kind == kind && before.Uid != New?.Controller?.Uid)
            queue.Add(new StoreKey(resource, Latest.Namespace, before.Name));
    }
}

/// <summary>The pods of one owner, and the counts that its status shows, kept as pods change: reading them costs nothing.</summary>
internal sealed class OwnedPods
{
    public HashSet<PodFacts> Pods { get; } = [];
    public int Active { get; private set; }
    public int Ready { get; private set; }

    public void Add(PodFacts pod)
    {
        Pods.Add(pod);
        Count(pod, 1);
    }

    public void Remove(PodFacts pod)
    {
        Pods.Remove(pod);
        Count(pod, -1);
    }

    /// <summary>Its deletion is asked for: it is no replica from now on.</summary>
    public void Doom(PodFacts pod)
    {
        Count(pod, -1);
        pod.IsDoomed = true;
    }

    private void Count(PodFacts pod, int step)
    {
        if (!pod.IsActive)
            return;
        Active += step;
        Ready += pod.IsReady ? step : 0;
    }
}

/// <summary>
/// What the controllers know of the cluster, with the indexes they look things up in. It follows the store's changes; what a controller itself writes it
/// puts in at once (<see cref="ControllerContext.Show"/>), so that nobody acts twice on an old state.
/// </summary>
internal sealed class ClusterView
{
    private static readonly OwnedPods NoPods = new();

    private readonly Dictionary<StoreKey, PodFacts> pods = [];
    private readonly Dictionary<string, OwnedPods> byOwner = [];
    private readonly Dictionary<string, HashSet<PodFacts>> byNode = [];
    private readonly Dictionary<string, HashSet<PodFacts>> byNamespace = [];
    private readonly Dictionary<StoreKey, StoredObject> others = [];
    private readonly Dictionary<string, HashSet<StoreKey>> setsByOwner = [];

    public IReadOnlyDictionary<StoreKey, PodFacts> Pods => pods;

    public OwnedPods PodsOf(string ownerUid) => byOwner.GetValueOrDefault(ownerUid, NoPods);

    public IReadOnlyCollection<PodFacts> PodsOn(string node) => byNode.TryGetValue(node, out var found) ? found : [];

    public IReadOnlyCollection<PodFacts> PodsIn(string @namespace) => byNamespace.TryGetValue(@namespace, out var found) ? found : [];

    /// <summary>The replica sets of a deployment.</summary>
    public IReadOnlyCollection<StoreKey> ReplicaSetsOf(string deploymentUid) => setsByOwner.TryGetValue(deploymentUid, out var found) ? found : [];

    public StoredObject? Find(StoreKey key) => others.GetValueOrDefault(key);

    public bool TryFind(StoreKey key, [NotNullWhen(true)] out StoredObject? found) => others.TryGetValue(key, out found);

    /// <returns>Null when it was known already.</returns>
    public ObservedChange? Apply(in Change change)
    {
        var key = change.Key;
        bool gone = change.Kind == ChangeKind.Deleted;
        if (key.Resource == GroupResource.Pods)
        {
            pods.TryGetValue(key, out var oldPod);
            if (!gone && oldPod is not null && oldPod.Stored.ResourceVersion >= change.Object.ResourceVersion)
                return null;
            if (gone && oldPod is null)
                return null;
            var newPod = gone ? null : new PodFacts(change.Object);
            if (newPod is not null && oldPod is { IsDoomed: true } && oldPod.Stored.Uid == newPod.Stored.Uid)
                newPod.IsDoomed = true;
            Replace(key, oldPod, newPod);
            return new(change.Kind, oldPod?.Stored, newPod?.Stored, oldPod, newPod);
        }

        others.TryGetValue(key, out var old);
        if (!gone && old is not null && old.ResourceVersion >= change.Object.ResourceVersion)
            return null;
        if (gone)
            others.Remove(key);
        else
            others[key] = change.Object;
        if (key.Resource == GroupResource.ReplicaSets)
        {
            if (old?.Controller is { } before)
                Leave(setsByOwner, before.Uid, key);
            if (!gone && change.Object.Controller is { } owner)
                Enter(setsByOwner, owner.Uid, key);
        }
        return new(change.Kind, old ?? (gone ? change.Object : null), gone ? null : change.Object, null, null);
    }

    private void Replace(StoreKey key, PodFacts? old, PodFacts? now)
    {
        if (old is not null)
        {
            Leave(byNode, old.NodeName, old);
            Leave(byNamespace, key.Namespace, old);
            if (byOwner.TryGetValue(old.OwnerUid, out var owned))
            {
                owned.Remove(old);
                if (owned.Pods.Count == 0 && now?.OwnerUid != old.OwnerUid)
                    byOwner.Remove(old.OwnerUid);
            }
        }
        if (now is null)
        {
            pods.Remove(key);
            return;
        }
        pods[key] = now;
        Enter(byNode, now.NodeName, now);
        Enter(byNamespace, key.Namespace, now);
        if (now.OwnerUid.Length > 0)
        {
            if (!byOwner.TryGetValue(now.OwnerUid, out var owned))
                byOwner[now.OwnerUid] = owned = new OwnedPods();
            owned.Add(now);
        }
    }

    private static void Enter<T>(Dictionary<string, HashSet<T>> index, string key, T item)
    {
        if (!index.TryGetValue(key, out var found))
            index[key] = found = [];
        found.Add(item);
    }

    private static void Leave<T>(Dictionary<string, HashSet<T>> index, string key, T item)
    {
        if (index.TryGetValue(key, out var found) && found.Remove(item) && found.Count == 0)
            index.Remove(key);
    }
}
