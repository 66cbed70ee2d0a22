using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

/// <summary>Gives each namespace its service account and the cluster's certificate; empties a namespace that is to go, then lets it go.</summary>
internal sealed class NamespaceController(ControllerContext context) : KeyedController<string>(context)
{
    private const string Certificates = "kube-root-ca.crt";

    private static readonly StoreKey CertificateSource = new(GroupResource.ConfigMaps, "kube-system", Certificates);

    /// <summary>As the server wrote it when it began; what anybody writes there afterwards is put right as it is everywhere.</summary>
    private JsonNode? authority;

    /// <summary>What is still in the namespaces that are to go.</summary>
    private readonly Dictionary<string, HashSet<StoreKey>> leftovers = [];

    public override void Observe(in ObservedChange change)
    {
        var key = change.Latest.Key;
        if (key.Resource == GroupResource.Namespaces)
        {
            if (change.New is null)
                leftovers.Remove(key.Name);
            else
                Queue.Add(key.Name);
        }
        else if (change.New is { } certificate && key.Name == Certificates && key.Resource == GroupResource.ConfigMaps)
        {
            if (authority is null && key == CertificateSource)
            {
                authority = certificate.ToNode()["data"]?.DeepClone();
                foreach (var @namespace in Context.Store.List(GroupResource.Namespaces))
                    Queue.Add(@namespace.Name);
            }
            Queue.Add(key.Namespace);
        }
        else if (change.New is null)
        {
            if (leftovers.TryGetValue(key.Namespace, out var left))
            {
                left.Remove(key);
                if (left.Count == 0)
                    Queue.Add(key.Namespace);
            }
            else if (key.Name == "default" && key.Resource == GroupResource.ServiceAccounts || key.Name == Certificates && key.Resource == GroupResource.ConfigMaps)
            {
                Queue.Add(key.Namespace);
            }
        }
    }

    protected override void Reconcile(string key)
    {
        if (!View.TryFind(new StoreKey(GroupResource.Namespaces, "", key), out var stored))
            return;
        if (stored.IsDeleting)
        {
            Empty(stored);
            return;
        }
        Ensure(new StoreKey(GroupResource.ServiceAccounts, key, "default"), static () => new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        if (authority is { } data)
        {
            Ensure(new StoreKey(GroupResource.ConfigMaps, key, Certificates), () => new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = Certificates,
                    ["annotations"] = new JsonObject
                    {
                        ["kubernetes.io/description"] = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or "
                            + "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
                    },
                },
                ["data"] = data.DeepClone(),
            }, root =>
            {
                // Whoever trusts it must not be told by others whom to trust.
                if (JsonNode.DeepEquals(root["data"], data))
                    return false;
                root["data"] = data.DeepClone();
                return true;
            });
        }
    }

    /// <param name="mend">Of what is there already; says whether it changed anything.</param>
    private void Ensure(StoreKey key, Func<JsonObject> make, Func<JsonObject, bool>? mend = null)
    {
        try
        {
            if (Context.Store.Find(key) is { } present)
            {
                if (mend is not null && mend(present.ToNode()))
                    Registry.Update(key, mend);
                return;
            }
            Registry.Create(key.Resource, key.Namespace, make());
        }
        catch (ApiException other) when (other.IsAlreadyExists || other.IsNotFound)
        {
            // Somebody else was faster.
        }
    }

    private void Empty(StoredObject stored)
    {
        var left = new HashSet<StoreKey>();
        foreach (var item in Context.Store.InNamespace(stored.Name))
        {
            try
            {
                if (item.IsDeleting || !Registry.Delete(item.Key, new DeleteOptions { Uid = item.Uid, Propagation = Propagation.Background }).Gone)
                    left.Add(item.Key);
            }
            catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
            {
                // Gone already.
            }
        }
        // The changes of what went just now are still to come: they find an entry here, and its end starts the next pass.
        leftovers[stored.Name] = left;
        if (left.Count > 0)
            return;
        try
        {
            Registry.Update(stored.Key, root =>
            {
                Fields.Object(root, "spec").Remove("finalizers");
                return true;
            }, Part.Finalize);
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            leftovers.Remove(stored.Name);
        }
    }
}
