using System.Text.Json.Serialization;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Objects;

public sealed record Node : IResource<Node>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "Node", "nodes", namespaced: false);
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public NodeSpec Spec { get => field ?? NodeSpec.Empty; init; }
    public NodeStatus Status { get => field ?? NodeStatus.Empty; init; }
}

public sealed record NodeSpec
{
    internal static readonly NodeSpec Empty = new();

    public string? PodCIDR { get; init; }

    /// <summary>At most one of each family; the first equals <see cref="PodCIDR"/>.</summary>
    public IReadOnlyList<string> PodCIDRs { get => field ?? []; init; }
    public string? ProviderID { get; init; }
    public bool Unschedulable { get; init; }
    public IReadOnlyList<Taint> Taints { get => field ?? []; init; }
}

public sealed record Taint
{
    public string Key { get => field ?? ""; init; }
    public string? Value { get; init; }

    /// <summary>`NoSchedule`, `PreferNoSchedule` or `NoExecute`.</summary>
    public string Effect { get => field ?? ""; init; }
    [JsonConverter(typeof(TimeConverter))] public DateTimeOffset? TimeAdded { get; init; }

    /// <summary>`key=value:Effect`, `key:Effect`.</summary>
    public override string ToString() => string.IsNullOrEmpty(Value) ? $"{Key}:{Effect}" : $"{Key}={Value}:{Effect}";
}

public sealed record NodeStatus
{
    internal static readonly NodeStatus Empty = new();

    public IReadOnlyList<NodeAddress> Addresses { get => field ?? []; init; }
    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
    public IReadOnlyDictionary<string, Quantity> Capacity { get => field ?? Quantity.None; init; }
    public IReadOnlyDictionary<string, Quantity> Allocatable { get => field ?? Quantity.None; init; }
    public NodeSystemInfo? NodeInfo { get; init; }
}

public sealed record NodeAddress
{
    /// <summary>`InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS` or `ExternalDNS`.</summary>
    public string Type { get => field ?? ""; init; }
    public string Address { get => field ?? ""; init; }
}

public sealed record NodeSystemInfo
{
    public string? MachineID { get; init; }
    public string? SystemUUID { get; init; }
    public string? BootID { get; init; }
    public string? KernelVersion { get; init; }
    public string? OsImage { get; init; }
    public string? ContainerRuntimeVersion { get; init; }
    public string? KubeletVersion { get; init; }
    public string? KubeProxyVersion { get; init; }
    public string? OperatingSystem { get; init; }
    public string? Architecture { get; init; }
}
