using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Resources;

/// <summary>Members of JSON objects, read without trusting their types: validation reports what is wrong, nothing here throws for it.</summary>
internal static class Fields
{
    /// <summary>The object at a member; made where there is none.</summary>
    public static JsonObject Object(JsonObject parent, string member)
    {
        if (parent[member] is JsonObject found)
            return found;
        var made = new JsonObject();
        parent[member] = made;
        return made;
    }

    public static JsonObject? Find(JsonObject? parent, string member) => parent?[member] as JsonObject;

    public static JsonArray? Array(JsonObject? parent, string member) => parent?[member] as JsonArray;

    /// <summary>Empty where there is no text.</summary>
    public static string Text(JsonObject? parent, string member) =>
        parent is not null && parent[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static long? Number(JsonObject? parent, string member) => parent is null ? null : Number(parent[member]);

    public static long? Number(JsonNode? node)
    {
        if (node is not JsonValue value)
            return null;
        if (value.TryGetValue<long>(out var number))
            return number;
        return value.TryGetValue<int>(out var small) ? small : null;
    }

    public static bool Flag(JsonObject? parent, string member) =>
        parent is not null && parent[member] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>The objects in an array; others in it are passed over.</summary>
    public static IEnumerable<JsonObject> Objects(JsonObject? parent, string member)
    {
        if (Array(parent, member) is not { } array)
            yield break;
        foreach (var item in array)
        {
            if (item is JsonObject found)
                yield return found;
        }
    }

    /// <summary>Sets what is absent or null.</summary>
    public static void Default(JsonObject parent, string member, JsonNode value)
    {
        if (parent[member] is null)
            parent[member] = value;
    }

    /// <summary>Sets what is absent, null or empty text.</summary>
    public static void DefaultText(JsonObject parent, string member, string value)
    {
        if (parent[member] is null || (parent[member] is JsonValue present && present.TryGetValue<string>(out var text) && text.Length == 0))
            parent[member] = value;
    }
}
