using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Api.Discovery;

/// <summary>
/// An OpenAPI document of version 2 in protobuf (gnostic's `openapi.v2.Document`), the only form that a kubectl before 1.27 asks for. Only what such a one reads is written; the numbers
/// are those of the messages' fields.
/// </summary>
internal static class OpenApiProtobuf
{
    public const string ContentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    public static byte[] Document(JsonNode document)
    {
        var message = new Message();
        message.Text(1, "2.0");
        message.Inner(8, Named(document["paths"]!.AsObject(), 2, Path));
        message.Inner(9, Named(document["definitions"]!.AsObject(), 1, Schema));
        return message.ToArray();
    }

    /// <summary>A list of pairs, each a message of name and value.</summary>
    private static Message Named(JsonObject members, int number, Func<JsonObject, Message> write)
    {
        var message = new Message();
        foreach (var (name, value) in members)
        {
            var pair = new Message();
            pair.Text(1, name);
            pair.Inner(2, write(value!.AsObject()));
            message.Inner(number, pair);
        }

        return message;
    }

    private static Message Path(JsonObject path)
    {
        var message = new Message();
        foreach (var (name, number) in (ReadOnlySpan<(string, int)>)[("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)])
        {
            if (path[name] is JsonObject operation)
                message.Inner(number, Operation(operation));
        }

        return message;
    }

    private static Message Operation(JsonObject operation)
    {
        var message = new Message();
        foreach (var parameter in operation["parameters"]!.AsArray())
        {
            var query = new Message();
            query.Text(2, "query");
            query.Text(4, (string)parameter!["name"]!);
            message.Inner(8, Wrapped(query, 3, 2, 1));
        }

        Extensions(message, 13, operation);
        return message;
    }

    private static Message Schema(JsonObject schema)
    {
        var message = new Message();
        Text(1, "$ref");
        Text(2, "format");
        Text(4, "description");
        Text(13, "pattern");
        foreach (var name in schema["required"] as JsonArray ?? [])
            message.Text(19, (string)name!);
        if (schema["additionalProperties"] is JsonObject element)
            message.Inner(21, Wrapped(Schema(element), 1));
        if (schema["type"] is { } type)
        {
            var item = new Message();
            item.Text(1, (string)type!);
            message.Inner(22, item);
        }

        if (schema["items"] is JsonObject items)
            message.Inner(23, Wrapped(Schema(items), 1));
        if (schema["properties"] is JsonObject properties)
            message.Inner(25, Named(properties, 1, Schema));
        Extensions(message, 31, schema);
        return message;

        void Text(int number, string name)
        {
            if (schema[name] is { } value)
                message.Text(number, (string)value!);
        }
    }

    /// <summary>Their values are YAML, and so may be JSON.</summary>
    private static void Extensions(Message message, int number, JsonObject members)
    {
        foreach (var (name, value) in members)
        {
            if (!name.StartsWith("x-", StringComparison.Ordinal) || value is null)
                continue;
            var text = new Message();
            text.Text(2, value.ToJsonString());
            var pair = new Message();
            pair.Text(1, name);
            pair.Inner(2, text);
            message.Inner(number, pair);
        }
    }

    private static Message Wrapped(Message message, params ReadOnlySpan<int> numbers)
    {
        foreach (var number in numbers)
        {
            var outer = new Message();
            outer.Inner(number, message);
            message = outer;
        }

        return message;
    }

    /// <summary>Fields that have a length: texts and messages are all that is written here.</summary>
    private sealed class Message
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public void Text(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

        public void Inner(int number, Message message) => Field(number, message._bytes.WrittenSpan);

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

        private void Field(int number, ReadOnlySpan<byte> content)
        {
            Number((number << 3) | 2);
            Number(content.Length);
            _bytes.Write(content);
        }

        private void Number(int value)
        {
            for (; value >= 0x80; value >>= 7)
                _bytes.Write([(byte)(value | 0x80)]);
            _bytes.Write([(byte)value]);
        }
    }
}
