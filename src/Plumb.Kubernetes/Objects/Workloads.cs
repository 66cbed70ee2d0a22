using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record Deployment : IResource<Deployment>
{
    public static ResourceType Type { get; } = ResourceType.Of("apps/v1", "Deployment", "deployments");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public DeploymentSpec Spec { get => field ?? DeploymentSpec.Empty; init; }
    public DeploymentStatus Status { get => field ?? DeploymentStatus.Empty; init; }
}

public sealed record DeploymentSpec
{
    internal static readonly DeploymentSpec Empty = new();

    /// <summary>Null means 1.</summary>
    public int? Replicas { get; init; }
    public LabelSelector? Selector { get; init; }
    public PodTemplate Template { get => field ?? PodTemplate.Empty; init; }
    public DeploymentStrategy? Strategy { get; init; }
    public int MinReadySeconds { get; init; }
    public int? RevisionHistoryLimit { get; init; }
    public bool Paused { get; init; }
    public int? ProgressDeadlineSeconds { get; init; }
}

public sealed record DeploymentStrategy
{
    /// <summary>`RollingUpdate` (also when absent) or `Recreate`.</summary>
    public string Type { get => field ?? "RollingUpdate"; init; }
    public RollingUpdate? RollingUpdate { get; init; }
}

public sealed record RollingUpdate
{
    public IntOrString? MaxSurge { get; init; }
    public IntOrString? MaxUnavailable { get; init; }
}

public sealed record DeploymentStatus
{
    internal static readonly DeploymentStatus Empty = new();

    public long ObservedGeneration { get; init; }
    public int Replicas { get; init; }
    public int UpdatedReplicas { get; init; }
    public int ReadyReplicas { get; init; }
    public int AvailableReplicas { get; init; }
    public int UnavailableReplicas { get; init; }
    public int? CollisionCount { get; init; }
    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
}

public sealed record ReplicaSet : IResource<ReplicaSet>
{
    public static ResourceType Type { get; } = ResourceType.Of("apps/v1", "ReplicaSet", "replicasets");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public ReplicaSetSpec Spec { get => field ?? ReplicaSetSpec.Empty; init; }
    public ReplicaSetStatus Status { get => field ?? ReplicaSetStatus.Empty; init; }
}

public sealed record ReplicaSetSpec
{
    internal static readonly ReplicaSetSpec Empty = new();

    /// <summary>Null means 1.</summary>
    public int? Replicas { get; init; }
    public LabelSelector? Selector { get; init; }
    public PodTemplate Template { get => field ?? PodTemplate.Empty; init; }
    public int MinReadySeconds { get; init; }
}

public sealed record ReplicaSetStatus
{
    internal static readonly ReplicaSetStatus Empty = new();

    public long ObservedGeneration { get; init; }
    public int Replicas { get; init; }
    public int FullyLabeledReplicas { get; init; }
    public int ReadyReplicas { get; init; }
    public int AvailableReplicas { get; init; }
    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
}

public sealed record PodTemplate
{
    internal static readonly PodTemplate Empty = new();

    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public PodSpec Spec { get => field ?? PodSpec.Empty; init; }
}

/// <summary>All of its parts must match. Null selects nothing; one without any part selects everything.</summary>
public sealed record LabelSelector
{
    public IReadOnlyDictionary<string, string> MatchLabels { get => field ?? ObjectMeta.NoEntries; init; }
    public IReadOnlyList<LabelSelectorRequirement> MatchExpressions { get => field ?? []; init; }
}

public sealed record LabelSelectorRequirement
{
    public string Key { get => field ?? ""; init; }

    /// <summary>`In`, `NotIn`, `Exists`, `DoesNotExist`; a node selector also has `Gt` and `Lt`.</summary>
    public string Operator { get => field ?? ""; init; }
    public IReadOnlyList<string> Values { get => field ?? []; init; }
}
