using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record Job : IResource<Job>
{
    /// <summary>On pods of an `Indexed` job, as annotation and as label: the pod's index.</summary>
    public const string IndexKey = "batch.kubernetes.io/job-completion-index";

    /// <summary>Keeps a job's pod until the job has counted it (KEP-2307).</summary>
    public const string TrackingFinalizer = "batch.kubernetes.io/job-tracking";

    public static ResourceType Type { get; } = ResourceType.Of("batch/v1", "Job", "jobs");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public JobSpec Spec { get => field ?? JobSpec.Empty; init; }
    public JobStatus Status { get => field ?? JobStatus.Empty; init; }
}

public sealed record JobSpec
{
    internal static readonly JobSpec Empty = new();

    /// <summary>Null means 1.</summary>
    public int? Parallelism { get; init; }

    /// <summary>Null: the job is done when one pod has succeeded and none is left.</summary>
    public int? Completions { get; init; }
    public int? BackoffLimit { get; init; }

    /// <summary>Of an indexed job: so many failures of one index, and that index has failed.</summary>
    public int? BackoffLimitPerIndex { get; init; }
    public int? MaxFailedIndexes { get; init; }
    public PodFailurePolicy? PodFailurePolicy { get; init; }

    /// <summary>Of an indexed job: when it has succeeded before all indexes have.</summary>
    public SuccessPolicy? SuccessPolicy { get; init; }
    public long? ActiveDeadlineSeconds { get; init; }
    public int? TtlSecondsAfterFinished { get; init; }

    /// <summary>`NonIndexed` (also when absent) or `Indexed`.</summary>
    public string? CompletionMode { get; init; }
    public bool Suspend { get; init; }

    /// <summary>`TerminatingOrFailed` (also when absent) or `Failed`: whether a pod that is being deleted is replaced at once.</summary>
    public string? PodReplacementPolicy { get; init; }
    public PodTemplate Template { get => field ?? PodTemplate.Empty; init; }
}

/// <summary>What a failed pod means for its job; the first rule that it matches decides.</summary>
public sealed record PodFailurePolicy
{
    public IReadOnlyList<PodFailurePolicyRule> Rules { get => field ?? []; init; }
}

public sealed record SuccessPolicy
{
    public IReadOnlyList<SuccessPolicyRule> Rules { get => field ?? []; init; }
}

public sealed record SuccessPolicyRule
{
    /// <summary>`1,3-5`; null: any.</summary>
    public string? SucceededIndexes { get; init; }

    /// <summary>So many of them; null: all.</summary>
    public int? SucceededCount { get; init; }
}

public sealed record PodFailurePolicyRule
{
    /// <summary>`FailJob`, `FailIndex`, `Ignore` or `Count`.</summary>
    public string Action { get => field ?? ""; init; }
    public OnExitCodes? OnExitCodes { get; init; }
    public IReadOnlyList<OnPodCondition> OnPodConditions { get => field ?? []; init; }
}

public sealed record OnExitCodes
{
    /// <summary>Null: any container.</summary>
    public string? ContainerName { get; init; }

    /// <summary>`In` or `NotIn`.</summary>
    public string Operator { get => field ?? ""; init; }
    public IReadOnlyList<int> Values { get => field ?? []; init; }
}

public sealed record OnPodCondition
{
    public string Type { get => field ?? ""; init; }
    public string Status { get => field ?? "True"; init; }
}

public sealed record JobStatus
{
    internal static readonly JobStatus Empty = new();

    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? StartTime { get; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? CompletionTime { get; init; }
    public int Active { get; init; }
    public int Ready { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public int Terminating { get; init; }

    /// <summary>Pods that have ended, and are told of in no number yet: they keep their finalizer until they are here.</summary>
    public UncountedPods UncountedTerminatedPods { get => field ?? new UncountedPods(); init; }

    /// <summary>`1,3-5`</summary>
    public string? CompletedIndexes { get; init; }

    /// <inheritdoc cref="CompletedIndexes"/>
    public string? FailedIndexes { get; init; }
}

/// <summary>Uids.</summary>
public sealed record UncountedPods
{
    public IReadOnlyList<string> Succeeded { get => field ?? []; init; }
    public IReadOnlyList<string> Failed { get => field ?? []; init; }
}
