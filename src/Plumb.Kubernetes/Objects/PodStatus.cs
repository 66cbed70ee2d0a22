using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record PodStatus
{
    internal static readonly PodStatus Empty = new();

    /// <summary>`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.</summary>
    public string? Phase { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
    public string? PodIP { get; init; }
    public IReadOnlyList<PodIP> PodIPs { get => field ?? []; init; }
    public string? HostIP { get; init; }
    public IReadOnlyList<HostIP> HostIPs { get => field ?? []; init; }
    public string? QosClass { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? StartTime { get; init; }
    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
    public IReadOnlyList<ContainerStatus> ContainerStatuses { get => field ?? []; init; }
    public IReadOnlyList<ContainerStatus> InitContainerStatuses { get => field ?? []; init; }
}

public sealed record PodIP
{
    public string Ip { get => field ?? ""; init; }
}

public sealed record HostIP
{
    public string Ip { get => field ?? ""; init; }
}

public sealed record ContainerStatus
{
    public string Name { get => field ?? ""; init; }
    public bool Ready { get; init; }
    public bool? Started { get; init; }
    public int RestartCount { get; init; }
    public string? Image { get; init; }
    public string? ImageID { get; init; }
    public string? ContainerID { get; init; }
    public ContainerState? State { get; init; }
    public ContainerState? LastState { get; init; }
}

/// <summary>One of the three is set.</summary>
public sealed record ContainerState
{
    public ContainerStateWaiting? Waiting { get; init; }
    public ContainerStateRunning? Running { get; init; }
    public ContainerStateTerminated? Terminated { get; init; }
}

public sealed record ContainerStateWaiting
{
    public string? Reason { get; init; }
    public string? Message { get; init; }
}

public sealed record ContainerStateRunning
{
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? StartedAt { get; init; }
}

public sealed record ContainerStateTerminated
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)] public int ExitCode { get; init; }
    public int Signal { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? StartedAt { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? FinishedAt { get; init; }
    public string? ContainerID { get; init; }
}
