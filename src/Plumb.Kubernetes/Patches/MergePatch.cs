using System.Text.Json.Nodes;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Patches;

/// <summary>RFC 7386: what stands in the patch replaces what stands in the object, null removes, lists are replaced whole.</summary>
public sealed class MergePatch(JsonObject patch) : Patch
{
    public override PatchKind Kind => PatchKind.Merge;

    public override JsonNode ToNode() => patch.DeepClone();

    public override JsonObject Apply(JsonObject original, GroupVersionKind kind) => Apply(original);

    public JsonObject Apply(JsonObject original) => (JsonObject)Merge(original.DeepClone(), patch)!;

    /// <summary>
    /// The smallest patch that makes <paramref name="modified"/> of <paramref name="original"/>; empty when they are equal.
    /// A null in <paramref name="modified"/> cannot be said in this format and counts as absent.
    /// </summary>
    public static MergePatch Between(JsonObject original, JsonObject modified) => new(Difference(original, modified));

    public bool IsEmpty => patch.Count == 0;

    private static JsonNode? Merge(JsonNode? target, JsonNode? change)
    {
        if (change is not JsonObject changes)
            return change?.DeepClone();
        var map = target as JsonObject ?? [];
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                map.Remove(name);
            }
            else if (value is JsonObject && map[name] is JsonObject inner)
            {
                Merge(inner, value);
            }
            else
            {
                map[name] = Merge(null, value);
            }
        }
        return map;
    }

    private static JsonObject Difference(JsonObject original, JsonObject modified)
    {
        var result = new JsonObject();
        foreach (var (name, before) in original)
        {
            var after = modified[name];
            if (after is null)
            {
                // A null member and an absent one are told apart by nobody who reads an object of the API.
                if (before is not null || modified.ContainsKey(name))
                    result[name] = null;
            }
            else if (before is JsonObject oldMap && after is JsonObject newMap)
            {
                var inner = Difference(oldMap, newMap);
                if (inner.Count > 0)
                    result[name] = inner;
            }
            else if (!JsonNode.DeepEquals(before, after))
            {
                result[name] = after.DeepClone();
            }
        }
        foreach (var (name, after) in modified)
        {
            if (after is not null && !original.ContainsKey(name))
                result[name] = after.DeepClone();
        }
        return result;
    }
}
