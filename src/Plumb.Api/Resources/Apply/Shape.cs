using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

internal enum ShapeKind
{
    /// <summary>One value, whatever is in it: scalars, and what the API calls atomic.</summary>
    Leaf,

    /// <summary>An object whose members are owned one by one.</summary>
    Members,

    /// <summary>A list whose items are known by the values of some members.</summary>
    Keyed,

    /// <summary>A list of distinct values.</summary>
    Distinct,
}

/// <summary>How a value is merged, and which parts of it can have owners of their own (x-kubernetes-list-type, x-kubernetes-map-type).</summary>
internal sealed class Shape
{
    public static readonly Shape Leaf = new();

    /// <summary>Nothing is known: objects by member, lists whole.</summary>
    public static readonly Shape Unknown = new() { Kind = ShapeKind.Members, IsDeduced = true };

    public ShapeKind Kind { get; init; }

    /// <summary>Only what the value itself is can tell.</summary>
    public bool IsDeduced { get; init; }

    public string[] Keys { get; init; } = [];

    /// <summary>A member's shape; null: the type has no such member.</summary>
    public Func<string, Shape?> Member { get; init; } = static _ => Unknown;

    /// <summary>Any name may be a member (a map): each is a field of its own, however much is in it.</summary>
    public bool IsMap { get; init; }

    public Func<Shape> Item { get; init; } = static () => Unknown;

    /// <summary>The kind for a value: where nothing is known, the value tells.</summary>
    public ShapeKind KindOf(JsonNode? value) => !IsDeduced ? Kind : value is JsonObject ? ShapeKind.Members : ShapeKind.Leaf;

    /// <summary>The step of a list's item: its keys, or itself.</summary>
    /// <returns>Null: an item without its keys.</returns>
    public string? StepOf(JsonNode? item)
    {
        if (Kind == ShapeKind.Distinct)
            return "v:" + (item?.ToJsonString(KeyText.Options) ?? "null");
        if (item is not JsonObject members)
            return null;
        var key = new JsonObject();
        foreach (var name in Keys)
        {
            if (members[name] is { } value)
                key[name] = value.DeepClone();
            else if (name == "protocol")
                key[name] = "TCP";
            else
                return null;
        }

        return "k:" + key.ToJsonString(KeyText.Options);
    }
}

internal static class KeyText
{
    public static readonly System.Text.Json.JsonSerializerOptions Options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = Storage.JsonNodeContext.Default,
    };
}
