using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Http;

/// <summary>What a path under /api/v1 or /apis/GROUP/VERSION is about.</summary>
/// <param name="Name">Empty for the collection.</param>
/// <param name="Subresource">Empty for the object itself.</param>
internal sealed record Target(ResourceDefinition Definition, string Namespace, string Name, string Subresource)
{
    public bool IsCollection => Name.Length == 0;

    /// <summary>What a write is about.</summary>
    public Part Part => Parts.Find(Subresource) ?? Part.Main;

    /// <summary>Where reads of a collection look: null for all namespaces.</summary>
    public string? Scope => Definition.Namespaced && Namespace.Length > 0 ? Namespace : null;

    public StoreKey Key => new(Definition.StoredIn, Namespace, Name);
}

/// <summary>Finds the <see cref="Target"/> of a path.</summary>
internal sealed class Router
{
    private readonly Dictionary<(string Group, string Version), Dictionary<string, ResourceDefinition>> _versions = [];
    private readonly HashSet<string> _groups = [];

    public Router(Catalog catalog)
    {
        Revision = catalog.Revision;
        foreach (var definition in catalog.All)
        {
            var version = (definition.Resource.Group, definition.Version);
            if (!_versions.TryGetValue(version, out var resources))
                _versions[version] = resources = [];
            resources[definition.Resource.Resource] = definition;
            _groups.Add(definition.Resource.Group);
        }
    }

    /// <summary>Of the catalog that it was made of.</summary>
    public int Revision { get; }

    public bool HasGroup(string group) => _groups.Contains(group);

    public bool HasVersion(string group, string version) => _versions.ContainsKey((group, version));

    /// <param name="steps">The steps of the path, unescaped, after the group and version.</param>
    /// <returns>Null: the server has no such resource.</returns>
    public Target? Find(string group, string version, ReadOnlySpan<string> steps)
    {
        if (steps.Length == 0 || !_versions.TryGetValue((group, version), out var resources))
            return null;

        // `namespaces/NS/pods…` is in a namespace; `namespaces`, `namespaces/NAME` and `namespaces/NAME/status` are about one.
        var @namespace = "";
        if (steps[0] == "namespaces" && steps.Length > 2 && !(group.Length == 0 && steps.Length == 3 && steps[2] is "status" or "finalize"))
        {
            @namespace = steps[1];
            steps = steps[2..];
        }

        if ((steps.Length > 3 && steps[2] != "proxy") || !resources.TryGetValue(steps[0], out var definition))
            return null;
        var name = steps.Length > 1 ? steps[1] : "";
        if (definition.Namespaced ? @namespace.Length == 0 && name.Length > 0 : @namespace.Length > 0)
            return null;
        var subresource = steps.Length > 2 ? steps[2] : "";
        return subresource.Length == 0 || Has(definition, subresource) ? new Target(definition, @namespace, name, subresource) : null;
    }

    private static bool Has(ResourceDefinition definition, string name)
    {
        foreach (var subresource in definition.Subresources)
        {
            if (subresource.Name == name)
                return true;
        }

        return false;
    }
}
