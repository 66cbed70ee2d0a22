using Plumb.Api.Resources.Strategies;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

public sealed partial class Registry
{
    /// <summary>Whether a copy could take the place of <see cref="Store"/>.</summary>
    /// <exception cref="StoreCopyException">It is another cluster's, or has what this server cannot serve.</exception>
    internal void Check(StoreCopy copy)
    {
        var own = Store.Find(new StoreKey(GroupResource.Namespaces, "", "kube-system"))?.Uid ?? "";
        if (copy.Cluster != own)
            throw new StoreCopyException($"the copy is of another cluster (its kube-system has the uid {copy.Cluster}, here it is {own}): nodes and certificates would not fit; restore it in the lab that it was saved from");
        foreach (var (resource, objects) in copy.Collections)
        {
            // What others are defined by definitions that are in the copy, too.
            if (Catalog.TryFind(resource) is not { Custom: null } definition)
                continue;
            foreach (var stored in objects)
            {
                if (stored.Field("kind") != definition.Kind || stored.Field("apiVersion") != definition.ApiVersion || definition.Namespaced == (stored.Namespace.Length == 0))
                    throw new StoreCopyException($"{stored.Key} in the copy is no {definition.Kind} of {definition.ApiVersion}{(definition.Namespaced ? " in a namespace" : "")}");
            }
        }
    }

    /// <summary>Puts a copy that is checked in the place of all that is stored, and forgets what was known of that. Nobody may write meanwhile.</summary>
    internal void Load(StoreCopy copy)
    {
        Store.Load(copy);
        _custom.Restore();
        Policies.Renew();
        Allocator.Restore();
    }
}
