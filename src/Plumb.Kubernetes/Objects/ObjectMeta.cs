using System.Collections.ObjectModel;
using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

/// <summary>An object of the API: only what every kind has.</summary>
public interface IKubernetesObject
{
    string? ApiVersion { get; init; }
    string? Kind { get; init; }
    ObjectMeta Metadata { get; init; }
}

/// <summary>A kind that knows its own type, so that a client needs nothing but the C# type to find its path.</summary>
public interface IResource<TSelf> : IKubernetesObject where TSelf : IResource<TSelf>
{
    static abstract ResourceType Type { get; }
}

public static class ResourceExtensions
{
    public static ObjectKey Key<T>(this T subject) where T : IResource<T> =>
        new(T.Type.Kind.Kind, subject.Metadata.Namespace ?? "", subject.Metadata.Name);
}

/// <summary>
/// Lists and maps of all records here are never null: absent, `null` and empty are read alike, and what is empty is not written.
/// Fields that Plumb does not read are not kept: objects are changed by patch, never by writing one of these records back.
/// </summary>
public sealed record ObjectMeta
{
    internal static readonly IReadOnlyDictionary<string, string> NoEntries = ReadOnlyDictionary<string, string>.Empty;
    internal static readonly ObjectMeta Empty = new();

    public string Name { get => field ?? ""; init; }
    public string? GenerateName { get; init; }
    public string? Namespace { get; init; }
    public string? Uid { get; init; }
    public string? ResourceVersion { get; init; }
    public long Generation { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? CreationTimestamp { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? DeletionTimestamp { get; init; }
    public long? DeletionGracePeriodSeconds { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get => field ?? NoEntries; init; }
    public IReadOnlyDictionary<string, string> Annotations { get => field ?? NoEntries; init; }
    public IReadOnlyList<OwnerReference> OwnerReferences { get => field ?? []; init; }
    public IReadOnlyList<string> Finalizers { get => field ?? []; init; }

    /// <summary>The owner that is marked as the controller: at most one can be.</summary>
    [JsonIgnore]
    public OwnerReference? Controller
    {
        get
        {
            foreach (var owner in OwnerReferences)
            {
                if (owner.Controller == true)
                    return owner;
            }
            return null;
        }
    }
}

public sealed record OwnerReference
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public string? Name { get; init; }
    public string? Uid { get; init; }
    public bool? Controller { get; init; }
    public bool? BlockOwnerDeletion { get; init; }
}

/// <summary>A condition of a pod, node, deployment …: `status` is `True`, `False` or `Unknown`.</summary>
public sealed record Condition
{
    public string Type { get => field ?? ""; init; }
    public string Status { get => field ?? ""; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
    public long ObservedGeneration { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? LastTransitionTime { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? LastUpdateTime { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? LastProbeTime { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? LastHeartbeatTime { get; init; }
}

public static class ConditionExtensions
{
    /// <summary>Null where there is no condition of that type.</summary>
    public static Condition? Find(this IReadOnlyList<Condition> conditions, string type)
    {
        for (int i = 0; i < conditions.Count; i++)
        {
            if (conditions[i].Type == type)
                return conditions[i];
        }
        return null;
    }

    public static bool IsTrue(this IReadOnlyList<Condition> conditions, string type) => conditions.Find(type)?.Status == "True";
}
