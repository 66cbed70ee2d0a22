using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plumb.Kubernetes.Json;

/// <summary>RFC 3339 as the API writes it: UTC with `Z`, whole seconds (meta/v1 Time), or microseconds (MicroTime).</summary>
public static class Rfc3339
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string FormatMicro(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static bool TryParse(ReadOnlySpan<char> text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}

internal sealed class TimeConverter : JsonConverter<DateTimeOffset?>
{
    public override DateTimeOffset? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(ref reader);

    public override void Write(Utf8JsonWriter writer, DateTimeOffset? value, JsonSerializerOptions options)
    {
        if (value is { } time)
            writer.WriteStringValue(Rfc3339.Format(time));
        else
            writer.WriteNullValue();
    }

    internal static DateTimeOffset? Parse(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (reader.TokenType != JsonTokenType.String)
            throw new JsonException("expected a time (RFC 3339)");
        if (reader.TryGetDateTimeOffset(out var time))
            return time;
        string text = reader.GetString()!;
        return Rfc3339.TryParse(text, out time) ? time : throw new JsonException($"\"{text}\" is not a time (RFC 3339)");
    }
}

internal sealed class MicroTimeConverter : JsonConverter<DateTimeOffset?>
{
    public override DateTimeOffset? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => TimeConverter.Parse(ref reader);

    public override void Write(Utf8JsonWriter writer, DateTimeOffset? value, JsonSerializerOptions options)
    {
        if (value is { } time)
            writer.WriteStringValue(Rfc3339.FormatMicro(time));
        else
            writer.WriteNullValue();
    }
}
