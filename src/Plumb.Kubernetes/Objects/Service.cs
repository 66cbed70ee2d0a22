using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record Service : IResource<Service>
{
    /// <summary>A Service with this label is served by somebody else: no node's Services layer may touch it, headless or not.</summary>
    public const string ProxyNameLabel = "service.kubernetes.io/service-proxy-name";

    /// <summary>On Services, Endpoints and slices that no proxy need look at.</summary>
    public const string HeadlessLabel = "service.kubernetes.io/headless";

    /// <summary>Plumb's annotation on a Service that names the protocols whose connections end with the endpoint that they lead to: <c>TCP</c>. UDP's do in any case.</summary>
    public const string EndConnectionsAnnotation = "plumb.network/end-connections";

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

    /// <summary>One for each of <see cref="IpFamilies"/>, in their order; the first is <see cref="ClusterIP"/>.</summary>
    public IReadOnlyList<string> ClusterIPs { get => field ?? []; init; }

    /// <summary>`IPv4`, `IPv6`, or both with the preferred one first.</summary>
    public IReadOnlyList<string> IpFamilies { get => field ?? []; init; }

    /// <summary>`SingleStack`, `PreferDualStack` or `RequireDualStack`.</summary>
    public string? IpFamilyPolicy { get; init; }
    public IReadOnlyDictionary<string, string> Selector { get => field ?? ObjectMeta.NoEntries; init; }
    public IReadOnlyList<ServicePort> Ports { get => field ?? []; init; }
    public IReadOnlyList<string> ExternalIPs { get => field ?? []; init; }
    public string? ExternalName { get; init; }

    /// <summary>`Cluster` or `Local`; null where nothing outside can reach the Service.</summary>
    public string? ExternalTrafficPolicy { get; init; }

    /// <summary>`Cluster` (also when absent) or `Local`.</summary>
    public string? InternalTrafficPolicy { get; init; }

    /// <summary>Zero: none. Only a LoadBalancer with <see cref="ExternalTrafficPolicy"/> `Local` has one.</summary>
    public int HealthCheckNodePort { get; init; }
    public string? LoadBalancerIP { get; init; }
    public IReadOnlyList<string> LoadBalancerSourceRanges { get => field ?? []; init; }
    public string? LoadBalancerClass { get; init; }
    public bool? AllocateLoadBalancerNodePorts { get; init; }
    public bool PublishNotReadyAddresses { get; init; }

    /// <summary>`None` (also when absent) or `ClientIP`.</summary>
    public string? SessionAffinity { get; init; }
    public SessionAffinityConfig? SessionAffinityConfig { get; init; }

    /// <summary>`PreferSameZone`, its older name `PreferClose`, or `PreferSameNode`.</summary>
    public string? TrafficDistribution { get; init; }

    [JsonIgnore] public bool IsHeadless => ClusterIP == "None";
    [JsonIgnore] public bool IsExternalName => Type == "ExternalName";

    /// <summary>How long a client stays with its endpoint; null without affinity. Absent in the object means three hours (core/v1).</summary>
    [JsonIgnore]
    public TimeSpan? Affinity => SessionAffinity == "ClientIP" ? TimeSpan.FromSeconds(SessionAffinityConfig?.ClientIP?.TimeoutSeconds ?? 10_800) : null;
}

public sealed record ServicePort
{
    public string? Name { get; init; }
    public string Protocol { get => field ?? "TCP"; init; }
    public int Port { get; init; }

    /// <summary>A number, or the name of a container's port. Zero when absent: then it is <see cref="Port"/>.</summary>
    public IntOrString TargetPort { get; init; }

    /// <summary>Zero: none.</summary>
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

    /// <summary>`VIP` (also when absent): nodes answer for the address themselves. `Proxy`: packets to it have to leave for the balancer.</summary>
    public string? IpMode { get; init; }
}
