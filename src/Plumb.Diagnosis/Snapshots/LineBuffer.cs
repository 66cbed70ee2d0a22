using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>Some lines of a snapshot, not yet compressed.</summary>
internal sealed class LineBuffer : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _bytes = new(1 << 12);
    private readonly Utf8JsonWriter _json;

    public LineBuffer() => _json = new Utf8JsonWriter(_bytes, Options);

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>How many lines.</summary>
    public int Count { get; private set; }

    public void Add<T>(string kind, T value, JsonTypeInfo<T> type, NamespaceId? space = null) => Add(kind, json => JsonSerializer.Serialize(json, value, type), space);

    public void Add(string kind, Action<Utf8JsonWriter> value, NamespaceId? space = null)
    {
        _json.WriteStartObject();
        if (space is { } id)
        {
            _json.WriteString(LineKinds.In, id.Name);
        }
        _json.WritePropertyName(kind);
        value(_json);
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        _bytes.Write("\n"u8);
        Count++;
    }

    public void Clear()
    {
        _bytes.ResetWrittenCount();
        Count = 0;
    }

    public void Dispose() => _json.Dispose();
}
