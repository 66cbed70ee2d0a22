namespace Plumb.Kubernetes.Objects;

public sealed record EndpointSlice : IResource<EndpointSlice>
{
    /// <summary>The label that names the Service of a slice.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    public static ResourceType Type { get; } = ResourceType.Of("discovery.k8s.io/v1", "EndpointSlice", "endpointslices");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }

    /// <summary>`IPv4`, `IPv6` or `FQDN`.</summary>
    public string AddressType { get => field ?? ""; init; }
    public IReadOnlyList<Endpoint> Endpoints { get => field ?? []; init; }
    public IReadOnlyList<EndpointPort> Ports { get => field ?? []; init; }
}

public sealed record Endpoint
{
    public IReadOnlyList<string> Addresses { get => field ?? []; init; }
    public EndpointConditions Conditions { get => field ?? EndpointConditions.Unknown; init; }
    public string? Hostname { get; init; }
    public ObjectReference? TargetRef { get; init; }
    public string? NodeName { get; init; }
    public string? Zone { get; init; }
    public EndpointHints? Hints { get; init; }
}

/// <summary>Absent means: ready yes, serving as ready, terminating no (discovery/v1).</summary>
public sealed record EndpointConditions
{
    internal static readonly EndpointConditions Unknown = new();

    public bool? Ready { get; init; }
    public bool? Serving { get; init; }
    public bool? Terminating { get; init; }
}

public sealed record EndpointHints
{
    public IReadOnlyList<ForZone> ForZones { get => field ?? []; init; }
    public IReadOnlyList<ForNode> ForNodes { get => field ?? []; init; }
}

public sealed record ForZone
{
    public string Name { get => field ?? ""; init; }
}

public sealed record ForNode
{
    public string Name { get => field ?? ""; init; }
}

public sealed record EndpointPort
{
    public string? Name { get; init; }
    public string Protocol { get => field ?? "TCP"; init; }
    public int? Port { get; init; }
    public string? AppProtocol { get; init; }
}

/// <summary>The older form of a Service's endpoints, of which Plumb reads nothing but which people still look at.</summary>
public sealed record Endpoints : IResource<Endpoints>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "Endpoints", "endpoints");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public IReadOnlyList<EndpointSubset> Subsets { get => field ?? []; init; }
}

public sealed record EndpointSubset
{
    public IReadOnlyList<EndpointAddress> Addresses { get => field ?? []; init; }
    public IReadOnlyList<EndpointAddress> NotReadyAddresses { get => field ?? []; init; }
    public IReadOnlyList<EndpointPort> Ports { get => field ?? []; init; }
}

public sealed record EndpointAddress
{
    public string Ip { get => field ?? ""; init; }
    public string? Hostname { get; init; }
    public string? NodeName { get; init; }
    public ObjectReference? TargetRef { get; init; }
}
