using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Plumb.Agent.Cni;

/// <summary>What a plugin prints when it fails.</summary>
public sealed record CniErrorBody(string CniVersion, int Code, string Msg, string? Details);

/// <summary>What a plugin prints after ADD.</summary>
public sealed record CniResult(
    string CniVersion,
    IReadOnlyList<CniInterface> Interfaces,
    IReadOnlyList<CniAddress> Ips,
    IReadOnlyList<CniRoute> Routes,
    CniDns Dns);

/// <summary>An interface that ADD made.</summary>
public sealed record CniInterface
{
    public required string Name { get; init; }

    public string? Mac { get; init; }

    /// <summary>Bytes; since 1.1.0.</summary>
    public int? Mtu { get; init; }

    /// <summary>Path of the network namespace; absent for interfaces of the node.</summary>
    public string? Sandbox { get; init; }
}

/// <summary>An address that ADD gave.</summary>
public sealed record CniAddress
{
    /// <summary><c>4</c> or <c>6</c>, before 1.0.0.</summary>
    public string? Version { get; init; }

    /// <summary>With prefix length: <c>10.244.1.5/32</c>.</summary>
    public required string Address { get; init; }

    public string? Gateway { get; init; }

    /// <summary>Index in the list of interfaces.</summary>
    public int? Interface { get; init; }
}

public sealed record CniRoute(string Dst, string? Gw);

/// <summary>For the pod's resolver; what is not told is null.</summary>
public sealed record CniDns
{
    public IReadOnlyList<string>? Nameservers { get; init; }

    public string? Domain { get; init; }

    public IReadOnlyList<string>? Search { get; init; }

    public IReadOnlyList<string>? Options { get; init; }
}

/// <summary>Answer to VERSION.</summary>
public sealed record CniVersions(string CniVersion, IReadOnlyList<string> SupportedVersions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CniErrorBody))]
[JsonSerializable(typeof(CniResult))]
[JsonSerializable(typeof(CniVersions))]
[JsonSerializable(typeof(JsonNode))]
public sealed partial class CniJson : JsonSerializerContext;
