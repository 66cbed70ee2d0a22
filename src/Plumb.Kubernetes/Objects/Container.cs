using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record Container
{
    public string Name { get => field ?? ""; init; }
    public string? Image { get; init; }
    public string? ImagePullPolicy { get; init; }
    public IReadOnlyList<string> Command { get => field ?? []; init; }
    public IReadOnlyList<string> Args { get => field ?? []; init; }
    public string? WorkingDir { get; init; }
    public IReadOnlyList<ContainerPort> Ports { get => field ?? []; init; }
    public IReadOnlyList<EnvVar> Env { get => field ?? []; init; }
    public IReadOnlyList<EnvFromSource> EnvFrom { get => field ?? []; init; }
    public IReadOnlyList<VolumeMount> VolumeMounts { get => field ?? []; init; }
    public ResourceRequirements? Resources { get; init; }
    public IReadOnlyList<ContainerResizePolicy> ResizePolicy { get => field ?? []; init; }
    public Probe? ReadinessProbe { get; init; }
    public Probe? LivenessProbe { get; init; }
    public Probe? StartupProbe { get; init; }
    public Lifecycle? Lifecycle { get; init; }

    /// <summary>`Always` on an init container makes it a side car.</summary>
    public string? RestartPolicy { get; init; }

    /// <summary>Of an ephemeral container: whose processes it sees.</summary>
    public string? TargetContainerName { get; init; }
    public SecurityContext? SecurityContext { get; init; }
    public string? TerminationMessagePath { get; init; }
    public string? TerminationMessagePolicy { get; init; }
    public bool Stdin { get; init; }
    public bool StdinOnce { get; init; }
    public bool Tty { get; init; }
}

public sealed record ContainerPort
{
    [JsonPropertyName("containerPort")] public int Number { get; init; }
    public int HostPort { get; init; }
    public string? HostIP { get; init; }
    public string? Name { get; init; }
    public string Protocol { get => field ?? "TCP"; init; }
}

public sealed record EnvVar
{
    public string Name { get => field ?? ""; init; }
    public string? Value { get; init; }
    public EnvVarSource? ValueFrom { get; init; }
}

public sealed record EnvVarSource
{
    public ObjectFieldSelector? FieldRef { get; init; }
    public KeySelector? ConfigMapKeyRef { get; init; }
    public KeySelector? SecretKeyRef { get; init; }
    public ResourceFieldSelector? ResourceFieldRef { get; init; }
}

public sealed record ResourceFieldSelector
{
    /// <summary>Empty: the container that asks. Volumes name one.</summary>
    public string? ContainerName { get; init; }

    /// <summary>`limits.cpu`, `requests.memory`…</summary>
    public string Resource { get => field ?? ""; init; }

    /// <summary>The unit to count in; null or `0`: one.</summary>
    public string? Divisor { get; init; }
}

/// <summary>What the lab honours of it, of a pod or of a container.</summary>
public sealed record SecurityContext
{
    public long? RunAsUser { get; init; }
    public long? RunAsGroup { get; init; }
    public bool? RunAsNonRoot { get; init; }

    /// <summary>A pod's.</summary>
    public long? FsGroup { get; init; }

    /// <inheritdoc cref="FsGroup"/>
    public IReadOnlyList<long> SupplementalGroups { get => field ?? []; init; }

    /// <summary>A container's.</summary>
    public bool? ReadOnlyRootFilesystem { get; init; }

    /// <inheritdoc cref="ReadOnlyRootFilesystem"/>
    public bool? Privileged { get; init; }

    /// <inheritdoc cref="ReadOnlyRootFilesystem"/>
    public bool? AllowPrivilegeEscalation { get; init; }

    /// <inheritdoc cref="ReadOnlyRootFilesystem"/>
    public Capabilities? Capabilities { get; init; }

    /// <summary>A container's: `Default` or `Unmasked`.</summary>
    public string? ProcMount { get; init; }

