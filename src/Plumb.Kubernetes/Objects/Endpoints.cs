using System.Text.Json.Serialization;

namespace Plumb.Kubernetes.Objects;

public sealed record EndpointSlice : IResource<EndpointSlice>
{
    /// <summary>The label that names the Service of a slice.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>The label that names who writes a slice.</summary>
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";

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
    /// <summary>At least one; all but the first have no meaning (discovery/v1).</summary>
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

    /// <summary>Takes new connections. False while it terminates, except behind `publishNotReadyAddresses`.</summary>
    public bool? Ready { get; init; }

    /// <summary>As <see cref="Ready"/>, terminating or not.</summary>
    public bool? Serving { get; init; }
    public bool? Terminating { get; init; }

    [JsonIgnore] public bool IsReady => Ready ?? true;
    [JsonIgnore] public bool IsServing => Serving ?? IsReady;
    [JsonIgnore] public bool IsTerminating => Terminating ?? false;
}

public sealed record EndpointHints
{
    /// <summary>The zones whose clients are to use this endpoint. Without: all.</summary>
    public IReadOnlyList<ForZone> ForZones { get => field ?? []; init; }

    /// <summary>The nodes whose clients are to use this endpoint (KEP-3015); heeded before <see cref="ForZones"/>.</summary>
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
    /// <summary>That of the Service's port. Null and empty are the same: the one port without a name.</summary>
    public string? Name { get; init; }
    public string Protocol { get => field ?? "TCP"; init; }

    /// <summary>Null in a slice made by hand: every port.</summary>
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
