using System.Collections.ObjectModel;

namespace Plumb.Kubernetes.Objects;

public sealed record Namespace : IResource<Namespace>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "Namespace", "namespaces", namespaced: false);
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public NamespaceSpec Spec { get => field ?? NamespaceSpec.Empty; init; }
    public NamespaceStatus Status { get => field ?? NamespaceStatus.Empty; init; }
}

public sealed record NamespaceSpec
{
    internal static readonly NamespaceSpec Empty = new();

    /// <summary>Not those of the metadata: the namespace goes when both lists are empty.</summary>
    public IReadOnlyList<string> Finalizers { get => field ?? []; init; }
}

public sealed record NamespaceStatus
{
    internal static readonly NamespaceStatus Empty = new();

    /// <summary>`Active` or `Terminating`.</summary>
    public string? Phase { get; init; }
    public IReadOnlyList<Condition> Conditions { get => field ?? []; init; }
}

public sealed record ConfigMap : IResource<ConfigMap>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "ConfigMap", "configmaps");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public IReadOnlyDictionary<string, string> Data { get => field ?? ObjectMeta.NoEntries; init; }
    public IReadOnlyDictionary<string, byte[]> BinaryData { get => field ?? Secret.NoData; init; }
    public bool? Immutable { get; init; }
}

public sealed record Secret : IResource<Secret>
{
    internal static readonly IReadOnlyDictionary<string, byte[]> NoData = ReadOnlyDictionary<string, byte[]>.Empty;

    public static ResourceType Type { get; } = ResourceType.Of("v1", "Secret", "secrets");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }

    /// <summary>Base64 on the wire, bytes here.</summary>
    public IReadOnlyDictionary<string, byte[]> Data { get => field ?? NoData; init; }
    public IReadOnlyDictionary<string, string> StringData { get => field ?? ObjectMeta.NoEntries; init; }
    [System.Text.Json.Serialization.JsonPropertyName("type")] public string? SecretType { get; init; }
    public bool? Immutable { get; init; }

    /// <summary>Names the Secret only: its data are not for logs.</summary>
    public override string ToString() => $"Secret {Metadata.Namespace}/{Metadata.Name}";
}

public sealed record ServiceAccount : IResource<ServiceAccount>
{
    public static ResourceType Type { get; } = ResourceType.Of("v1", "ServiceAccount", "serviceaccounts");
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get => field ?? ObjectMeta.Empty; init; }
    public bool? AutomountServiceAccountToken { get; init; }
}
