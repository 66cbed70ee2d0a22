using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plumb.Kubernetes.Json;

/// <summary>A number, or a text such as a port's name or `25%`. The default is the number 0.</summary>
[JsonConverter(typeof(IntOrStringConverter))]
public readonly record struct IntOrString
{
    public IntOrString(int number) => Number = number;

    public IntOrString(string text) => Text = text;

    /// <summary>0 when it is a text.</summary>
    public int Number { get; }

    /// <summary>Null when it is a number.</summary>
    public string? Text { get; }

    public static implicit operator IntOrString(int number) => new(number);

    public static implicit operator IntOrString(string text) => new(text);

    public static IntOrString FromInt32(int number) => new(number);

    public static IntOrString FromString(string text) => new(text);

    /// <summary>The number itself, or `N%` of <paramref name="total"/>, rounded as asked. Null for a text that is no percentage.</summary>
    public int? Of(int total, bool roundUp)
    {
        if (Text is null)
            return Number;
        if (!Text.EndsWith('%') || !int.TryParse(Text.AsSpan(0, Text.Length - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int percent))
            return null;
        long product = (long)percent * total;
        return (int)(roundUp ? (product + 99) / 100 : product / 100);
    }

    public override string ToString() => Text ?? Number.ToString(CultureInfo.InvariantCulture);
}

internal sealed class IntOrStringConverter : JsonConverter<IntOrString>
{
    public override IntOrString Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number => new(reader.GetInt32()),
        JsonTokenType.String => new(reader.GetString()!),
        _ => throw new JsonException("expected a number or a string"),
    };

    public override void Write(Utf8JsonWriter writer, IntOrString value, JsonSerializerOptions options)
    {
        if (value.Text is null)
            writer.WriteNumberValue(value.Number);
        else
            writer.WriteStringValue(value.Text);
    }
}
