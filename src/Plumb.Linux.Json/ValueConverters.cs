using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.Json;

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

/// <summary>As an array.</summary>
internal abstract class ValueListConverter<T>(Func<JsonTypeInfo<T[]>> items) : JsonConverter<ValueList<T>>
{
    public override ValueList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => [.. JsonSerializer.Deserialize(ref reader, items()) ?? []];

    public override void Write(Utf8JsonWriter writer, ValueList<T> value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.AsSpan().ToArray(), items());
}

internal sealed class NextHopsConverter() : ValueListConverter<NextHop>(static () => StateJsonContext.Default.NextHopArray);

internal sealed class WireguardPeersConverter() : ValueListConverter<WireguardPeer>(static () => StateJsonContext.Default.WireguardPeerArray);

internal sealed class PrefixesConverter() : ValueListConverter<IpPrefix>(static () => StateJsonContext.Default.IpPrefixArray);

internal sealed class TextsConverter() : ValueListConverter<string>(static () => StateJsonContext.Default.StringArray);

internal sealed class FilterRulesConverter() : ValueListConverter<FilterRule>(static () => StateJsonContext.Default.FilterRuleArray);

internal sealed class FilterKeysConverter() : ValueListConverter<FilterKey>(static () => StateJsonContext.Default.FilterKeyArray);

internal sealed class FilterActionsConverter() : ValueListConverter<FilterAction>(static () => StateJsonContext.Default.FilterActionArray);
