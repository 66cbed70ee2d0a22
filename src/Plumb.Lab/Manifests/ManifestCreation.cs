using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Lab.Manifests;

/// <summary>
/// Creates the user's objects through the API as <c>kubectl apply</c> would: a later one by hand finds its annotation. One after the other, but
/// for objects whose order nobody can tell: of those that stand together, several are on their way at once.
/// </summary>
internal static class ManifestCreation
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private const int MostAtOnce = 16;

    /// <param name="objects">In order, each with the path of its collection.</param>
    /// <param name="created">Told how many there are so far; by one at a time.</param>
    /// <exception cref="LabException">The API refuses one; the line names its place and what the API says. Nothing behind it is created, but for what was on its way.</exception>
    public static async Task CreateAsync(
        KubernetesClient api, IReadOnlyList<(Manifest Manifest, string Path)> objects, Action<int> created, CancellationToken cancel)
    {
        var (count, gate) = (0, new Lock());
        var underWay = new Queue<Task>(MostAtOnce);
        try
        {
            foreach (var (manifest, path) in objects)
            {
                var goesAlone = !IsInNoOrder(manifest);
                while (underWay.Count > 0 && (goesAlone || underWay.Count == MostAtOnce))
                {
                    await underWay.Dequeue();
                }
                var creating = CreateAndTellAsync(manifest, path);
                if (goesAlone)
                {
                    await creating;
                }
                else
                {
                    underWay.Enqueue(creating);
                }
            }
            while (underWay.TryDequeue(out var creating))
            {
                await creating;
            }
        }
        finally
        {
            // The first that was refused has been told; what was on its way behind it ends, too.
            await Task.WhenAll(underWay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task CreateAndTellAsync(Manifest manifest, string path)
        {
            await CreateAsync(api, manifest, path, cancel);
            lock (gate)
            {
                created(++count);
            }
        }
    }

    /// <summary>
    /// Whether nothing depends on what stands before or behind it. A pod's place depends on the pods before it; of two Services that ask
    /// for one address the second is refused.
    /// </summary>
    private static bool IsInNoOrder(Manifest manifest) => manifest.Kind.Kind switch
    {
        "ConfigMap" or "Secret" or "Endpoints" or "EndpointSlice" or "NetworkPolicy" => true,
        "Service" => !AsksByName(manifest.Object["spec"] as JsonObject),
        _ => false,
    };

    private static bool AsksByName(JsonObject? spec)
    {
        if (spec is null || spec.ContainsKey("clusterIP") || spec.ContainsKey("clusterIPs") || spec.ContainsKey("healthCheckNodePort"))
        {
            return true;
        }
        foreach (var port in spec["ports"] as JsonArray ?? [])
        {
            if (port is not JsonObject fields || fields.ContainsKey("nodePort"))
            {
                return true;
            }
        }
        return false;
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
