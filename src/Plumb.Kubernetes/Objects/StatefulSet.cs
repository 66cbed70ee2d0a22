using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record StatefulSet : IResource<StatefulSet>
{
    /// <summary>On its pods: the pod's own name, for Services that select one of them.</summary>
    public const string PodNameLabel = "statefulset.kubernetes.io/pod-name";

    /// <summary>On its pods: the number in the pod's name.</summary>
    public const string PodIndexLabel = "apps.kubernetes.io/pod-index";

    /// <summary>On its pods: the name of the revision of the template that they were made from.</summary>
    public const string RevisionLabel = "controller-revision-hash";

    public static ResourceType Type { get; } = ResourceType.Of("apps/v1", "StatefulSet", "statefulsets");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public StatefulSetSpec Spec { get => field ?? StatefulSetSpec.Empty; init; }
    public StatefulSetStatus Status { get => field ?? StatefulSetStatus.Empty; init; }
}

public sealed record StatefulSetSpec
{
    internal static readonly StatefulSetSpec Empty = new();

    /// <summary>Null means 1.</summary>
    public int? Replicas { get; init; }
    public LabelSelector? Selector { get; init; }
    public PodTemplate Template { get => field ?? PodTemplate.Empty; init; }

    /// <summary>The headless Service that gives the pods their names.</summary>
    public string? ServiceName { get; init; }

    /// <summary>`OrderedReady` (also when absent) or `Parallel`.</summary>
    public string? PodManagementPolicy { get; init; }
    public StatefulSetUpdateStrategy? UpdateStrategy { get; init; }
    public int MinReadySeconds { get; init; }
    public int? RevisionHistoryLimit { get; init; }
    public StatefulSetOrdinals? Ordinals { get; init; }
    public IReadOnlyList<VolumeClaimTemplate> VolumeClaimTemplates { get => field ?? []; init; }
}

public sealed record StatefulSetUpdateStrategy
{
    /// <summary>`RollingUpdate` (also when absent) or `OnDelete`.</summary>
    public string? Type { get; init; }
    public StatefulSetRollingUpdate? RollingUpdate { get; init; }
}

public sealed record StatefulSetRollingUpdate
{
    /// <summary>Pods with a smaller number keep the old template.</summary>
    public int Partition { get; init; }
    public IntOrString? MaxUnavailable { get; init; }
}

public sealed record StatefulSetOrdinals
{
    /// <summary>The number of the first pod.</summary>
    public int Start { get; init; }
}

/// <summary>Only its name: Plumb keeps no volumes.</summary>
public sealed record VolumeClaimTemplate
{
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
}

public sealed record StatefulSetStatus
{
    internal static readonly StatefulSetStatus Empty = new();

    public long ObservedGeneration { get; init; }
    public int Replicas { get; init; }
    public int ReadyReplicas { get; init; }
    public int AvailableReplicas { get; init; }
    public int CurrentReplicas { get; init; }
    public int UpdatedReplicas { get; init; }

    /// <summary>The template of pods below the partition; becomes <see cref="UpdateRevision"/> when a roll-out is complete.</summary>
    public string? CurrentRevision { get; init; }
    public string? UpdateRevision { get; init; }
    public int? CollisionCount { get; init; }
}
