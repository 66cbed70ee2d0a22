using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Json;

/// <summary>Reads and writes the records of <see cref="Objects"/>; nothing here uses reflection.</summary>
public static class KubernetesJson
{
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Only for types that <see cref="KubernetesJsonContext"/> lists.</summary>
    public static JsonTypeInfo<T> TypeInfo<T>() => Cache<T>.Info;

    /// <exception cref="JsonException">Not JSON, or a field of another type than the record's; the path is in the message.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8) => JsonSerializer.Deserialize(utf8, Cache<T>.Info) ?? throw new JsonException("the document is null");

    public static T Read<T>(JsonNode node) => node.Deserialize(Cache<T>.Info) ?? throw new JsonException("the document is null");

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Cache<T>.Info);

    public static JsonNode WriteNode<T>(T value) => JsonSerializer.SerializeToNode(value, Cache<T>.Info)!;

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = KubernetesJsonContext.Default.WithAddedModifier(SkipEmpty),
        };
        options.MakeReadOnly();
        return options;
    }

    private static void SkipEmpty(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.PropertyType.IsGenericType && property.PropertyType.IsInterface)
                property.ShouldSerialize = static (_, value) => value is not System.Collections.ICollection { Count: 0 };
            else if (type.Type == typeof(ObjectMeta) && property.PropertyType == typeof(string))
                property.ShouldSerialize = static (_, value) => value is string { Length: > 0 };
        }
    }

    private static class Cache<T>
    {
        public static readonly JsonTypeInfo<T> Info = (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Pod))]
[JsonSerializable(typeof(ResourceList<Pod>))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(ResourceList<Node>))]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(ResourceList<Service>))]
[JsonSerializable(typeof(EndpointSlice))]
[JsonSerializable(typeof(ResourceList<EndpointSlice>))]
[JsonSerializable(typeof(Endpoints))]
[JsonSerializable(typeof(ResourceList<Endpoints>))]
[JsonSerializable(typeof(Namespace))]
[JsonSerializable(typeof(ResourceList<Namespace>))]
[JsonSerializable(typeof(Deployment))]
[JsonSerializable(typeof(ResourceList<Deployment>))]
[JsonSerializable(typeof(ReplicaSet))]
[JsonSerializable(typeof(ResourceList<ReplicaSet>))]
[JsonSerializable(typeof(StatefulSet))]
[JsonSerializable(typeof(ResourceList<StatefulSet>))]
[JsonSerializable(typeof(DaemonSet))]
[JsonSerializable(typeof(ResourceList<DaemonSet>))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(ResourceList<Job>))]
[JsonSerializable(typeof(ConfigMap))]
[JsonSerializable(typeof(ResourceList<ConfigMap>))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(ResourceList<Secret>))]
[JsonSerializable(typeof(ServiceAccount))]
[JsonSerializable(typeof(ResourceList<ServiceAccount>))]
[JsonSerializable(typeof(Event))]
[JsonSerializable(typeof(ResourceList<Event>))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(ResourceList<Lease>))]
[JsonSerializable(typeof(ObjectMeta))]
[JsonSerializable(typeof(ObjectReference))]
[JsonSerializable(typeof(Condition))]
[JsonSerializable(typeof(LabelSelector))]
[JsonSerializable(typeof(Status))]
[JsonSerializable(typeof(Table))]
[JsonSerializable(typeof(WatchEvent))]
internal sealed partial class KubernetesJsonContext : JsonSerializerContext;
