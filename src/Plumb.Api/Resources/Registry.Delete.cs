using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Resources;

public sealed partial class Registry
{
    private const string ForegroundFinalizer = "foregroundDeletion";
    private const string OrphanFinalizer = "orphan";

    /// <summary>What a Go duration holds in whole seconds: 292 years.</summary>
    private const long MostGraceSeconds = long.MaxValue / 1_000_000_000;

    /// <summary>Asks for an object's deletion. It goes at once, or stays, marked, for its grace and its finalizers.</summary>
    /// <returns>The object as it now is, or was last when it has gone.</returns>
    public Deletion Delete(StoreKey key, DeleteOptions? options = null) =>
        Delete(Catalog.Find(key.Resource), key, options ?? DeleteOptions.Default);

    internal Deletion Delete(ResourceDefinition definition, StoreKey key, DeleteOptions options)
    {
        for (var attempt = 1; ; attempt++)
        {
            var present = Store.Get(key);
            RequirePreconditions(definition, present, options);
            if (!options.IsAsked && Policies.IsAny)
                Policies.Require(new PolicyRequest(definition, "DELETE", "", present.Namespace, present.Name, null, present.ToNode(), new WriteOptions { DryRun = options.DryRun, User = options.User }));
            try
            {
                return Delete(definition, present, options);
            }
            catch (ApiException lost) when (lost.IsConflict && attempt < MostAttempts)
            {
                // Another writer came between: look again.
            }
        }
    }

    private Deletion Delete(ResourceDefinition definition, StoredObject present, DeleteOptions options)
    {
        var strategy = definition.Strategy;
        var root = present.ToNode();
        var metadata = Fields.Object(root, "metadata");
        var finalizersChanged = SetPropagationFinalizer(metadata, options.Propagation);
        var held = metadata["finalizers"] is JsonArray { Count: > 0 } || strategy.HoldsDeletion(root);
        var grace = Math.Min(strategy.Grace(root, present, options), MostGraceSeconds);
        if (present.IsDeleting)
        {
            // A second request can only make the time shorter.
            var left = present.DeletionGracePeriodSeconds ?? 0;
            if (grace >= left && !(grace == 0 && !held))
            {
                return !finalizersChanged ? new Deletion(present, Gone: false) : new Deletion(options.DryRun ? present : Store.Replace(present, root), Gone: false);
            }
        }

        if (grace == 0 && !held)
        {
            if (options.DryRun)
                return new Deletion(present, Gone: true);
            var last = present;
            if (strategy.IsGraceful)
            {
                // Watchers are told first that its time is up, then that it is gone.
                Mark(definition, present, metadata, grace);
                last = Store.Replace(present, root);
            }

            last = Store.Remove(last, root);
            strategy.Deleted(root);
            return new Deletion(last, Gone: true);
        }

        Mark(definition, present, metadata, grace);
        strategy.PrepareDeletion(root);
        if (options.DryRun)
            return new Deletion(StoredObject.Unstored(present.Key, root), Gone: false);
        var marked = Store.Replace(present, root);
        strategy.DeletionBegun(root);
        return new Deletion(marked, Gone: false);
    }

    private void Mark(ResourceDefinition definition, StoredObject present, JsonObject metadata, long grace)
    {
        var requested = present.DeletionTimestamp?.AddSeconds(-(present.DeletionGracePeriodSeconds ?? 0)) ?? Time.GetUtcNow();
        metadata["deletionTimestamp"] = Rfc3339.Format(requested.AddSeconds(grace));
        metadata["deletionGracePeriodSeconds"] = grace;
        if (definition.HasGeneration && !present.IsDeleting)
            metadata["generation"] = present.Generation + 1;
    }

    private static bool SetPropagationFinalizer(JsonObject metadata, Propagation? propagation)
    {
        var wanted = propagation switch
        {
            Propagation.Foreground => ForegroundFinalizer,
            Propagation.Orphan => OrphanFinalizer,
            _ => null,
        };
        if (propagation is null)
            return false;
        var finalizers = metadata["finalizers"] as JsonArray;
        var kept = new JsonArray();
        var has = false;
        foreach (var finalizer in finalizers ?? [])
        {
            var name = finalizer!.GetValue<string>();
            has |= name == wanted;
            if (name == wanted || name is not (ForegroundFinalizer or OrphanFinalizer))
                kept.Add(name);
        }

        if (wanted is not null && !has)
            kept.Add(wanted);
        if (kept.Count == (finalizers?.Count ?? 0) && (wanted is null || has))
            return false;
        if (kept.Count > 0)
            metadata["finalizers"] = kept;
        else
            metadata.Remove("finalizers");
        return true;
    }

    private static ApiException Mismatch(ResourceDefinition definition, StoredObject present, string why) =>
        ApiException.Conflict(present.Key with { Resource = new GroupResource("", definition.Kind) }, why);

    private static void RequirePreconditions(ResourceDefinition definition, StoredObject present, DeleteOptions options)
    {
        if (options.Uid is { } uid && uid != present.Uid)
        {
            throw Mismatch(definition, present,
                $"the UID in the precondition ({uid}) does not match the UID in record ({present.Uid}). The object might have been deleted and then recreated");
        }

        if (options.ResourceVersion is { } version && version != present.ResourceVersion)
        {
            throw Mismatch(definition, present,
                $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({present.ResourceVersion}). The object might have been modified");
        }
    }
}

/// <param name="Object">The state after the request.</param>
/// <param name="Gone">Whether it has left the store.</param>
public readonly record struct Deletion(StoredObject Object, bool Gone);
