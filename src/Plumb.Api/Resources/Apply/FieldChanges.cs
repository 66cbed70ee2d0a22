using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

/// <summary>Which fields two versions of an object differ in, and which fields a configuration has.</summary>
internal sealed class FieldChanges
{
    private readonly List<string> _path = [];

    public FieldSet Added { get; } = new();

    public FieldSet Modified { get; } = new();

    public FieldSet Removed { get; } = new();

    public bool IsNone => Added.IsEmpty && Modified.IsEmpty && Removed.IsEmpty;

    public static FieldChanges Between(JsonObject before, JsonObject after, Shape shape)
    {
        var changes = new FieldChanges();
        changes.Members(before, after, shape);
        return changes;
    }

    /// <summary>The fields that a configuration sets: its leaves, the items of its lists, and what it leaves empty.</summary>
    public static FieldSet In(JsonObject configuration, Shape shape)
    {
        var set = new FieldSet();
        Collect(configuration, shape, [], set);
        return set;
    }

    /// <summary>As if a member had not changed.</summary>
    public void Forget(string member)
    {
        foreach (var set in (ReadOnlySpan<FieldSet>)[Added, Modified, Removed])
            set.Cut("f:" + member);
    }

    private void Compare(bool was, JsonNode? before, bool isNow, JsonNode? after, Shape shape)
    {
        var kind = shape.KindOf(before ?? after);
        if (shape.IsDeduced && before is not null && after is not null && before is JsonObject != after is JsonObject)
            kind = ShapeKind.Leaf;

        // What is empty on both sides is one field: so that empty and absent differ.
        if (kind == ShapeKind.Leaf || (IsBare(before) && IsBare(after)))
        {
            if (!was)
                Added.Add([.. _path]);
            else if (!isNow)
                Removed.Add([.. _path]);
            else if (!JsonNode.DeepEquals(before, after))
                Modified.Add([.. _path]);
            return;
        }

        if (kind == ShapeKind.Members)
            Members(before as JsonObject, after as JsonObject, shape);
        else
            Items(before as JsonArray, after as JsonArray, shape);
        if (!was)
            Added.Add([.. _path]);
        else if (!isNow)
            Removed.Add([.. _path]);
    }

    private void Members(JsonObject? before, JsonObject? after, Shape shape)
    {
        foreach (var (name, value) in before ?? [])
        {
            JsonNode? next = null;
            var isNow = after is not null && after.TryGetPropertyValue(name, out next);
            At("f:" + name, true, value, isNow, next, shape.Member(name) ?? Shape.Unknown);
        }

        foreach (var (name, value) in after ?? [])
        {
            if (before?.ContainsKey(name) != true)
                At("f:" + name, false, null, true, value, shape.Member(name) ?? Shape.Unknown);
        }
    }

    private void Items(JsonArray? before, JsonArray? after, Shape shape)
    {
        var old = Index(before, shape);
        var next = Index(after, shape);
        foreach (var (step, item) in old)
            At(step, true, item, next.TryGetValue(step, out var now), now, shape.Item());
        foreach (var (step, item) in next)
        {
            if (!old.ContainsKey(step))
                At(step, false, null, true, item, shape.Item());
        }
    }

    private void At(string step, bool was, JsonNode? before, bool isNow, JsonNode? after, Shape shape)
    {
        _path.Add(step);
        Compare(was, before, isNow, after, shape);
        _path.RemoveAt(_path.Count - 1);
    }

    private static bool IsBare(JsonNode? value) => value is null or JsonObject { Count: 0 } or JsonArray { Count: 0 };

    internal static Dictionary<string, JsonNode?> Index(JsonArray? list, Shape shape)
    {
        var index = new Dictionary<string, JsonNode?>();
        foreach (var item in list ?? [])
        {
            if (shape.StepOf(item) is { } step)
                index.TryAdd(step, item);
        }

        return index;
    }

    private static void Collect(JsonNode? value, Shape shape, List<string> path, FieldSet set)
    {
        switch (shape.KindOf(value))
        {
            case ShapeKind.Members when value is JsonObject members:
                foreach (var (name, member) in members)
                {
                    path.Add("f:" + name);
                    Collect(member, shape.Member(name) ?? Shape.Unknown, path, set);
                    if (member is null or JsonObject { Count: 0 } || shape.IsMap)
                        set.Add([.. path]);
                    path.RemoveAt(path.Count - 1);
                }

                break;
            case ShapeKind.Keyed or ShapeKind.Distinct when value is JsonArray list:
                foreach (var item in list)
                {
                    if (shape.StepOf(item) is not { } step)
                        continue;
                    path.Add(step);
                    if (shape.Kind == ShapeKind.Keyed)
                        Collect(item, shape.Item(), path, set);
                    set.Add([.. path]);
                    path.RemoveAt(path.Count - 1);
                }

                break;
            default:
                if (path.Count > 0)
                    set.Add([.. path]);
                break;
        }
    }
}
