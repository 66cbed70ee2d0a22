using System.Collections.ObjectModel;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plumb.Kubernetes.Json;

/// <summary>An amount as it was written (`100m`, `1.5Gi`, `2e3`). Plumb counts no resources: it shows and compares them.</summary>
[JsonConverter(typeof(QuantityConverter))]
public readonly record struct Quantity(string Text)
{
    internal static readonly IReadOnlyDictionary<string, Quantity> None = ReadOnlyDictionary<string, Quantity>.Empty;

    public override string ToString() => Text ?? "0";

    public static bool TryParse(string text, out decimal value)
    {
        value = 0;
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.' || (end == 0 && text[end] is '+' or '-')))
            end++;
        if (!decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        if (Scale(text[end..]) is not { } scale || (scale > 1 && Math.Abs(number) > decimal.MaxValue / scale))
            return false;
        value = number * scale;
        return true;
    }

    private static decimal? Scale(string suffix) => suffix switch
    {
        "" => 1m,
        "n" => 0.000_000_001m,
        "u" => 0.000_001m,
        "m" => 0.001m,
        "k" => 1_000m,
        "M" => 1_000_000m,
        "G" => 1_000_000_000m,
        "T" => 1_000_000_000_000m,
        "P" => 1_000_000_000_000_000m,
        "E" => 1_000_000_000_000_000_000m,
        "Ki" => 1024m,
        "Mi" => 1024m * 1024,
        "Gi" => 1024m * 1024 * 1024,
        "Ti" => 1024m * 1024 * 1024 * 1024,
        "Pi" => 1024m * 1024 * 1024 * 1024 * 1024,
        "Ei" => 1024m * 1024 * 1024 * 1024 * 1024 * 1024,
        _ when suffix[0] is 'e' or 'E' && int.TryParse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && power is >= -18 and <= 18 =>
            (decimal)Math.Pow(10, power),
        _ => null,
    };
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
