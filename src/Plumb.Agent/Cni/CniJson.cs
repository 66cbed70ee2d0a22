using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plumb.Agent.Cni;

/// <summary>Body of <c>POST /cni</c>: the plugin's environment and what the runtime wrote to its standard input.</summary>
/// <param name="Environment">CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH.</param>
/// <param name="Stdin">The network configuration: the JSON object, or its text as a string (then even a broken one gets its answer).</param>
public sealed record CniCall(IReadOnlyDictionary<string, string>? Environment, JsonElement Stdin);

/// <summary>What a plugin prints when it fails.</summary>
public sealed record CniErrorBody(string CniVersion, int Code, string Msg, string? Details);

/// <summary>What a plugin prints after ADD.</summary>
public sealed record CniResult(
    string CniVersion,
    IReadOnlyList<CniInterface> Interfaces,
    IReadOnlyList<CniAddress> Ips,
    IReadOnlyList<CniRoute> Routes,
    CniDns Dns);

/// <param name="Mtu">Since 1.1.0.</param>
/// <param name="Sandbox">Path of the network namespace; absent for interfaces of the node.</param>
public sealed record CniInterface(string Name, string? Mac, int? Mtu, string? Sandbox);

/// <param name="Version"><c>4</c> or <c>6</c>, before 1.0.0.</param>
/// <param name="Interface">Index in the list of interfaces.</param>
public sealed record CniAddress(string? Version, string Address, string? Gateway, int? Interface);

public sealed record CniRoute(string Dst, string? Gw);

public sealed record CniDns;

/// <summary>Answer to VERSION.</summary>
public sealed record CniVersions(string CniVersion, IReadOnlyList<string> SupportedVersions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CniCall))]
[JsonSerializable(typeof(CniErrorBody))]
[JsonSerializable(typeof(CniResult))]
[JsonSerializable(typeof(CniVersions))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class CniJson : JsonSerializerContext;
