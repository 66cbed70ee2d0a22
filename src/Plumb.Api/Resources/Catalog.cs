using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

/// <summary>All resources that the server knows.</summary>
public sealed class Catalog
{
    private readonly Dictionary<GroupResource, ResourceDefinition> _byResource = [];
    private readonly List<ResourceDefinition> _all = [];

    internal Catalog(IEnumerable<ResourceDefinition> definitions)
    {
        foreach (var definition in definitions)
        {
            _byResource.Add(definition.Resource, definition);
            _all.Add(definition);
        }
    }

    public IReadOnlyList<ResourceDefinition> All => _all;

    public ResourceDefinition Find(GroupResource resource) =>
        TryFind(resource) ?? throw new ArgumentException($"the catalog has no resource {resource}", nameof(resource));

    public ResourceDefinition? TryFind(GroupResource resource) => _byResource.GetValueOrDefault(resource);
}
