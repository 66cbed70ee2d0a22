using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

/// <summary>The leaves of a configuration, and their form in managedFields (FieldsV1 of meta/v1).</summary>
internal static class FieldSet
{
    /// <summary>Lists whose items are known by keys; every other list is one leaf.</summary>
    private static readonly Dictionary<string, string[]> ListKeys = new()
    {
        ["containers"] = ["name"],
        ["initContainers"] = ["name"],
        ["volumes"] = ["name"],
        ["env"] = ["name"],
        ["volumeMounts"] = ["mountPath"],
        ["conditions"] = ["type"],
        ["hostAliases"] = ["ip"],
        ["imagePullSecrets"] = ["name"],
        ["ownerReferences"] = ["uid"],
    };

    public static List<FieldPath> Of(JsonObject root)
    {
        var found = new List<FieldPath>();
        Walk(root, FieldPath.Root, found);
        return found;
    }

    public static List<FieldPath> From(JsonNode? fieldsV1)
    {
        var found = new List<FieldPath>();
        if (fieldsV1 is JsonObject root)
            Unwrap(root, FieldPath.Root, found);
        return found;
    }

    public static JsonObject ToFieldsV1(IEnumerable<FieldPath> paths)
    {
        var root = new JsonObject();
        foreach (var path in paths)
        {
            var at = root;
            foreach (var step in path.Steps)
            {
                if (at[step] is not JsonObject next)
                    at[step] = next = [];
                at = next;
            }
        }

        return root;
    }

    private static void Walk(JsonObject parent, FieldPath path, List<FieldPath> found)
    {
        foreach (var (name, value) in parent)
        {
            var here = path.Then("f:" + name);
            if (value is JsonObject { Count: > 0 } child)
            {
                Walk(child, here, found);
            }
            else if (value is JsonArray { Count: > 0 } list && Keys(name, list) is { } keys)
            {
                foreach (var item in list)
                {
                    var key = new JsonObject();
                    foreach (var member in keys)
                        key[member] = item![member]?.DeepClone();
                    Walk(item!.AsObject(), here.Then("k:" + key.ToJsonString()), found);
                }
            }
            else
            {
                found.Add(here);
            }
        }
    }

    private static string[]? Keys(string name, JsonArray list)
    {
        if (list[0] is not JsonObject first)
            return null;
        var keys = name == "ports" ? first.ContainsKey("containerPort") ? ["containerPort"] : first.ContainsKey("port") ? ["port"] : null : ListKeys.GetValueOrDefault(name);
        if (keys is null)
            return null;
        foreach (var item in list)
        {
            if (item is not JsonObject members || !Array.TrueForAll(keys, members.ContainsKey))
                return null;
        }

        return keys;
    }

    private static void Unwrap(JsonObject fields, FieldPath path, List<FieldPath> found)
    {
        foreach (var (step, inner) in fields)
        {
            if (inner is JsonObject { Count: > 0 } child)
                Unwrap(child, path.Then(step), found);
            else
                found.Add(path.Then(step));
        }
    }
}

/// <summary>The way to one field: `f:spec`, `k:{"name":"c"}`, `f:image`.</summary>
internal sealed class FieldPath : IEquatable<FieldPath>
{
    public static readonly FieldPath Root = new([]);

    private readonly string _text;

    private FieldPath(string[] steps)
    {
        Steps = steps;
        _text = string.Join('\n', steps);
    }

    public string[] Steps { get; }

    public FieldPath Then(string step) => new([.. Steps, step]);

    public JsonNode? Find(JsonObject root) => Find(root, Steps.Length);

    public void RemoveFrom(JsonObject root)
    {
        if (Steps.Length > 0 && Steps[^1].StartsWith("f:", StringComparison.Ordinal) && Find(root, Steps.Length - 1) is JsonObject parent)
            parent.Remove(Steps[^1][2..]);
    }

    public bool Equals(FieldPath? other) => other is not null && other._text == _text;

    public override bool Equals(object? obj) => Equals(obj as FieldPath);

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>`.spec.containers[name="c"].image`.</summary>
    public override string ToString() => string.Concat(Steps.Select(static step => step[0] == 'k'
        ? $"[{string.Join(',', JsonNode.Parse(step[2..])!.AsObject().Select(static key => $"{key.Key}={key.Value?.ToJsonString() ?? "null"}"))}]"
        : "." + step[2..]));

    private JsonNode? Find(JsonNode? at, int depth)
    {
        for (var i = 0; i < depth && at is not null; i++)
        {
            var step = Steps[i];
            at = step[0] == 'k' ? Item(at as JsonArray, JsonNode.Parse(step[2..])!.AsObject()) : (at as JsonObject)?[step[2..]];
        }

        return at;
    }

    private static JsonNode? Item(JsonArray? list, JsonObject key)
    {
        foreach (var item in list ?? [])
        {
            if (item is JsonObject members && key.All(member => JsonNode.DeepEquals(members[member.Key], member.Value)))
                return item;
        }

        return null;
    }
}
