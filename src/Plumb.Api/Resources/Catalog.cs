using System.Collections.Concurrent;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

/// <summary>All resources that the server knows.</summary>
public sealed class Catalog
{
    private readonly ConcurrentDictionary<GroupResource, ResourceDefinition> _byResource = [];
    private readonly Lock _gate = new();
    private volatile ResourceDefinition[] _all;
    private volatile int _revision;

    internal Catalog(IEnumerable<ResourceDefinition> definitions)
    {
        _all = [.. definitions];
        foreach (var definition in _all)
            _byResource[definition.Resource] = definition;
    }

    /// <summary>Every version of every resource that is served.</summary>
    public IReadOnlyList<ResourceDefinition> All => _all;

    /// <summary>Changes with <see cref="All"/>: what was made of it is then made anew.</summary>
    internal int Revision => _revision;

    /// <param name="stored">The version in which objects are kept.</param>
    internal void Put(GroupResource resource, ResourceDefinition stored, ResourceDefinition[] served)
    {
        lock (_gate)
        {
            _byResource[resource] = stored;
            _all = [.. _all.Where(definition => definition.Resource != resource), .. served];
            _revision++;
        }
    }

    internal void Remove(GroupResource resource)
    {
        lock (_gate)
        {
            _byResource.TryRemove(resource, out _);
            _all = [.. _all.Where(definition => definition.Resource != resource)];
            _revision++;
        }
    }

    /// <summary>Whether a definition has been replaced.</summary>
    /// <param name="revision">The one at which it was served: nothing is to be looked up while that is the present one.</param>
    internal bool Serves(ResourceDefinition definition, ref int revision)
    {
        var now = _revision;
        if (now == revision)
            return true;
        revision = now;
        return Array.IndexOf(_all, definition) >= 0;
    }

    public ResourceDefinition Find(GroupResource resource) =>
        TryFind(resource) ?? throw new ArgumentException($"the catalog has no resource {resource}", nameof(resource));

    public ResourceDefinition? TryFind(GroupResource resource) => _byResource.GetValueOrDefault(resource);
}
