using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Schema;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Http.Requests;

/// <summary>
/// Objects in the API's protobuf form, turned into the JSON that the rest of the server speaks: `k8s\0`, then runtime.Unknown of k8s.io/apimachinery. The fields are those of
/// <see cref="TypeTable"/>; others are of a newer release and are left out, as a server of this one does.
/// </summary>
internal static class Protobuf
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <exception cref="ApiException">400: no such message; 415: of a kind that is not known here.</exception>
    public static JsonObject Decode(ReadOnlySpan<byte> body, string expected = "")
    {
        if (!body.StartsWith(Magic))
            throw ApiException.BadRequest($"the object provided is unrecognized{(expected.Length > 0 ? $" (must be of type {expected})" : "")}: provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({Convert.ToHexStringLower(body[..Math.Min(body.Length, 1024)])})");
        string version = "", kind = "";
        ReadOnlySpan<byte> raw = default;
        var reader = new WireReader(body[Magic.Length..]);
        while (reader.Next())
        {
            if (reader.Field == 1)
                (version, kind) = TypeMeta(reader.Bytes);
            else if (reader.Field == 2)
                raw = reader.Bytes;
        }

        var slash = version.IndexOf('/', StringComparison.Ordinal);
        var type = TypeTable.Find(slash < 0 ? "" : version[..slash], kind)
            ?? throw new ApiException(415, "UnsupportedMediaType", $"{kind} of {version} is not read in protobuf form here: send application/json");
        var root = new JsonObject { ["kind"] = kind, ["apiVersion"] = version };
        Read(root, type.Wire, raw, 0);
        return root;
    }

    private static (string Version, string Kind) TypeMeta(ReadOnlySpan<byte> bytes)
    {
        string version = "", kind = "";
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                version = reader.Text;
            else if (reader.Field == 2)
                kind = reader.Text;
        }

        return (version, kind);
    }

    private static JsonObject Message(TypeSchema type, ReadOnlySpan<byte> bytes, int depth)
    {
        if (depth > JsonTrees.MaxDepth)
            throw ApiException.BadRequest("the object provided is unrecognized: exceeded max depth");
        var message = new JsonObject();
        Read(message, type.Wire, bytes, depth);
        return message;
    }

    private static void Read(JsonObject message, WireFields fields, ReadOnlySpan<byte> bytes, int depth)
    {
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (fields.Inlined.TryGetValue(reader.Field, out var inner))
                Read(message, inner, reader.Bytes, depth);
            else if (fields.Fields.TryGetValue(reader.Field, out var field))
                Add(message, field.Name, field.Type, ref reader, depth + 1);
        }
    }

    private static void Add(JsonObject message, string name, FieldType type, ref WireReader reader, int depth)
    {
        if (type.IsList)
        {
            if (message[name] is not JsonArray list)
                message[name] = list = [];
            if (IsNumber(type.Element!.Scalar) && reader.WireType == 2)
            {
                // Many in one go.
                for (var packed = new WireReader(reader.Bytes); packed.NextNumber();)
                    list.Add(Value(type.Element, ref packed, depth));
                return;
            }

            list.Add(Value(type.Element!, ref reader, depth));
        }
        else if (type.IsMap)
        {
            if (reader.WireType != 2)
                throw WrongType(reader);
            if (message[name] is not JsonObject map)
                message[name] = map = [];
            var (key, value) = Entry(type.Element!, reader.Bytes, depth);
            map[key] = value;
        }
        else if (Value(type, ref reader, depth) is var value && (type.IsZeroWritten || !IsZero(type.Scalar, reader)))
        {
            message[name] = value;
        }
    }

    /// <summary>Go leaves it out of JSON, and writes it here. A message that is empty is not nothing: a selector that selects all.</summary>
    private static bool IsZero(Scalar scalar, WireReader reader) => scalar switch
    {
        Scalar.Text or Scalar.Time or Scalar.MicroTime => reader.Bytes.IsEmpty,
        Scalar.Int32 or Scalar.Int64 or Scalar.Float64 or Scalar.Flag => reader.Number == 0,
        _ => false,
    };

    private static (string Key, JsonNode? Value) Entry(FieldType element, ReadOnlySpan<byte> bytes, int depth)
    {
        var key = "";
        // What an entry does not say is its type's zero, and that is an entry, too.
        var zero = new WireReader([]);
        var value = element.IsList ? new JsonArray() : Read(element, ref zero, depth);
        var entry = new WireReader(bytes);
        while (entry.Next())
        {
            if (entry.Field == 1)
                key = entry.Text;
            else if (entry.Field == 2)
                value = element.IsList ? Items(entry.Bytes) : Value(element, ref entry, depth);
        }

        return (key, value);
    }

    /// <summary>A map's entry that is a list (of texts: what else is known of a user) is a message of one field.</summary>
    private static JsonArray Items(ReadOnlySpan<byte> bytes)
    {
        var items = new JsonArray();
        var reader = new WireReader(bytes);
        while (reader.Next())
            items.Add((JsonNode)reader.Text);
        return items;
    }

    private static bool IsNumber(Scalar scalar) => scalar is Scalar.Int32 or Scalar.Int64 or Scalar.Flag;

    private static JsonNode? Value(FieldType type, ref WireReader reader, int depth)
    {
        var wanted = IsNumber(type.Scalar) ? 0 : type.Scalar == Scalar.Float64 ? 1 : 2;
        return reader.WireType == wanted ? Read(type, ref reader, depth) : throw WrongType(reader);
    }

    private static ApiException WrongType(WireReader reader) => ApiException.BadRequest($"the object provided is unrecognized: proto: wrong wireType = {reader.WireType} for field {reader.Field}");

    private static JsonNode? Read(FieldType type, ref WireReader reader, int depth) => type.Scalar switch
    {
        Scalar.Text => reader.Text,
        Scalar.Bytes => Convert.ToBase64String(reader.Bytes),
        Scalar.Int32 or Scalar.Int64 => reader.Number,
        Scalar.Float64 => BitConverter.Int64BitsToDouble(reader.Number),
        Scalar.Flag => reader.Number != 0,
        Scalar.Time => Timestamp(reader.Bytes) is { } time ? Rfc3339.Format(time) : null,
        Scalar.MicroTime => Timestamp(reader.Bytes) is { } time ? Rfc3339.FormatMicro(time) : null,
        Scalar.IntOrString => IntOrString(reader.Bytes),
        Scalar.Quantity => Field(reader.Bytes, 1) is { IsEmpty: false } text ? Encoding.UTF8.GetString(text) : "0",
        Scalar.Any => Anything(type.Named!.Name, reader.Bytes, depth),
        _ => Message(type.Named!, reader.Bytes, depth),
    };

    /// <summary>Seconds since 1970 and nanoseconds (google.protobuf.Timestamp).</summary>
    private static DateTimeOffset? Timestamp(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return null;
        long seconds = 0, nanoseconds = 0;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                seconds = reader.Number;
            else if (reader.Field == 2)
                nanoseconds = reader.Number;
        }

        try
        {
            return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized: {seconds} seconds are no time that can be written");
        }
    }

    private static JsonNode IntOrString(ReadOnlySpan<byte> bytes)
    {
        long type = 0, number = 0;
        var text = "";
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                type = reader.Number;
            else if (reader.Field == 2)
                number = reader.Number;
            else if (reader.Field == 3)
                text = reader.Text;
        }

        return type == 0 ? number : text;
    }

    /// <summary>What JSON has in more than one form: a message says which by its fields, or holds the JSON itself.</summary>
    private static JsonNode? Anything(string type, ReadOnlySpan<byte> bytes, int depth)
    {
        if (type is not ("JSONSchemaPropsOrBool" or "JSONSchemaPropsOrArray" or "JSONSchemaPropsOrStringArray"))
            return Json(Field(bytes, 1));
        var schema = TypeTable.Named("JSONSchemaProps");
        JsonNode? one = null;
        var items = new JsonArray();
        var allows = false;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            switch (type, reader.Field)
            {
                case ("JSONSchemaPropsOrBool", 1):
                    allows = reader.Number != 0;
                    break;
                case ("JSONSchemaPropsOrBool", 2) or ("JSONSchemaPropsOrArray", 1) or ("JSONSchemaPropsOrStringArray", 1):
                    one = Message(schema, reader.Bytes, depth);
                    break;
                case ("JSONSchemaPropsOrArray", 2):
                    items.Add(Message(schema, reader.Bytes, depth));
                    break;
                case ("JSONSchemaPropsOrStringArray", 2):
                    items.Add((JsonNode)reader.Text);
                    break;
            }
        }

        return one ?? (type == "JSONSchemaPropsOrBool" ? allows : items);
    }

    private static JsonNode? Json(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return null;
        try
        {
            return JsonNode.Parse(bytes, null, new JsonDocumentOptions { MaxDepth = JsonTrees.MaxDepth });
        }
        catch (JsonException)
        {
            throw ApiException.BadRequest("the object provided is unrecognized: JSON inside the protobuf message is broken or nested too deeply");
        }
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> bytes, int number)
    {
        ReadOnlySpan<byte> found = default;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == number)
                found = reader.Bytes;
        }

        return found;
    }

    /// <summary>Walks over the fields of one message.</summary>
    private ref struct WireReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public int Field { get; private set; }

        public int WireType { get; private set; }

        public ReadOnlySpan<byte> Bytes { get; private set; }

        public long Number { get; private set; }

        public readonly string Text => Encoding.UTF8.GetString(Bytes);

        public bool Next()
        {
            if (_rest.IsEmpty)
                return false;
            var tag = Varint();
            Field = (int)(tag >> 3);
            WireType = (int)(tag & 7);
            Bytes = default;
            Number = 0;
            switch (WireType)
            {
                case 0:
                    Number = Varint();
                    return true;
                case 1 when _rest.Length >= 8:
                    Number = BinaryPrimitives.ReadInt64LittleEndian(_rest);
                    _rest = _rest[8..];
                    return true;
                case 2:
                    var length = Varint();
                    if (length < 0 || length > _rest.Length)
                        throw Short();
                    Bytes = _rest[..(int)length];
                    _rest = _rest[(int)length..];
                    return true;
                case 5 when _rest.Length >= 4:
                    Number = BinaryPrimitives.ReadInt32LittleEndian(_rest);
                    _rest = _rest[4..];
                    return true;
                default:
                    throw Short();
            }
        }

        /// <summary>Of a packed list: numbers without tags.</summary>
        public bool NextNumber()
        {
            if (_rest.IsEmpty)
                return false;
            WireType = 0;
            Number = Varint();
            return true;
        }

        private long Varint()
        {
            long value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                if (_rest.IsEmpty)
                    throw Short();
                var next = _rest[0];
                _rest = _rest[1..];
                value |= (long)(next & 0x7F) << shift;
                if (next < 0x80)
                    return value;
            }

            throw Short();
        }

        private static ApiException Short() => ApiException.BadRequest("the object provided is unrecognized: the protobuf message is cut short");
    }
}
