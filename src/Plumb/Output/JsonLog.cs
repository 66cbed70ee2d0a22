using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Plumb.Output;

/// <summary>
/// A log of one JSON object a line, for collectors: `time` (RFC 3339, UTC), `level`, `event` (its number), `name`, `message`, `parts` (what the
/// message is made of, each under its own name); `error` where something was thrown.
/// </summary>
internal sealed class JsonLog(TextWriter to, TimeProvider time) : ILogger
{
    private const string Template = "{OriginalFormat}"; // where Microsoft.Extensions.Logging keeps the message's pattern

    private readonly Lock _oneAtATime = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", logLevel.ToString().ToLowerInvariant());
            json.WriteNumber("event", eventId.Id);
            json.WriteString("name", eventId.Name);
            json.WriteString("message", formatter(state, exception));
            json.WriteStartObject("parts");
            foreach (var (key, value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
            {
                if (key != Template)
                {
                    json.WriteString(JsonNamingPolicy.CamelCase.ConvertName(key), Convert.ToString(value, CultureInfo.InvariantCulture));
                }
            }
            json.WriteEndObject();
            if (exception is not null)
            {
                json.WriteString("error", exception.ToString());
            }
            json.WriteEndObject();
        }
        lock (_oneAtATime)
        {
            to.WriteLine(System.Text.Encoding.UTF8.GetString(line.WrittenSpan));
            to.Flush();
        }
    }
}
