using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

/// <summary>Lets a PersistentVolumeClaim that is to go, go when the last pod on a node that names it is gone.</summary>
internal sealed class ClaimProtection(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private readonly HashSet<StoreKey> waiting = [];

    public override void Observe(in ObservedChange change)
    {
        var key = change.Latest.Key;
        if (key.Resource == ClaimStrategy.Resource)
        {
            if (change.New is not { IsDeleting: true } claim || !claim.Finalizers.Contains(ClaimStrategy.Protection))
                waiting.Remove(key);
            else if (waiting.Add(key))
                Queue.Add(key);
        }
        else if (waiting.Count > 0 && key.Resource == GroupResource.Pods && change.New is null)
        {
            foreach (var claim in waiting)
            {
                if (claim.Namespace == key.Namespace)
                    Queue.Add(claim);
            }
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!waiting.Contains(key) || View.PodsIn(key.Namespace).Any(pod => pod.NodeName.Length > 0 && Uses(pod.Stored, key.Name)))
            return;
        try
        {
            Registry.Update(key, static root =>
            {
                var metadata = Fields.Object(root, "metadata");
                var finalizers = Fields.Array(metadata, "finalizers");
                if (metadata["deletionTimestamp"] is null || finalizers?.RemoveAll(static finalizer => finalizer?.ToString() == ClaimStrategy.Protection) is not > 0)
                    return false;
                if (finalizers.Count == 0)
                    metadata.Remove("finalizers");
                return true;
            });
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Somebody took the finalizer away by hand.
        }
    }

    private static bool Uses(StoredObject pod, string claim) =>
        Fields.Objects(Fields.Find(pod.ToNode(), "spec"), "volumes").Any(volume => Fields.Text(Fields.Find(volume, "persistentVolumeClaim"), "claimName") == claim);
}
