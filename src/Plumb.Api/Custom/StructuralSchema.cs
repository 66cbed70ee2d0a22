using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Apply;

namespace Plumb.Api.Custom;

/// <summary>The schema of one version of a custom resource: what is dropped, what is filled in, and how it merges.</summary>
internal sealed class StructuralSchema(JsonObject root)
{
    private Shape? _shape;

    public JsonObject Root { get; } = root;

    public Shape Shape => _shape ??= Top();

    /// <summary>Drops what the schema does not have.</summary>
    /// <param name="unknown">Takes the paths of what was dropped: `spec.containers[0].bogus`.</param>
    public void Prune(JsonObject instance, List<string> unknown)
    {
        foreach (var (name, value) in instance.ToArray())
        {
            if (name is "apiVersion" or "kind" or "metadata")
                continue;
            Member(Root, instance, name, value, name, unknown);
        }
    }

    /// <summary>Fills in defaults, from the outside in: a default may itself have members to fill in.</summary>
    public void Default(JsonObject instance) => Default(instance, Root);

    private static void Member(JsonObject schema, JsonObject parent, string name, JsonNode? value, string path, List<string> unknown)
    {
        if (Property(schema, name) is { } property)
        {
            // A null where none may be is as if it were not there.
            if (value is null && !Fields.Flag(property, "nullable"))
                parent.Remove(name);
            else
                Inside(property, value, path, unknown);
        }
        else if (!Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields") && schema["additionalProperties"] is not JsonValue)
        {
            parent.Remove(name);
            unknown.Add(path);
        }
    }

    private static void Inside(JsonObject schema, JsonNode? value, string path, List<string> unknown)
    {
        if (value is JsonObject members)
        {
            if (Fields.Find(schema, "properties") is null && Fields.Find(schema, "additionalProperties") is null && Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields"))
                return;
            var isEmbedded = Fields.Flag(schema, "x-kubernetes-embedded-resource");
            foreach (var (name, member) in members.ToArray())
            {
                if (!isEmbedded || name is not ("apiVersion" or "kind" or "metadata"))
                    Member(schema, members, name, member, $"{path}.{name}", unknown);
            }
        }
        else if (value is JsonArray list && Fields.Find(schema, "items") is { } items)
        {
            for (var i = 0; i < list.Count; i++)
                Inside(items, list[i], $"{path}[{i}]", unknown);
        }
    }

    private static void Default(JsonNode? value, JsonObject schema)
    {
        if (value is JsonObject members)
        {
            foreach (var (name, property) in Fields.Find(schema, "properties") ?? [])
            {
                if (property is not JsonObject inner)
                    continue;
                if (inner["default"] is { } wanted && (!members.TryGetPropertyValue(name, out var there) || (there is null && !Fields.Flag(inner, "nullable"))))
                    members[name] = wanted.DeepClone();
                if (members[name] is { } present)
                    Default(present, inner);
            }

            if (Fields.Find(schema, "additionalProperties") is { } others)
            {
                foreach (var (name, member) in members.ToArray())
                {
                    if (Fields.Find(schema, "properties")?.ContainsKey(name) != true)
                        Default(member, others);
                }
            }
        }
        else if (value is JsonArray list && Fields.Find(schema, "items") is { } items)
        {
            foreach (var item in list)
                Default(item, items);
        }
    }

    private static JsonObject? Property(JsonObject schema, string name) =>
        Fields.Find(Fields.Find(schema, "properties"), name) ?? Fields.Find(schema, "additionalProperties");

    private Shape Top()
    {
        var inner = ShapeOf(Root);
        var metadata = Schema.TypeTable.Metadata.Shape;
        return new Shape
        {
            Kind = ShapeKind.Members,
            Member = name => name switch { "apiVersion" or "kind" => Shape.Leaf, "metadata" => metadata, _ => inner.IsDeduced ? Shape.Unknown : inner.Member(name) },
        };
    }

    private static Shape ShapeOf(JsonObject schema)
    {
        var type = Fields.Text(schema, "type");
        if (type == "object" || Fields.Find(schema, "properties") is not null)
        {
            if (Fields.Text(schema, "x-kubernetes-map-type") == "atomic")
                return Shape.Leaf;
            var isOpen = Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields");
            if (isOpen && Fields.Find(schema, "properties") is null)
                return Shape.Unknown;
            var isMap = Fields.Find(schema, "additionalProperties") is not null;
            return new Shape
            {
                Kind = ShapeKind.Members,
                IsMap = isMap,
                Member = name => Property(schema, name) is { } property ? ShapeOf(property) : isOpen ? Shape.Unknown : null,
            };
        }

        if (type != "array" || Fields.Find(schema, "items") is not { } items)
            return Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields") ? Shape.Unknown : Shape.Leaf;
        return Fields.Text(schema, "x-kubernetes-list-type") switch
        {
            "map" => new Shape
            {
                Kind = ShapeKind.Keyed,
                Keys = [.. (Fields.Array(schema, "x-kubernetes-list-map-keys") ?? []).Select(static key => key!.ToString())],
                Item = () => ShapeOf(items),
            },
            "set" => new Shape { Kind = ShapeKind.Distinct, Item = static () => Shape.Leaf },
            _ => Shape.Leaf,
        };
    }
}
