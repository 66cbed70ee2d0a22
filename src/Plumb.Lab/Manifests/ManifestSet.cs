using Plumb.Api.Resources;
using Plumb.Diagnosis.Snapshots;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Lab.Manifests;

/// <summary>The objects that the user wants in the cluster from the start.</summary>
internal sealed class ManifestSet
{
    private readonly IReadOnlyList<Manifest> _manifests;

    private ManifestSet(IReadOnlyList<Manifest> manifests) => _manifests = manifests;

    /// <exception cref="LabException">A file is not there or broken; the line names place and fault.</exception>
    /// <param name="snapshot">Whose objects come first; null: none.</param>
    public static ManifestSet Read(IReadOnlyList<string> paths, string? snapshot)
    {
        var all = new List<Manifest>();
        if (snapshot is not null)
        {
            all.AddRange(SnapshotManifests.Of(ReadSnapshot(snapshot), snapshot));
        }
        try
        {
            foreach (var path in paths)
            {
                if (path == "-")
                {
                    using var input = Console.OpenStandardInput();
                    all.AddRange(ManifestReader.Read(path, input));
                }
                else
                {
                    all.AddRange(ManifestReader.Read(path));
                }
            }
        }
        catch (ManifestException fault)
        {
            throw new LabException(fault.Message, fault);
        }
        return new ManifestSet(all);
    }

    private static IReadOnlyList<System.Text.Json.Nodes.JsonObject> ReadSnapshot(string path)
    {
        try
        {
            return SnapshotReader.Read(path).Objects;
        }
        catch (SnapshotException fault)
        {
            throw new LabException(fault.Message, fault);
        }
    }

    /// <summary>How many pods these objects make.</summary>
    public int ExpectedPods(int nodes)
    {
        var pods = 0;
        foreach (var manifest in _manifests)
        {
            pods += manifest.Kind.Kind switch
            {
                "Pod" => 1,
                "Deployment" or "ReplicaSet" or "ReplicationController" or "StatefulSet" => Replicas(manifest),
                "DaemonSet" => nodes,
                _ => 0,
            };
        }
        return pods;
    }

    /// <summary>The objects with where each is created, namespaces first: what lives in them may stand before them in a file.</summary>
    /// <exception cref="LabException">A kind that the API does not have.</exception>
    public IReadOnlyList<(Manifest Manifest, string Path)> Order(Catalog catalog)
    {
        var first = new List<(Manifest, string)>();
        var rest = new List<(Manifest, string)>();
        foreach (var manifest in _manifests)
        {
            var definition = Find(catalog, manifest);
            var resource = new Kubernetes.Objects.GroupVersionResource(manifest.Kind.Group, manifest.Kind.Version, definition.Resource.Resource);
            var path = resource.Path(definition.Namespaced ? manifest.Namespace ?? "default" : null);
            (definition.Kind == "Namespace" ? first : rest).Add((manifest, path));
        }
        return [.. first, .. rest];
    }

    private static ResourceDefinition Find(Catalog catalog, Manifest manifest)
    {
        foreach (var definition in catalog.All)
        {
            if (definition.Kind == manifest.Kind.Kind && definition.Resource.Group == manifest.Kind.Group && definition.Version == manifest.Kind.Version)
            {
                return definition;
            }
        }
        throw new LabException(manifest.Fault($"no matches for kind \"{manifest.Kind.Kind}\" in version \"{manifest.Kind.ApiVersion}\"").Message);
    }

    private static int Replicas(Manifest manifest) =>
        manifest.Object["spec"] is System.Text.Json.Nodes.JsonObject spec
        && spec["replicas"] is System.Text.Json.Nodes.JsonValue value
        && int.TryParse(value.ToJsonString(), out var replicas) ? replicas : 1;
}
