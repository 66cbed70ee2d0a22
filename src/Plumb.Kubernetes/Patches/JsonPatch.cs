using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Patches;

/// <summary>RFC 6902: a list of operations, done all or none. Paths are RFC 6901 pointers.</summary>
public sealed class JsonPatch : Patch
{
    private const int MaxOperations = 10_000;

    private readonly JsonArray operations;

    private JsonPatch(JsonArray operations) => this.operations = operations;

    public override PatchKind Kind => PatchKind.Json;

    public override JsonNode ToNode() => operations.DeepClone();

    /// <exception cref="PatchException">Not a list of operations.</exception>
    public static JsonPatch Parse(JsonNode? node)
    {
        if (node is not JsonArray list)
            throw Malformed($"json: cannot unmarshal {GoJson.TypeName(node)} into Go value of type []handlers.jsonPatchOp");
        if (list.Count > MaxOperations)
            throw new PatchException(PatchFailure.TooLarge, $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {list.Count}");
        foreach (var item in list)
        {
            if (item is not JsonObject)
                throw Malformed($"json: cannot unmarshal {GoJson.TypeName(item)} into Go value of type handlers.jsonPatchOp");
        }
        return new(list);
    }

    public override JsonObject Apply(JsonObject original, GroupVersionKind kind) =>
        Apply(original) as JsonObject ?? throw Inapplicable("the result is no object");

    /// <summary>Applies to any document, as the RFC has it.</summary>
    public JsonNode? Apply(JsonNode? original)
    {
        JsonNode? document = original?.DeepClone();
        for (int i = 0; i < operations.Count; i++)
            Run(ref document, operations[i]!.AsObject(), i);
        return document;
    }

    private static void Run(ref JsonNode? document, JsonObject operation, int index)
    {
        string op = Text(operation, "op", index);
        string path = Text(operation, "path", index);
        switch (op)
        {
            case "add":
                Add(ref document, path, Value(operation, index), index);
                break;
            case "replace":
                _ = Get(document, path, index);
                Set(ref document, path, Value(operation, index), index);
                break;
            case "remove":
                Remove(ref document, path, index);
                break;
            case "copy":
                Add(ref document, path, Get(document, Text(operation, "from", index), index)?.DeepClone(), index);
                break;
            case "move":
                string from = Text(operation, "from", index);
                if (path.StartsWith(from + "/", StringComparison.Ordinal))
                    throw Inapplicable($"operation {index}: {from} cannot move into itself ({path})");
                var moved = Get(document, from, index);
                Remove(ref document, from, index);
                Add(ref document, path, moved, index);
                break;
            case "test":
                if (!JsonNode.DeepEquals(Get(document, path, index), Value(operation, index)))
                    throw Inapplicable($"operation {index}: the value at {path} is another");
                break;
            default:
                throw Inapplicable($"operation {index}: unknown op \"{op}\"");
        }
    }

    private static void Add(ref JsonNode? document, string path, JsonNode? value, int index)
    {
        if (path.Length == 0)
        {
            document = value;
            return;
        }
        var parent = Parent(document, path, index, out string last);
        switch (parent)
        {
            case JsonObject map:
                map[last] = value;
                break;
            case JsonArray list:
                list.Insert(last == "-" ? list.Count : Index(last, list.Count + 1, path, index), value);
                break;
            default:
                throw Missing(path, index);
        }
    }

    private static void Set(ref JsonNode? document, string path, JsonNode? value, int index)
    {
        if (path.Length == 0)
        {
            document = value;
            return;
        }
        var parent = Parent(document, path, index, out string last);
        if (parent is JsonArray list)
            list[Index(last, list.Count, path, index)] = value;
        else
            parent!.AsObject()[last] = value;
    }

    private static void Remove(ref JsonNode? document, string path, int index)
    {
        if (path.Length == 0)
        {
            document = null;
            return;
        }
        var parent = Parent(document, path, index, out string last);
        switch (parent)
        {
            case JsonObject map when map.Remove(last):
                break;
            case JsonArray list:
                list.RemoveAt(Index(last, list.Count, path, index));
                break;
            default:
                throw Missing(path, index);
        }
    }

    private static JsonNode? Get(JsonNode? document, string path, int index)
    {
        if (path.Length == 0)
            return document;
        var parent = Parent(document, path, index, out string last);
        return Child(parent, last, path, index);
    }

    private static JsonNode? Parent(JsonNode? document, string path, int index, out string last)
    {
        if (path[0] != '/')
            throw Inapplicable($"operation {index}: the path {path} does not begin with /");
        var node = document;
        int start = 1;
        for (int slash; (slash = path.IndexOf('/', start)) >= 0; start = slash + 1)
            node = Child(node, Unescape(path[start..slash]), path, index);
        last = Unescape(path[start..]);
        return node;
    }

    private static JsonNode? Child(JsonNode? parent, string name, string path, int index) => parent switch
    {
        JsonObject map when map.TryGetPropertyValue(name, out var value) => value,
        JsonArray list => list[Index(name, list.Count, path, index)],
        _ => throw Missing(path, index),
    };

    private static int Index(string text, int limit, string path, int index)
    {
        bool canonical = text is "0" || (text.Length > 0 && text[0] is >= '1' and <= '9');
        if (canonical && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < limit)
            return number;
        throw Missing(path, index);
    }

    private static string Unescape(string segment) => segment.Contains('~', StringComparison.Ordinal)
        ? segment.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)
        : segment;

    private static string Text(JsonObject operation, string name, int index) =>
        operation[name] is JsonValue value && value.TryGetValue(out string? text) ? text : throw Inapplicable($"operation {index} has no {name}");

    private static JsonNode? Value(JsonObject operation, int index) =>
        operation.TryGetPropertyValue("value", out var value) ? value?.DeepClone() : throw Inapplicable($"operation {index} has no value");

    private static PatchException Missing(string path, int index) => Inapplicable($"operation {index}: nothing is at {path}");

    private static PatchException Malformed(string what) => new(PatchFailure.Malformed, $"error decoding patch: {what}");

    private static PatchException Inapplicable(string detail) =>
        new(PatchFailure.Inapplicable, "the server rejected our request due to an error in our request", detail);
}