    /// <summary>A pod's.</summary>
    public IReadOnlyList<Sysctl> Sysctls { get => field ?? []; init; }
}

/// <summary>Names of capabilities(7), with or without `CAP_`, or `ALL`.</summary>
public sealed record Capabilities
{
    public IReadOnlyList<string> Add { get => field ?? []; init; }
    public IReadOnlyList<string> Drop { get => field ?? []; init; }
}

/// <summary>A kernel parameter of the pod's own namespaces.</summary>
public sealed record Sysctl
{
    public string Name { get => field ?? ""; init; }
    public string Value { get => field ?? ""; init; }
}

public sealed record ObjectFieldSelector
{
    public string FieldPath { get => field ?? ""; init; }
}

public sealed record KeySelector
{
    public string? Name { get; init; }
    public string Key { get => field ?? ""; init; }
    public bool? Optional { get; init; }
}

public sealed record EnvFromSource
{
    public string? Prefix { get; init; }
    public OptionalName? ConfigMapRef { get; init; }
    public OptionalName? SecretRef { get; init; }
}

public sealed record OptionalName
{
    public string Name { get => field ?? ""; init; }
    public bool? Optional { get; init; }
}

public sealed record VolumeMount
{
    public string Name { get => field ?? ""; init; }
    public string MountPath { get => field ?? ""; init; }
    public string? SubPath { get; init; }

    /// <summary>A sub path with variables of the container's in it.</summary>
    public string? SubPathExpr { get; init; }
    public bool ReadOnly { get; init; }
}

public sealed record ResourceRequirements
{
    public IReadOnlyDictionary<string, Quantity> Limits { get => field ?? Quantity.None; init; }
    public IReadOnlyDictionary<string, Quantity> Requests { get => field ?? Quantity.None; init; }
}

/// <summary>How a container that runs gets another amount: `NotRequired`, or `RestartContainer`.</summary>
public sealed record ContainerResizePolicy
{
    /// <summary>`cpu` or `memory`</summary>
    public string ResourceName { get => field ?? ""; init; }
    public string RestartPolicy { get => field ?? ""; init; }
}

/// <summary>Numbers left out have the API's defaults: period 10 s, timeout 1 s, thresholds 1 and 3.</summary>
public sealed record Probe
{
    public HttpGetAction? HttpGet { get; init; }
    public TcpSocketAction? TcpSocket { get; init; }
    public ExecAction? Exec { get; init; }
    public GrpcAction? Grpc { get; init; }
    public int InitialDelaySeconds { get; init; }
    public int? PeriodSeconds { get; init; }
    public int? TimeoutSeconds { get; init; }
    public int? SuccessThreshold { get; init; }
    public int? FailureThreshold { get; init; }
    public long? TerminationGracePeriodSeconds { get; init; }
}

public sealed record Lifecycle
{
    public LifecycleHandler? PostStart { get; init; }
    public LifecycleHandler? PreStop { get; init; }
}

public sealed record LifecycleHandler
{
    public ExecAction? Exec { get; init; }
    public HttpGetAction? HttpGet { get; init; }
    public TcpSocketAction? TcpSocket { get; init; }
    public SleepAction? Sleep { get; init; }
}

public sealed record HttpGetAction
{
    public string? Path { get; init; }
    public IntOrString Port { get; init; }
    public string? Host { get; init; }
    public string? Scheme { get; init; }
    public IReadOnlyList<HttpHeader> HttpHeaders { get => field ?? []; init; }
}

public sealed record HttpHeader
{
    public string Name { get => field ?? ""; init; }
    public string Value { get => field ?? ""; init; }
}

public sealed record TcpSocketAction
{
    public IntOrString Port { get; init; }
    public string? Host { get; init; }
}

public sealed record ExecAction
{
    public IReadOnlyList<string> Command { get => field ?? []; init; }
}

public sealed record GrpcAction
{
    public int Port { get; init; }
    public string? Service { get; init; }
}

public sealed record SleepAction
{
    public long Seconds { get; init; }
}
