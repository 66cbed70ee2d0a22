using System.Text.Json;
using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Lab;

/// <summary>What crosses between a lab's process and the commands that ask it: options, progress, status.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(LabNameConverter), typeof(IpPrefixConverter), typeof(IpAddressConverter), typeof(JsonStringEnumConverter<Network.Facts.OverlayKind>), typeof(JsonStringEnumConverter<Network.Facts.ServicesKind>)])]
[JsonSerializable(typeof(LabOptions))]
[JsonSerializable(typeof(LabProgress))]
[JsonSerializable(typeof(LabStatus))]
[JsonSerializable(typeof(LabFailure))]
internal sealed partial class LabJson : JsonSerializerContext;

/// <summary>Why a request to the lab failed, in one line.</summary>
internal sealed record LabFailure(string Message);

internal sealed class LabNameConverter : JsonConverter<LabName>
{
    public override LabName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        LabName.Parse(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, LabName value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class IpPrefixConverter : JsonConverter<IpPrefix>
{
    public override IpPrefix Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        IpPrefix.TryParse(reader.GetString(), out var prefix) ? prefix : throw new JsonException("not an address range");

    public override void Write(Utf8JsonWriter writer, IpPrefix value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class IpAddressConverter : JsonConverter<IpAddress>
{
    public override IpAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        IpAddress.TryParse(reader.GetString(), out var address) ? address : throw new JsonException("not an address");

    public override void Write(Utf8JsonWriter writer, IpAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
