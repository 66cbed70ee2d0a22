using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Benchmarks.Wire;

/// <summary>A field of a message: where it stands in JSON and on the wire, and how its value is written.</summary>
/// <param name="IsAlways">Written also when it is absent from JSON, as Go's generated code does of whatever is no pointer, list or map.</param>
internal sealed record ProtobufField(int Number, string Name, ProtobufType Type, bool IsAlways = false);

/// <summary>How one value is written. Lists are repeated fields of their element's type.</summary>
/// <param name="Wire">0: a varint; 2: bytes after their length.</param>
/// <param name="Write">Null in: absent from JSON, the zero value.</param>
internal sealed record ProtobufType(int Wire, Action<JsonNode?, Stream> Write, bool IsMap = false)
{
    private static readonly JsonSerializerOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ProtobufType Text { get; } = new(2, static (value, to) => to.Write(Encoding.UTF8.GetBytes(value?.GetValue<string>() ?? "")));

    public static ProtobufType Number { get; } = new(0, static (value, to) => to.WriteVarint((ulong)(value?.GetValue<long>() ?? 0)));

    public static ProtobufType Flag { get; } = new(0, static (value, to) => to.WriteVarint(value?.GetValue<bool>() == true ? 1ul : 0));

    /// <summary>meta/v1 FieldsV1 and its like: the JSON itself.</summary>
    public static ProtobufType Json { get; } = new(2, static (value, to) => to.WriteField(1, Encoding.UTF8.GetBytes(value?.ToJsonString(_plain) ?? "null")));

    public static ProtobufType Quantity { get; } = new(2, static (value, to) => to.WriteField(1, Encoding.UTF8.GetBytes(value?.GetValue<string>() ?? "0")));

    public static ProtobufType Time { get; } = new(2, static (value, to) =>
    {
        if (value is not null)
        {
            to.WriteField(1, (ulong)DateTimeOffset.Parse(value.GetValue<string>()).ToUnixTimeSeconds());
            to.WriteField(2, 0);
        }
    });

    public static ProtobufType IntOrString { get; } = new(2, static (value, to) =>
    {
        var isText = value?.GetValueKind() == JsonValueKind.String;
        to.WriteField(1, isText ? 1ul : 0);
        to.WriteField(2, isText ? 0 : (ulong)(value?.GetValue<long>() ?? 0));
        to.WriteField(3, Encoding.UTF8.GetBytes(isText ? value!.GetValue<string>() : ""));
    });

    /// <param name="fields">By number, which is the order of the server's bytes.</param>
    public static ProtobufType Message(params ProtobufField[] fields) => new(2, (value, to) =>
    {
        foreach (var field in fields)
        {
            to.WriteField(field, value?[field.Name]);
        }
    });

    /// <summary>A repeated message of key and value, by the bytes of the key.</summary>
    public static ProtobufType Map(ProtobufType of) => new(2, of.Write, IsMap: true);
}

internal static class ProtobufStream
{
    public static void WriteField(this Stream to, ProtobufField field, JsonNode? value)
    {
        switch (value)
        {
            case JsonArray list:
                foreach (var item in list)
                {
                    to.WriteValue(field, item);
                }
                break;
            case JsonObject map when field.Type.IsMap:
                foreach (var (key, item) in map.OrderBy(static entry => entry.Key, StringComparer.Ordinal))
                {
                    using var entry = new MemoryStream();
                    entry.WriteField(1, Encoding.UTF8.GetBytes(key));
                    entry.WriteValue(new ProtobufField(2, "", field.Type), item);
                    to.WriteField(field.Number, entry.ToArray());
                }
                break;
            default:
                if (value is not null || field.IsAlways)
                    to.WriteValue(field, value);
                break;
        }
    }

    public static void WriteField(this Stream to, int number, ReadOnlySpan<byte> bytes)
    {
        to.WriteVarint(((ulong)number << 3) | 2);
        to.WriteVarint((ulong)bytes.Length);
        to.Write(bytes);
    }

    public static void WriteField(this Stream to, int number, ulong value)
    {
        to.WriteVarint((ulong)number << 3);
        to.WriteVarint(value);
    }

    public static void WriteVarint(this Stream to, ulong value)
    {
        for (; value > 127; value >>= 7)
        {
            to.WriteByte((byte)(value | 128));
        }
        to.WriteByte((byte)value);
    }

    /// <summary>What stands before each event of a watch: how many bytes it has.</summary>
    public static void WriteFrame(this Stream to, ReadOnlySpan<byte> message)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, message.Length);
        to.Write(length);
        to.Write(message);
    }

    private static void WriteValue(this Stream to, ProtobufField field, JsonNode? value)
    {
        using var content = new MemoryStream();
        field.Type.Write(value, content);
        to.WriteVarint(((ulong)field.Number << 3) | (uint)field.Type.Wire);
        if (field.Type.Wire == 2)
            to.WriteVarint((ulong)content.Length);
        content.WriteTo(to);
    }
}
