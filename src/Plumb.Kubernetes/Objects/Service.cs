using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record Service : IResource<Service>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "Service", "services");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public ServiceSpec Spec { get => field ?? ServiceSpec.Empty; init; }
    public ServiceStatus Status { get => field ?? ServiceStatus.Empty; init; }
}

public sealed record ServiceSpec
{
    internal static readonly ServiceSpec Empty = new();

    /// <summary>`ClusterIP` (also when absent), `NodePort`, `LoadBalancer` or `ExternalName`.</summary>
    public string Type { get => field ?? "ClusterIP"; init; }

    /// <summary>`None` for a headless Service.</summary>
    public string? ClusterIP { get; init; }
    public IReadOnlyList<string> ClusterIPs { get => field ?? []; init; }
    public IReadOnlyList<string> IpFamilies { get => field ?? []; init; }
    public string? IpFamilyPolicy { get; init; }
    public IReadOnlyDictionary<string, string> Selector { get => field ?? ObjectMeta.NoEntries; init; }
    public IReadOnlyList<ServicePort> Ports { get => field ?? []; init; }
    public IReadOnlyList<string> ExternalIPs { get => field ?? []; init; }
    public string? ExternalName { get; init; }
    public string? ExternalTrafficPolicy { get; init; }
    public string? InternalTrafficPolicy { get; init; }
    public int HealthCheckNodePort { get; init; }
    public string? LoadBalancerIP { get; init; }
    public IReadOnlyList<string> LoadBalancerSourceRanges { get => field ?? []; init; }
    public string? LoadBalancerClass { get; init; }
    public bool? AllocateLoadBalancerNodePorts { get; init; }
    public bool PublishNotReadyAddresses { get; init; }
    public string? SessionAffinity { get; init; }
    public SessionAffinityConfig? SessionAffinityConfig { get; init; }
    public string? TrafficDistribution { get; init; }
}

public sealed record ServicePort
{
    public string? Name { get; init; }
    public string Protocol { get => field ?? "TCP"; init; }
    public int Port { get; init; }

    /// <summary>A number, or the name of a container's port. Zero when absent: then it is <see cref="Port"/>.</summary>
    public IntOrString TargetPort { get; init; }
    public int NodePort { get; init; }
    public string? AppProtocol { get; init; }
}

public sealed record SessionAffinityConfig
{
    public ClientIPConfig? ClientIP { get; init; }
}

public sealed record ClientIPConfig
{
    public int? TimeoutSeconds { get; init; }
}

public sealed record ServiceStatus
{
    internal static readonly ServiceStatus Empty = new();

    public LoadBalancerStatus? LoadBalancer { get; init; }
    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
}

public sealed record LoadBalancerStatus
{
    public IReadOnlyList<LoadBalancerIngress> Ingress { get => field ?? []; init; }
}

public sealed record LoadBalancerIngress
{
    public string? Ip { get; init; }
    public string? Hostname { get; init; }
    public string? IpMode { get; init; }
}
