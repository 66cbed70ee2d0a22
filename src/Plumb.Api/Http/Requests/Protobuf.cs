using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Requests;

/// <summary>
/// Objects in the API's protobuf form, turned into the JSON that the rest of the server speaks. Only as much as kubectl sends (see <see cref="WireTypes"/>);
/// fields without a name there are refused, never lost.
/// </summary>
internal static class Protobuf
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private static readonly Lazy<Dictionary<string, Dictionary<int, (string Name, string Type)>>> Types = new(Parse);

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <exception cref="ApiException">400: no such message, or one that cannot be turned into JSON.</exception>
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

        var root = new JsonObject { ["kind"] = kind, ["apiVersion"] = version };
        foreach (var (name, value) in Message(kind, raw).ToArray())
            root[name] = value?.DeepClone();
        return root;
    }

    private static (string Version, string Kind) TypeMeta(ReadOnlySpan<byte> bytes)
    {
        string version = "", kind = "";
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                version = Encoding.UTF8.GetString(reader.Bytes);
            else if (reader.Field == 2)
                kind = Encoding.UTF8.GetString(reader.Bytes);
        }

        return (version, kind);
    }

    private static JsonObject Message(string type, ReadOnlySpan<byte> bytes)
    {
        if (!Types.Value.TryGetValue(type, out var fields))
            throw Unknown(type, 0);
        var message = new JsonObject();
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (!fields.TryGetValue(reader.Field, out var field))
            {
                // What has only empty content (a status, a set of resources) says nothing.
                if (reader.IsEmpty)
                    continue;
                throw Unknown(type, reader.Field);
            }

            Add(message, field.Name, field.Type, ref reader);
        }

        return message;
    }

    private static void Add(JsonObject message, string name, string type, ref WireReader reader)
    {
        if (type.StartsWith("[]", StringComparison.Ordinal))
        {
            if (message[name] is not JsonArray list)
                message[name] = list = [];
            list.Add(Value(type[2..] + "!", ref reader));
        }
        else if (type.StartsWith("map:", StringComparison.Ordinal))
        {
            if (message[name] is not JsonObject map)
                message[name] = map = [];
            var key = "";
            JsonNode? value = type == "map:bytes" ? "" : JsonValue.Create("");
            var entry = new WireReader(reader.Bytes);
            while (entry.Next())
            {
                if (entry.Field == 1)
                    key = Encoding.UTF8.GetString(entry.Bytes);
                else if (entry.Field == 2)
                    value = Value(type[4..] + "!", ref entry);
            }

            map[key] = value;
        }
        else if (name == "-")
        {
            foreach (var (member, inner) in Message(type, reader.Bytes).ToArray())
                message[member] = inner?.DeepClone();
        }
        else if (Value(type, ref reader) is { } value)
        {
            message[name] = value;
        }
    }

    /// <returns>Null for a zero that means absence.</returns>
    private static JsonNode? Value(string type, ref WireReader reader)
    {
        var zeroCounts = type.EndsWith('!');
        switch (zeroCounts ? type[..^1] : type)
        {
            case "string":
                var text = Encoding.UTF8.GetString(reader.Bytes);
                return text.Length == 0 && !zeroCounts ? null : text;
            case "bytes":
                return Convert.ToBase64String(reader.Bytes);
            case "int32" or "int64":
                return reader.Number == 0 && !zeroCounts ? null : reader.Number;
            case "bool":
                return reader.Number == 0 && !zeroCounts ? null : reader.Number != 0;
            case "time":
                return Time(reader.Bytes);
            case "intstr":
                return IntOrString(reader.Bytes);
            case "quantity":
                return Message("Quantity", reader.Bytes)["string"]?.DeepClone();
            case var named:
                var message = Message(named, reader.Bytes);
                return message.Count == 0 && named == "ObjectMeta" ? null : message;
        }
    }

    private static JsonNode? Time(ReadOnlySpan<byte> bytes)
    {
        long seconds = 0;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                seconds = reader.Number;
        }

        return bytes.IsEmpty ? null : Resources.Registry.FormatTime(DateTimeOffset.FromUnixTimeSeconds(seconds));
    }

    private static JsonNode? IntOrString(ReadOnlySpan<byte> bytes)
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
                text = Encoding.UTF8.GetString(reader.Bytes);
        }

        return type == 0 ? number : text;
    }

    private static ApiException Unknown(string type, int field) => new(415, "UnsupportedMediaType", field == 0
        ? $"{type} is not read in protobuf form here: send application/json"
        : $"field {field.ToString(CultureInfo.InvariantCulture)} of {type} is not read in protobuf form here: send application/json");

    private static Dictionary<string, Dictionary<int, (string Name, string Type)>> Parse()
    {
        var types = new Dictionary<string, Dictionary<int, (string, string)>>();
        foreach (var line in WireTypes.Text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            var fields = types[words[0]] = [];
            foreach (var word in words.AsSpan(1))
            {
                var parts = word.Split(':', 3);
                fields.Add(int.Parse(parts[0], CultureInfo.InvariantCulture), (parts[1], parts[2]));
            }
        }

        return types;
    }

    /// <summary>Walks over the fields of one message.</summary>
    private ref struct WireReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public int Field { get; private set; }

        public ReadOnlySpan<byte> Bytes { get; private set; }

        public long Number { get; private set; }

        /// <summary>Zero, or a message in which there is nothing but such.</summary>
        public readonly bool IsEmpty
        {
            get
            {
                if (Number != 0)
                    return false;
                var inner = new WireReader(Bytes);
                try
                {
                    while (inner.Next())
                    {
                        if (!inner.IsEmpty)
                            return false;
                    }

                    return true;
                }
                catch (ApiException)
                {
                    // Text rather than a message.
                    return false;
                }
            }
        }

        public bool Next()
        {
            if (_rest.IsEmpty)
                return false;
            var tag = Varint();
            Field = (int)(tag >> 3);
            Bytes = default;
            Number = 0;
            switch (tag & 7)
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
