using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

/// <summary>
/// Deletes what nobody owns any more. In the background: the owner is gone, then its dependents go. In the foreground: the owner waits for those that block it.
/// Orphaning: the dependents are let go, then the owner goes.
/// </summary>
internal sealed class GarbageCollector(ControllerContext context) : KeyedController<GarbageCollector.Errand>(context)
{
    private const string Foreground = "foregroundDeletion";
    private const string Orphan = "orphan";

    // A circle that is longer stays until somebody breaks it.
    private const int MostOwners = 1000;

    private Dictionary<(string Group, string Kind), GroupResource> resources = Kinds(context.Registry);
    private int revision = context.Registry.Catalog.Revision;

    /// <summary>What is to be done: about the dependents of one that has gone, about an owner that waits, or about one whose owners may not exist.</summary>
    internal readonly record struct Errand(ErrandKind Kind, StoreKey Key, string Uid);

    internal enum ErrandKind { OwnerGone, OwnerWaits, OwnersInDoubt }

    public override void Observe(in ObservedChange change)
    {
        if (change.New is not { } stored)
        {
            Queue.Add(new(ErrandKind.OwnerGone, change.Latest.Key, change.Latest.Uid));
            foreach (var owner in change.Latest.Owners)
            {
                if (Find(owner, change.Latest.Namespace) is { IsDeleting: true } waiting)
                    Queue.Add(new(ErrandKind.OwnerWaits, waiting.Key, waiting.Uid));
            }
            return;
        }
        if (stored.IsDeleting && Holds(stored))
            Queue.Add(new(ErrandKind.OwnerWaits, stored.Key, stored.Uid));
        if (change.Old is null && stored.Owners.Count > 0 && !stored.IsDeleting)
        {
            bool any = false;
            foreach (var owner in stored.Owners)
                any |= Find(owner, stored.Namespace) is not null || ResourceOf(owner) is null;
            if (!any)
                Queue.Add(new(ErrandKind.OwnersInDoubt, stored.Key, stored.Uid));
        }
    }

    protected override void Reconcile(Errand key)
    {
        switch (key.Kind)
        {
            case ErrandKind.OwnerGone:
                foreach (var dependent in Context.Store.Dependents(key.Uid))
                    Release(dependent, key.Uid);
                break;
            case ErrandKind.OwnersInDoubt:
                if (Context.Store.Find(key.Key) is { IsDeleting: false } orphan && orphan.Uid == key.Uid)
                    Delete(orphan, Propagation.Background);
                break;
            case ErrandKind.OwnerWaits:
                if (Context.Store.Find(key.Key) is { IsDeleting: true } owner && owner.Uid == key.Uid)
                    LetGo(owner);
                break;
        }
    }

    /// <summary>An owner is gone: so is the dependent, unless another one still stands.</summary>
    private void Release(StoredObject dependent, string goneUid)
    {
        if (dependent.IsDeleting)
            return;
        foreach (var other in dependent.Owners)
        {
            if (other.Uid != goneUid && Find(other, dependent.Namespace) is not null)
            {
                Disown(dependent, goneUid);
                return;
            }
        }
        Delete(dependent, Propagation.Background);
    }

    private void LetGo(StoredObject owner)
    {
        var dependents = Context.Store.Dependents(owner.Uid);
        if (Has(owner, Orphan))
        {
            foreach (var dependent in dependents)
                Disown(dependent, owner.Uid);
            RemoveFinalizer(owner, Orphan);
            return;
        }
        if (!Has(owner, Foreground))
            return;
        bool blocked = false;
        foreach (var dependent in dependents)
        {
            if (!dependent.IsDeleting && HasOther(dependent, owner.Uid))
            {
                Disown(dependent, owner.Uid);
                continue;
            }
            if (!dependent.IsDeleting)
                Delete(dependent, Context.Store.Dependents(dependent.Uid).Count > 0 ? Propagation.Foreground : Propagation.Background);
            foreach (var reference in dependent.Owners)
                blocked |= reference.Uid == owner.Uid && reference.BlocksDeletion && Context.Store.Find(dependent.Key) is { } still && !(Has(still, Foreground) && DependsOn(owner, still.Uid));
        }
        if (!blocked)
            RemoveFinalizer(owner, Foreground);
    }

