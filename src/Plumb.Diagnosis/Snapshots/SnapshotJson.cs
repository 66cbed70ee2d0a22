using System.Text.Json.Serialization;
using Plumb.Linux.State;
using Plumb.Linux.Json;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>The words that lines of a snapshot begin with. Old files have them: they may be added to, not renamed.</summary>
internal static class LineKinds
{
    public const string Header = "plumb-snapshot";
    public const string Party = "party";
    public const string Object = "object";
    public const string Plan = "plan";
    public const string Space = "space";
    public const string Entries = "entries";
    public const string Sockets = "sockets";
    public const string Connections = "connections";
    public const string Sets = "ipsets";
    public const string VirtualServices = "ipvs";
    public const string Missing = "missing";
    public const string End = "end";

    /// <summary>Beside the kinds that speak of a namespace: its name.</summary>
    public const string In = "in";
}

/// <param name="Parameters">Kernel parameters that a walk may ask for, by path below <c>/proc/sys</c>.</param>
/// <param name="Unread">Kinds of entry of which some could not be read, and why.</param>
internal sealed record SpaceLine(SortedDictionary<string, string> Parameters, Dictionary<EntryKind, string>? Unread = null);

/// <param name="Lines">How many there are, this one included.</param>
internal sealed record EndLine(long Lines);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    Converters = [typeof(IpAddressConverter), typeof(IpPrefixConverter), typeof(NamespaceIdConverter)])]
[JsonSerializable(typeof(SnapshotHeader))]
[JsonSerializable(typeof(SnapshotParty))]
[JsonSerializable(typeof(SpaceLine))]
[JsonSerializable(typeof(EndLine))]
[JsonSerializable(typeof(string))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
