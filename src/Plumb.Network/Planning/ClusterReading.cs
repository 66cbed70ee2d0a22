using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Network.Cluster;

namespace Plumb.Network.Planning;

/// <summary>Objects of the API, as JSON, as the network sees them.</summary>
public static class ClusterReading
{
    /// <param name="objects">Kinds that the network does not look at are passed over.</param>
    /// <exception cref="PlanInputException">An object cannot be read.</exception>
    public static (ClusterView Cluster, IReadOnlyList<Kubernetes.Objects.Pod> Pods) Read(IEnumerable<JsonNode> objects)
    {
        ArgumentNullException.ThrowIfNull(objects);
        var cluster = ClusterView.Empty;
        var pods = new List<Kubernetes.Objects.Pod>();
        var services = new List<(Subject, ClusterService?)>();
        var slices = new List<(Subject, ServiceSlice?)>();
        var reading = new SliceReading();
        foreach (var json in objects)
        {
            switch (KindOf(json))
            {
                case "Node":
                    cluster = cluster.With(NodeReading.Read(Read<Kubernetes.Objects.Node>(json)));
                    break;
                case "Pod":
                    pods.Add(Read<Kubernetes.Objects.Pod>(json));
                    break;
                case "Service":
                    var service = Read<Kubernetes.Objects.Service>(json);
                    services.Add((ServiceReading.SubjectOf(service.Metadata.Namespace, service.Metadata.Name), ServiceReading.Read(service)));
                    break;
                case "EndpointSlice":
                    var slice = Read<Kubernetes.Objects.EndpointSlice>(json);
                    slices.Add((SliceReading.SubjectOf(slice.Metadata.Namespace, slice.Metadata.Name), reading.Read(slice)));
                    break;
                default:
                    break;
            }
        }
        return (cluster.With(cluster.Services.With(services, slices, new List<Subject>())), pods);
    }

    private static string? KindOf(JsonNode json) =>
        json is JsonObject map && map.TryGetPropertyValue("kind", out var kind) && kind is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : null;

    private static T Read<T>(JsonNode json)
    {
        try
        {
            return KubernetesJson.Read<T>(json);
        }
        catch (JsonException exception)
        {
            throw new PlanInputException($"{typeof(T).Name} {NameOf(json)}: {exception.Path}: {exception.Message}", exception);
        }
    }

    private static string NameOf(JsonNode json) =>
        json["metadata"] is JsonObject metadata && metadata["name"] is JsonValue name ? name.ToString() : "without a name";
}
