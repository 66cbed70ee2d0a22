using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Lab.Manifests;

/// <summary>Creates the user's objects through the API as <c>kubectl apply</c> would: a later one by hand finds its annotation.</summary>
internal static class ManifestCreation
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <param name="objects">In order, each with the path of its collection.</param>
    /// <param name="created">Told how many there are so far.</param>
    /// <exception cref="LabException">The API refuses one; the line names its place and what the API says.</exception>
    public static async Task CreateAsync(
        KubernetesClient api, IReadOnlyList<(Manifest Manifest, string Path)> objects, Action<int> created, CancellationToken cancel)
    {
        var count = 0;
        foreach (var (manifest, path) in objects)
        {
            await CreateAsync(api, manifest, path, cancel);
            created(++count);
        }
    }

    private static async Task CreateAsync(KubernetesClient api, Manifest manifest, string path, CancellationToken cancel)
    {
        using var body = new StringContent(Annotated(manifest.Object), Encoding.UTF8, "application/json");
        try
        {
            await api.SendAsync(HttpMethod.Post, $"{path}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict", body, cancel);
        }
        catch (ApiException refused) when (refused.IsAlreadyExists && manifest.Kind.Kind == "Namespace")
        {
            // `default` and its like are there from the first moment.
        }
        catch (ApiException refused)
        {
            throw new LabException(manifest.Fault(refused.Message.ReplaceLineEndings(" ")).Message, refused);
        }
    }

    private static string Annotated(JsonObject written)
    {
        var text = written.ToJsonString();
        var copy = (JsonObject)written.DeepClone();
        if (copy["metadata"] is not JsonObject metadata)
        {
            copy["metadata"] = metadata = [];
        }
        if (metadata["annotations"] is not JsonObject annotations)
        {
            metadata["annotations"] = annotations = [];
        }
        annotations[LastApplied] = text + "\n";
        return copy.ToJsonString();
    }
}