    /// <summary>Whether another owner stands, and does not wait for its own dependents to go.</summary>
    private bool HasOther(StoredObject dependent, string uid)
    {
        foreach (var other in dependent.Owners)
        {
            if (other.Uid != uid && Find(other, dependent.Namespace) is { } found && !Has(found, Foreground))
                return true;
        }
        return false;
    }

    /// <summary>Whether its owners, and theirs, lead to <paramref name="uid"/>: who waits for what waits for him waits for ever.</summary>
    private bool DependsOn(StoredObject stored, string uid)
    {
        var seen = new HashSet<string>();
        var next = new Stack<StoredObject>([stored]);
        while (seen.Count < MostOwners && next.TryPop(out var dependent))
        {
            foreach (var owner in dependent.Owners)
            {
                if (owner.Uid == uid)
                    return true;
                if (seen.Add(owner.Uid) && Find(owner, dependent.Namespace) is { } found)
                    next.Push(found);
            }
        }
        return false;
    }

    private void Delete(StoredObject stored, Propagation propagation)
    {
        try
        {
            Registry.Delete(stored.Key, new DeleteOptions { Uid = stored.Uid, Propagation = propagation });
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // That is what was wanted.
        }
    }

    private void Disown(StoredObject dependent, string ownerUid)
    {
        try
        {
            Registry.Update(dependent.Key, root => Disown(Fields.Object(root, "metadata"), ownerUid));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Nothing to let go of.
        }
    }

    /// <returns>Whether it named the owner.</returns>
    internal static bool Disown(JsonObject metadata, string ownerUid)
    {
        if (metadata["ownerReferences"] is not JsonArray owners)
            return false;
        int count = owners.Count;
        for (int i = owners.Count - 1; i >= 0; i--)
        {
            if (Fields.Text(owners[i] as JsonObject, "uid") == ownerUid)
                owners.RemoveAt(i);
        }
        bool any = owners.Count < count;
        if (owners.Count == 0)
            metadata.Remove("ownerReferences");
        return any;
    }

    private void RemoveFinalizer(StoredObject owner, string finalizer)
    {
        try
        {
            Registry.Update(owner.Key, root =>
            {
                var metadata = Fields.Object(root, "metadata");
                if (metadata["finalizers"] is not JsonArray finalizers)
                    return false;
                for (int i = finalizers.Count - 1; i >= 0; i--)
                {
                    if ((string?)finalizers[i] == finalizer)
                        finalizers.RemoveAt(i);
                }
                if (finalizers.Count == 0)
                    metadata.Remove("finalizers");
                return true;
            });
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // It went by another way.
        }
    }

    private StoredObject? Find(Owner owner, string @namespace)
    {
        if (ResourceOf(owner) is not { } resource)
            return null;
        string inside = Registry.Catalog.Find(resource).Namespaced ? @namespace : "";
        return Context.Store.Find(new StoreKey(resource, inside, owner.Name)) is { } found && found.Uid == owner.Uid ? found : null;
    }

    /// <returns>Null: no kind that is known.</returns>
    private GroupResource? ResourceOf(Owner owner)
    {
        if (revision != Registry.Catalog.Revision)
        {
            revision = Registry.Catalog.Revision;
            resources = Kinds(Registry);
        }
        return resources.TryGetValue(KindOf(owner), out var resource) ? resource : null;
    }

    private static bool Holds(StoredObject stored) => Has(stored, Foreground) || Has(stored, Orphan);

    private static bool Has(StoredObject stored, string finalizer)
    {
        foreach (string name in stored.Finalizers)
        {
            if (name == finalizer)
                return true;
        }
        return false;
    }

    private static (string Group, string Kind) KindOf(Owner owner)
    {
        int slash = owner.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 ? "" : owner.ApiVersion[..slash], owner.Kind);
    }

    private static Dictionary<(string, string), GroupResource> Kinds(Registry registry)
    {
        var kinds = new Dictionary<(string, string), GroupResource>();
        foreach (var definition in registry.Catalog.All)
            kinds.TryAdd((definition.Resource.Group, definition.Kind), definition.StoredIn);
        return kinds;
    }
}
