using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Services;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers.Services;

/// <summary>
/// Keeps IPAddresses true to the Services that hold the addresses, whoever deletes or makes what; and a ServiceCIDR alive as long as addresses of it are held that
/// no other one contains (KEP-1880).
/// </summary>
internal sealed class ServiceAddressController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Finalizer = "networking.k8s.io/service-cidr-finalizer";

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.ServiceCidrs)
        {
            foreach (var range in Context.Store.List(GroupResource.ServiceCidrs))
                Queue.Add(range.Key);
        }
        else if (change.Resource == GroupResource.IPAddresses)
        {
            // What is as the allocator made it costs one look at its Service.
            if (change.New is { } made && Holder(made) is null && ServiceAllocator.IsOurs(made))
                Queue.Add(made.Key);
            if (change.New is not null)
                return;
            if (Holder(change.Latest) is { } service)
                Queue.Add(service.Key);
            foreach (var range in Context.Store.List(GroupResource.ServiceCidrs))
            {
                if (range.IsDeleting)
                    Queue.Add(range.Key);
            }
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (Context.Store.Find(key) is not { } stored)
            return;
        if (key.Resource == GroupResource.Services)
            Registry.Allocator.Record(stored.Namespace, stored.Name, Fields.Find(stored.ToNode(), "spec"));
        else if (key.Resource == GroupResource.IPAddresses && Holder(stored) is null)
            Registry.Allocator.Forget([IPAddress.Parse(stored.Name)]);
        else if (key.Resource == GroupResource.ServiceCidrs)
            ReconcileRange(stored);
    }

    /// <summary>The Service that an IPAddress names, if it holds that address.</summary>
    private StoredObject? Holder(StoredObject address)
    {
        var parent = new StoreKey(GroupResource.Services, address.Field("spec.parentRef.namespace"), address.Field("spec.parentRef.name"));
        if (address.Field("spec.parentRef.resource") != "services" || Context.Store.Find(parent) is not { } service)
            return null;
        return service.Field("spec.clusterIP") == address.Name || MetadataValidation.Texts(Fields.Find(service.ToNode(), "spec"), "clusterIPs").Contains(address.Name) ? service : null;
    }

    private void ReconcileRange(StoredObject stored)
    {
        if (stored.IsDeleting && !IsNeeded(stored))
        {
            Registry.Update(stored.Key, root => SetFinalizer(root, wanted: false));
            return;
        }

        if (!stored.IsDeleting)
            Registry.Update(stored.Key, root => SetFinalizer(root, wanted: true));
        Registry.Update(stored.Key, root => SetReady(root, !stored.IsDeleting), Part.Status);
    }

    private bool IsNeeded(StoredObject range)
    {
        var own = ServiceCidrStrategy.RangesOf(range.ToNode());
        var others = Context.Store.List(GroupResource.ServiceCidrs).Where(other => other.Name != range.Name && !other.IsDeleting)
            .SelectMany(other => ServiceCidrStrategy.RangesOf(other.ToNode())).ToList();
        foreach (var held in Context.Store.List(GroupResource.IPAddresses))
        {
            var address = IPAddress.Parse(held.Name);
            if (own.Any(network => network.Contains(address)) && !others.Exists(network => network.Contains(address)))
                return true;
        }

        return false;
    }

    private static bool SetFinalizer(JsonObject root, bool wanted)
    {
        var metadata = Fields.Object(root, "metadata");
        var present = MetadataValidation.Texts(metadata, "finalizers");
        if (present.Contains(Finalizer) == wanted)
            return false;
        if (!present.Remove(Finalizer))
            present.Add(Finalizer);
        metadata["finalizers"] = new JsonArray([.. present.Select(static finalizer => (JsonNode)finalizer)]);
        return true;
    }

    private bool SetReady(JsonObject root, bool ready)
    {
        var status = Fields.Object(root, "status");
        var wanted = ready ? "True" : "False";
        foreach (var condition in Fields.Objects(status, "conditions"))
        {
            if (Fields.Text(condition, "type") == "Ready" && Fields.Text(condition, "status") == wanted)
                return false;
        }

        status["conditions"] = new JsonArray(new JsonObject
        {
            ["type"] = "Ready",
            ["status"] = wanted,
            ["lastTransitionTime"] = Plumb.Kubernetes.Json.Rfc3339.Format(Context.Time.GetUtcNow()),
            ["reason"] = ready ? "" : "Terminating",
            ["message"] = ready ? "Services may have addresses of this range" : "Services still hold addresses that no other ServiceCIDR contains",
        });
        return true;
    }
}
