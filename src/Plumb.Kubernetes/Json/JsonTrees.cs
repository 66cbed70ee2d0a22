using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Kubernetes.Json;

/// <summary>Trees of <see cref="JsonNode"/> that are whole and independent of the buffer they came from.</summary>
public static class JsonTrees
{
    /// <summary>What comes from outside may be nested so deep. A real server stops at 10,000; no object of the API comes near either.</summary>
    public const int MaxDepth = 200;

    /// <summary>
    /// Unlike <see cref="JsonNode.Parse(string, JsonNodeOptions?, JsonDocumentOptions)"/> it is not lazy, and of a name that comes twice it takes the last,
    /// as the API server does. Numbers keep their digits.
    /// </summary>
    public static JsonNode? Copy(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var map = new JsonObject();
                foreach (var property in element.EnumerateObject())
                    map[property.Name] = Copy(property.Value);
                return map;
            case JsonValueKind.Array:
                var list = new JsonArray();
                foreach (var item in element.EnumerateArray())
                    list.Add(Copy(item));
                return list;
            case JsonValueKind.String:
                return JsonValue.Create(element.GetString()!);
            case JsonValueKind.Number:
                return element.TryGetInt64(out long integer) ? JsonValue.Create(integer) : JsonValue.Create(element.Clone());
            case JsonValueKind.True or JsonValueKind.False:
                return JsonValue.Create(element.ValueKind == JsonValueKind.True);
            default:
                return null;
        }
    }

    /// <summary>The node at a path of names, or null where any of them is missing.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            if (node is not JsonObject map || !map.TryGetPropertyValue(name, out node))
                return null;
        }
        return node;
    }
}
