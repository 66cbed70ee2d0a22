using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Patches;

/// <summary>
/// Kubernetes' own format: a merge patch in which lists have keys (<see cref="StrategicSchema"/>), with directives: `$patch` (replace, delete), `$retainKeys`,
/// `$setElementOrder/LIST` and `$deleteFromPrimitiveList/LIST`.
/// </summary>
public sealed class StrategicMergePatch(JsonObject patch) : Patch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string ElementOrder = "$setElementOrder/";
    private const string DeleteFromPrimitives = "$deleteFromPrimitiveList/";

    public override PatchKind Kind => PatchKind.StrategicMerge;

    public override JsonNode ToNode() => patch.DeepClone();

    public override JsonObject Apply(JsonObject original, GroupVersionKind kind) =>
        MergeMap((JsonObject)original.DeepClone(), (JsonObject)patch.DeepClone(), StrategicSchema.Of(kind));

    /// <summary>Both trees are the caller's to lose: what is merged is taken out of them.</summary>
    private static JsonObject MergeMap(JsonObject original, JsonObject patch, StrategicSchema? schema)
    {
        if (patch.TryGetPropertyValue(Directive, out var directive))
        {
            switch (Word(directive))
            {
                case "replace":
                    patch.Remove(Directive);
                    return patch;
                case "delete":
                    return [];
                default:
                    throw UnknownDirective(directive, patch);
            }
        }
        Retain(original, patch);
        ApplyElementOrders(original, patch, schema);
        while (patch.Count > 0)
        {
            var (name, change) = patch.GetAt(0);
            patch.RemoveAt(0);
            if (name.StartsWith(DeleteFromPrimitives, StringComparison.Ordinal))
            {
                string list = name[DeleteFromPrimitives.Length..];
                if (change is not JsonArray gone)
                    throw Contradiction("invalid patch format of primitive list");
                if (original[list] is JsonArray values)
                    RemoveValues(values, gone);
                continue;
            }
            if (change is null)
            {
                original.Remove(name);
                continue;
            }
            var field = schema?.Field(name);
            switch (original[name], change)
            {
                case (JsonObject before, JsonObject after):
                    // Where the same tree comes back it must not be put into its own place.
                    var merged = MergeMap(before, after, field?.Element);
                    if (!ReferenceEquals(merged, before))
                        original[name] = merged;
                    break;
                case (JsonArray before, JsonArray after) when field?.MergeKey is { } key:
                    original.Remove(name);
                    original[name] = MergeList(before, after, key, field.Element);
                    break;
                default:
                    original[name] = Clean(change, out bool _);
                    break;
            }
        }
        return original;
    }

    /// <summary>`$retainKeys` names all fields that may stay: for unions, where one member excludes the others.</summary>
    private static void Retain(JsonObject original, JsonObject patch)
    {
        if (!patch.Remove(RetainKeys, out var directive))
            return;
        if (directive is not JsonArray list)
            throw Contradiction("invalid patch format of retainKeys");
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in list)
            kept.Add(Word(item));
        foreach (var (name, value) in patch)
        {
            if (value is not null && !name.StartsWith(DeleteFromPrimitives, StringComparison.Ordinal) && !name.StartsWith(ElementOrder, StringComparison.Ordinal) && !kept.Contains(name))
                throw Contradiction("invalid patch format of retainKeys");
        }
        for (int i = original.Count - 1; i >= 0; i--)
        {
            if (!kept.Contains(original.GetAt(i).Key))
                original.RemoveAt(i);
        }
    }

    private static void ApplyElementOrders(JsonObject original, JsonObject patch, StrategicSchema? schema)
    {
        for (int i = 0; i < patch.Count;)
        {
            var (directive, value) = patch.GetAt(i);
            if (!directive.StartsWith(ElementOrder, StringComparison.Ordinal))
            {
                i++;
                continue;
            }
            patch.RemoveAt(i);
            if (value is not JsonArray order)
                throw Contradiction("invalid patch format of setElementOrder list");
            string name = directive[ElementOrder.Length..];
            var field = schema?.Field(name);
            string key = field?.MergeKey ?? "";
            var before = original[name] as JsonArray;
            JsonArray? after = null;
            // The list's removal may move what stands before it.
            if (patch.TryGetPropertyValue(name, out var change))
            {
                if (change is not JsonArray list)
                    continue;
                int at = patch.IndexOf(name);
                patch.RemoveAt(at);
                i -= at < i ? 1 : 0;
                after = list;
                CheckOrder(after, order, key);
            }
            if (before is null && after is null)
                continue;
            var serverOrder = (JsonArray?)before?.DeepClone() ?? [];
            original.Remove(name);
            var merged = before is null ? (JsonArray)Clean(after!, out _)!
                : after is null ? before
                : MergeList(before, after, key, field?.Element);
            original[name] = ListOrder.Arrange(merged, order, serverOrder, key);
        }
    }

    /// <summary>Every item of the patch must have its place in the order.</summary>
    private static void CheckOrder(JsonArray items, JsonArray order, string key)
    {
        int at = 0;
        foreach (var item in items)
        {
            if (item is JsonObject map && map.ContainsKey(Directive))
                continue;
            while (at < order.Count && !ListOrder.SameItem(order[at], item, key))
                at++;
            if (at++ == order.Count)
                throw Contradiction($"The order in patch list:\n{GoJson.Print(items)}\n doesn't match $setElementOrder list:\n{GoJson.Print(order)}\n");
        }
    }

    private static JsonArray MergeList(JsonArray original, JsonArray patch, string key, StrategicSchema? schema)
    {
        var serverOrder = (JsonArray)original.DeepClone();
        if (key.Length == 0)
        {
            foreach (var item in patch)
            {
                if (!ListOrder.Contains(original, item, key))
                    original.Add(item?.DeepClone());
            }
            return ListOrder.Arrange(original, patch, serverOrder, key);
        }

        var changes = new JsonArray();
        bool replace = false;
        foreach (var item in patch)
        {
            if (item is not JsonObject map)
                throw Contradiction($"expected a list of objects, found {GoJson.Print(item)}");
            if (!map.TryGetPropertyValue(Directive, out var directive))
            {
                changes.Add(map.DeepClone());
                continue;
            }
            switch (Word(directive))
            {
                case "delete":
                    if (!map.ContainsKey(key))
                        throw NoMergeKey(map, key);
                    for (int i = original.Count - 1; i >= 0; i--)
                    {
                        if (ListOrder.SameItem(original[i], map, key))
                            original.RemoveAt(i);
                    }
                    break;
                case "replace":
                    replace = true;
                    break;
                case "merge":
                    throw Contradiction("merging lists cannot yet be specified in the patch");
                default:
                    throw UnknownDirective(directive, map);
            }
        }
        if (replace)
            return (JsonArray)Clean(changes, out _)!;
        foreach (var item in changes)
        {
            var change = (JsonObject)item!;
            if (!change.ContainsKey(key))
                throw NoMergeKey(change, key);
            int at = ListOrder.IndexOf(original, change, key);
            if (at < 0)
                original.Add(Clean(change.DeepClone(), out _));
            else if (MergeMap((JsonObject)original[at]!, (JsonObject)change.DeepClone(), schema) is var merged && !ReferenceEquals(merged, original[at]))
                original[at] = merged;
        }
        return ListOrder.Arrange(original, changes, serverOrder, key);
    }

    /// <summary>What is new carries no directives and no nulls into the object.</summary>
    private static JsonNode? Clean(JsonNode? node, out bool dropped)
    {
        dropped = false;
        switch (node)
        {
            case JsonObject map:
                if (map.TryGetPropertyValue(Directive, out var directive) && Word(directive) == "delete")
                {
                    dropped = true;
                    return null;
                }
                var cleanMap = new JsonObject();
                foreach (var (name, value) in map)
                {
                    if (value is null || name.StartsWith('$'))
                        continue;
                    var clean = Clean(value, out bool gone);
                    if (!gone)
                        cleanMap[name] = clean;
                }
                return cleanMap;
            case JsonArray list:
                var cleanList = new JsonArray();
                foreach (var item in list)
                {
                    var clean = Clean(item, out bool gone);
                    if (!gone)
                        cleanList.Add(clean);
                }
                return cleanList;
            default:
                return node?.DeepClone();
        }
    }

    private static void RemoveValues(JsonArray values, JsonArray gone)
    {
        for (int i = values.Count - 1; i >= 0; i--)
        {
            if (ListOrder.Contains(gone, values[i], ""))
                values.RemoveAt(i);
        }
    }

    private static string Word(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    private static PatchException UnknownDirective(JsonNode? directive, JsonObject map) =>
        Contradiction($"unknown patch type: {GoJson.Print(directive)} in map: {GoJson.Print(map)}");

    private static PatchException NoMergeKey(JsonObject map, string key) =>
        Contradiction($"map: {GoJson.Print(map)} does not contain declared merge key: {key}");

    private static PatchException Contradiction(string message) => new(PatchFailure.Contradictory, message);
}
