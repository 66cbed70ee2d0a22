using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record DaemonSet : IResource<DaemonSet>
{
    public static ResourceType Type { get; } = ResourceType.Of("apps/v1", "DaemonSet", "daemonsets");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public DaemonSetSpec Spec { get => field ?? DaemonSetSpec.Empty; init; }
    public DaemonSetStatus Status { get => field ?? DaemonSetStatus.Empty; init; }
}

public sealed record DaemonSetSpec
{
    internal static readonly DaemonSetSpec Empty = new();

    public LabelSelector? Selector { get; init; }
    public PodTemplate Template { get => field ?? PodTemplate.Empty; init; }
    public DaemonSetUpdateStrategy? UpdateStrategy { get; init; }
    public int MinReadySeconds { get; init; }
    public int? RevisionHistoryLimit { get; init; }
}

public sealed record DaemonSetUpdateStrategy
{
    /// <summary>`RollingUpdate` (also when absent) or `OnDelete`.</summary>
    public string? Type { get; init; }
    public RollingUpdate? RollingUpdate { get; init; }
}

public sealed record DaemonSetStatus
{
    internal static readonly DaemonSetStatus Empty = new();

    public long ObservedGeneration { get; init; }
    public int DesiredNumberScheduled { get; init; }

    /// <summary>Nodes that shall have a pod and have one.</summary>
    public int CurrentNumberScheduled { get; init; }

    /// <summary>Nodes that have a pod and shall have none.</summary>
    public int NumberMisscheduled { get; init; }
    public int UpdatedNumberScheduled { get; init; }
    public int NumberReady { get; init; }
    public int NumberAvailable { get; init; }
    public int NumberUnavailable { get; init; }
}
