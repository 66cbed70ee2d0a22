using System.Text.Json;
using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State.Json;

/// <summary>A value that has one text form, in both directions.</summary>
public abstract class TextConverter<T>(string what) : JsonConverter<T>
{
    protected abstract bool TryParse(string text, out T value);

    protected virtual string Print(T value) => $"{value}";

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && reader.GetString() is { } text && TryParse(text, out var value)
            ? value
            : throw new JsonException($"expected {what}");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(Print(value));
}

public sealed class IpAddressConverter() : TextConverter<IpAddress>("an IP address")
{
    protected override bool TryParse(string text, out IpAddress value) => IpAddress.TryParse(text, out value);
}

public sealed class IpPrefixConverter() : TextConverter<IpPrefix>("an IP prefix")
{
    protected override bool TryParse(string text, out IpPrefix value) => IpPrefix.TryParse(text, out value);
}

internal sealed class MacAddressConverter() : TextConverter<MacAddress>("a MAC address")
{
    protected override bool TryParse(string text, out MacAddress value) => MacAddress.TryParse(text, out value);
}

public sealed class NamespaceIdConverter() : TextConverter<NamespaceId>("a namespace's name")
{
    protected override bool TryParse(string text, out NamespaceId value)
    {
        value = new NamespaceId(text);
        return true;
    }
}

internal sealed class StampConverter() : TextConverter<Stamp>("a stamp")
{
    protected override bool TryParse(string text, out Stamp value)
    {
        value = new Stamp(text);
        return true;
    }
}

/// <summary>As a number: names of tables and protocols are a machine's own affair (<c>/etc/iproute2</c>).</summary>
internal sealed class RouteTableConverter : JsonConverter<RouteTable>
{
    public override RouteTable Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetUInt32());

    public override void Write(Utf8JsonWriter writer, RouteTable value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Number);
}

/// <inheritdoc cref="RouteTableConverter"/>
internal sealed class RouteProtocolConverter : JsonConverter<RouteProtocol>
{
    public override RouteProtocol Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetByte());

    public override void Write(Utf8JsonWriter writer, RouteProtocol value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Number);
}

internal sealed class NextHopsConverter : JsonConverter<ValueList<NextHop>>
{
    public override ValueList<NextHop> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        [.. JsonSerializer.Deserialize(ref reader, StateJsonContext.Default.NextHopArray) ?? []];

    public override void Write(Utf8JsonWriter writer, ValueList<NextHop> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.AsSpan().ToArray(), StateJsonContext.Default.NextHopArray);
}

internal sealed class WireguardPeersConverter : JsonConverter<ValueList<WireguardPeer>>
{
    public override ValueList<WireguardPeer> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        [.. JsonSerializer.Deserialize(ref reader, StateJsonContext.Default.WireguardPeerArray) ?? []];

    public override void Write(Utf8JsonWriter writer, ValueList<WireguardPeer> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.AsSpan().ToArray(), StateJsonContext.Default.WireguardPeerArray);
}

internal sealed class PrefixesConverter : JsonConverter<ValueList<IpPrefix>>
{
    public override ValueList<IpPrefix> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        [.. JsonSerializer.Deserialize(ref reader, StateJsonContext.Default.IpPrefixArray) ?? []];

    public override void Write(Utf8JsonWriter writer, ValueList<IpPrefix> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.AsSpan().ToArray(), StateJsonContext.Default.IpPrefixArray);
}

internal sealed class TextsConverter : JsonConverter<ValueList<string>>
{
    public override ValueList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        [.. JsonSerializer.Deserialize(ref reader, StateJsonContext.Default.StringArray) ?? []];

    public override void Write(Utf8JsonWriter writer, ValueList<string> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.AsSpan().ToArray(), StateJsonContext.Default.StringArray);
}
