using System.Collections.ObjectModel;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plumb.Kubernetes.Json;

/// <summary>An amount as it was written (`100m`, `1Gi`, `10`). Plumb counts no resources: it only shows them.</summary>
[JsonConverter(typeof(QuantityConverter))]
public readonly record struct Quantity(string Text)
{
    internal static readonly IReadOnlyDictionary<string, Quantity> None = ReadOnlyDictionary<string, Quantity>.Empty;

    public override string ToString() => Text ?? "0";
}

internal sealed class QuantityConverter : JsonConverter<Quantity>
{
    public override Quantity Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.String => new(reader.GetString()!),
        // A manifest may say `cpu: 1`; only the API server's answers are always strings.
        JsonTokenType.Number => new(Encoding.UTF8.GetString(reader.ValueSpan)),
        _ => throw new JsonException("expected a quantity: a string or a number"),
    };

    public override void Write(Utf8JsonWriter writer, Quantity value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
