namespace Plumb.Kubernetes.Objects;

public sealed record Pod : IResource<Pod>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "Pod", "pods");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public PodSpec Spec { get => field ?? PodSpec.Empty; init; }
    public PodStatus Status { get => field ?? PodStatus.Empty; init; }
}

public sealed record PodSpec
{
    internal static readonly PodSpec Empty = new();

    /// <summary>Null until the pod is bound.</summary>
    public string? NodeName { get; init; }
    public bool HostNetwork { get; init; }
    public bool HostPID { get; init; }
    public bool HostIPC { get; init; }
    public bool? HostUsers { get; init; }
    public IReadOnlyList<Container> Containers { get => field ?? []; init; }
    public IReadOnlyList<Container> InitContainers { get => field ?? []; init; }
    public IReadOnlyList<Container> EphemeralContainers { get => field ?? []; init; }
    public SecurityContext? SecurityContext { get; init; }
    public IReadOnlyList<Volume> Volumes { get => field ?? []; init; }
    public string? Hostname { get; init; }
    public string? Subdomain { get; init; }
    public bool SetHostnameAsFQDN { get; init; }
    public IReadOnlyList<HostAlias> HostAliases { get => field ?? []; init; }
    public string? DnsPolicy { get; init; }
    public PodDnsConfig? DnsConfig { get; init; }
    public IReadOnlyDictionary<string, string> NodeSelector { get => field ?? ObjectMeta.NoEntries; init; }
    public Affinity? Affinity { get; init; }
    public IReadOnlyList<TopologySpreadConstraint> TopologySpreadConstraints { get => field ?? []; init; }
    public IReadOnlyList<Toleration> Tolerations { get => field ?? []; init; }
    public long? TerminationGracePeriodSeconds { get; init; }
    public long? ActiveDeadlineSeconds { get; init; }
    public string? RestartPolicy { get; init; }
    public string? SchedulerName { get; init; }
    public string? ServiceAccountName { get; init; }
    public bool? EnableServiceLinks { get; init; }
    public bool? ShareProcessNamespace { get; init; }
    public IReadOnlyList<PodReadinessGate> ReadinessGates { get => field ?? []; init; }

    /// <summary>While there is any, no scheduler touches the pod.</summary>
    public IReadOnlyList<PodSchedulingGate> SchedulingGates { get => field ?? []; init; }
}

public sealed record PodSchedulingGate
{
    public string Name { get => field ?? ""; init; }
}

public sealed record PodReadinessGate
{
    public string ConditionType { get => field ?? ""; init; }
}

public sealed record HostAlias
{
    public string Ip { get => field ?? ""; init; }
    public IReadOnlyList<string> Hostnames { get => field ?? []; init; }
}

public sealed record PodDnsConfig
{
    public IReadOnlyList<string> Nameservers { get => field ?? []; init; }
    public IReadOnlyList<string> Searches { get => field ?? []; init; }
    public IReadOnlyList<PodDnsConfigOption> Options { get => field ?? []; init; }
}

public sealed record PodDnsConfigOption
{
    public string Name { get => field ?? ""; init; }
    public string? Value { get; init; }
}

public sealed record Toleration
{
    /// <summary>Null or empty with operator `Exists`: every key.</summary>
    public string? Key { get; init; }
    public string? Operator { get; init; }
    public string? Value { get; init; }
    public string? Effect { get; init; }
    public long? TolerationSeconds { get; init; }

    public bool Tolerates(Taint taint)
    {
        if (!string.IsNullOrEmpty(Effect) && Effect != taint.Effect)
            return false;
        if (!string.IsNullOrEmpty(Key) && Key != taint.Key)
            return false;
        return Operator == "Exists" || (!string.IsNullOrEmpty(Key) && (Value ?? "") == (taint.Value ?? ""));
    }
}

public sealed record Affinity
{
    public NodeAffinity? NodeAffinity { get; init; }
    public PodAffinity? PodAffinity { get; init; }
    public PodAffinity? PodAntiAffinity { get; init; }
}

public sealed record PodAffinity
{
    public IReadOnlyList<PodAffinityTerm> RequiredDuringSchedulingIgnoredDuringExecution { get => field ?? []; init; }
    public IReadOnlyList<WeightedPodAffinityTerm> PreferredDuringSchedulingIgnoredDuringExecution { get => field ?? []; init; }
}

public sealed record WeightedPodAffinityTerm
{
    public int Weight { get; init; }
    public PodAffinityTerm PodAffinityTerm { get => field ?? new PodAffinityTerm(); init; }
}

