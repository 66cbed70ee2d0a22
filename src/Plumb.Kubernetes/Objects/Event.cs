using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

/// <summary>core/v1 Event: what `kubectl describe` shows beneath an object.</summary>
public sealed record Event : IResource<Event>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "Event", "events");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public ObjectReference? InvolvedObject { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }

    /// <summary>`Normal` or `Warning`.</summary>
    [JsonPropertyName("type")] public string? EventType { get; init; }
    public EventSource? Source { get; init; }
    public int Count { get; init; }
    public string? Action { get; init; }
    public string? ReportingComponent { get; init; }
    public string? ReportingInstance { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? FirstTimestamp { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? LastTimestamp { get; init; }
    [JsonConverter(typeof(MicroTimeConverter))] public DateTimeOffset? EventTime { get; init; }
}

public sealed record EventSource
{
    public string? Component { get; init; }
    public string? Host { get; init; }
}

public sealed record Lease : IResource<Lease>
{
    public static ResourceType Type { get; } = ResourceType.Of("coordination.k8s.io/v1", "Lease", "leases");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public LeaseSpec Spec { get => field ?? LeaseSpec.Empty; init; }
}

public sealed record LeaseSpec
{
    internal static readonly LeaseSpec Empty = new();

    public string? HolderIdentity { get; init; }
    public int? LeaseDurationSeconds { get; init; }
    public int? LeaseTransitions { get; init; }
    [JsonConverter(typeof(MicroTimeConverter))] public DateTimeOffset? AcquireTime { get; init; }
    [JsonConverter(typeof(MicroTimeConverter))] public DateTimeOffset? RenewTime { get; init; }
}