public sealed record PodAffinityTerm
{
    public LabelSelector? LabelSelector { get; init; }

    /// <summary>Empty, and without a selector: the pod's own.</summary>
    public IReadOnlyList<string> Namespaces { get => field ?? []; init; }
    public LabelSelector? NamespaceSelector { get; init; }

    /// <summary>The nodes with one value of this label are one place.</summary>
    public string TopologyKey { get => field ?? ""; init; }
}

public sealed record TopologySpreadConstraint
{
    public int MaxSkew { get; init; }
    public string TopologyKey { get => field ?? ""; init; }

    /// <summary>`DoNotSchedule` (also when absent) or `ScheduleAnyway`.</summary>
    public string? WhenUnsatisfiable { get; init; }
    public LabelSelector? LabelSelector { get; init; }
    public IReadOnlyList<string> MatchLabelKeys { get => field ?? []; init; }
    public int? MinDomains { get; init; }
    public string? NodeAffinityPolicy { get; init; }
}

public sealed record NodeAffinity
{
    public NodeSelector? RequiredDuringSchedulingIgnoredDuringExecution { get; init; }
    public IReadOnlyList<PreferredSchedulingTerm> PreferredDuringSchedulingIgnoredDuringExecution { get => field ?? []; init; }
}

public sealed record PreferredSchedulingTerm
{
    public int Weight { get; init; }
    public NodeSelectorTerm Preference { get => field ?? new NodeSelectorTerm(); init; }
}

public sealed record NodeSelector
{
    public IReadOnlyList<NodeSelectorTerm> NodeSelectorTerms { get => field ?? []; init; }
}

public sealed record NodeSelectorTerm
{
    public IReadOnlyList<LabelSelectorRequirement> MatchExpressions { get => field ?? []; init; }
    public IReadOnlyList<LabelSelectorRequirement> MatchFields { get => field ?? []; init; }
}

public sealed record Volume
{
    public string Name { get => field ?? ""; init; }
    public ConfigMapVolume? ConfigMap { get; init; }
    public SecretVolume? Secret { get; init; }
    public EmptyDirVolume? EmptyDir { get; init; }
    public HostPathVolume? HostPath { get; init; }
    public DownwardApiVolume? DownwardAPI { get; init; }
    public ProjectedVolume? Projected { get; init; }
}

public sealed record DownwardApiVolume
{
    public int? DefaultMode { get; init; }
    public IReadOnlyList<DownwardApiFile> Items { get => field ?? []; init; }
}

public sealed record DownwardApiFile
{
    public string Path { get => field ?? ""; init; }
    public ObjectFieldSelector? FieldRef { get; init; }
    public ResourceFieldSelector? ResourceFieldRef { get; init; }
    public int? Mode { get; init; }
}

public sealed record ProjectedVolume
{
    public int? DefaultMode { get; init; }
    public IReadOnlyList<VolumeProjection> Sources { get => field ?? []; init; }
}

/// <summary>One of them is set.</summary>
public sealed record VolumeProjection
{
    public ObjectProjection? ConfigMap { get; init; }
    public ObjectProjection? Secret { get; init; }
    public DownwardApiVolume? DownwardAPI { get; init; }
    public ServiceAccountTokenProjection? ServiceAccountToken { get; init; }
}

/// <summary>Of a ConfigMap or a Secret.</summary>
public sealed record ObjectProjection
{
    public string Name { get => field ?? ""; init; }
    public bool? Optional { get; init; }
    public IReadOnlyList<KeyToPath> Items { get => field ?? []; init; }
}

public sealed record ServiceAccountTokenProjection
{
    public string? Audience { get; init; }
    public long? ExpirationSeconds { get; init; }
    public string Path { get => field ?? ""; init; }
}

public sealed record ConfigMapVolume
{
    public string Name { get => field ?? ""; init; }
    public bool? Optional { get; init; }
    public int? DefaultMode { get; init; }
    public IReadOnlyList<KeyToPath> Items { get => field ?? []; init; }
}

public sealed record SecretVolume
{
    public string SecretName { get => field ?? ""; init; }
    public bool? Optional { get; init; }
    public int? DefaultMode { get; init; }
    public IReadOnlyList<KeyToPath> Items { get => field ?? []; init; }
}

public sealed record EmptyDirVolume
{
    public string? Medium { get; init; }
}

public sealed record HostPathVolume
{
    public string Path { get => field ?? ""; init; }
    public string? Type { get; init; }
}

public sealed record KeyToPath
{
    public string Key { get => field ?? ""; init; }
    public string Path { get => field ?? ""; init; }
    public int? Mode { get; init; }
}
