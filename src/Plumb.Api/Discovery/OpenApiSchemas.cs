using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Schema;

namespace Plumb.Api.Discovery;

/// <summary>The schemas of one OpenAPI document. Version 2 has no `oneOf`, no `nullable`, and references stand alone in it.</summary>
internal sealed class OpenApiSchemas(bool isV2)
{
    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    private const string Quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
    private const string IntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

    public JsonObject All { get; } = [];

    public static JsonObject Kind(ResourceDefinition definition) =>
        new() { ["group"] = definition.Resource.Group, ["kind"] = definition.Kind, ["version"] = definition.Version };

    public void Add(ResourceDefinition definition)
    {
        if (definition.Custom is { } custom)
        {
            AddCustom(definition, custom.Root);
            return;
        }

        if (TypeTable.Of(definition) is not { } schema)
            return;
        Add(schema);
        All[schema.FullName]!["x-kubernetes-group-version-kind"] = new JsonArray(Kind(definition));
    }

    private void AddCustom(ResourceDefinition definition, JsonObject schema)
    {
        var name = $"{string.Join('.', definition.Resource.Group.Split('.').Reverse())}.{definition.Version}.{definition.Kind}";
        if (schema.Count == 0 || (isV2 && Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields")))
        {
            // An old kubectl takes named properties for all that there may be.
            All[name] = new JsonObject { ["type"] = "object", ["x-kubernetes-group-version-kind"] = new JsonArray(Kind(definition)) };
            return;
        }

        var shown = schema.DeepClone().AsObject();
        if (isV2)
            Simplify(shown, isRoot: true);
        var properties = Fields.Object(shown, "properties");
        foreach (var member in (ReadOnlySpan<string>)["apiVersion", "kind"])
            properties[member] = SharedTexts.Describe(member, new JsonObject { ["type"] = "string" });
        properties["metadata"] = SharedTexts.Describe("metadata", Reference(TypeTable.Metadata));
        shown["type"] = "object";
        shown["x-kubernetes-group-version-kind"] = new JsonArray(Kind(definition));
        All[name] = shown;
    }

    /// <summary>What version 2 cannot say may be anything, as a real server has it: an old kubectl must not refuse what the server takes.</summary>
    private static void Simplify(JsonObject schema, bool isRoot = false)
    {
        foreach (var name in (string[])["oneOf", "anyOf", "allOf", "not", "default"])
            schema.Remove(name);
        var isAny = Fields.Flag(schema, "nullable") || Fields.Flag(schema, "x-kubernetes-int-or-string") || Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields") ||
            (Fields.Text(schema, "type") == "array" && schema["items"] is not JsonObject);
        if (isAny && !isRoot)
        {
            foreach (var name in (string[])["type", "format", "properties", "items", "additionalProperties", "required", "nullable"])
                schema.Remove(name);
            return;
        }

        foreach (var (_, property) in schema["properties"] as JsonObject ?? [])
            Simplify(property!.AsObject());
        foreach (var name in (string[])["items", "additionalProperties"])
        {
            if (schema[name] is JsonObject inner)
                Simplify(inner);
        }
    }

    private void Add(TypeSchema schema)
    {
        if (All.ContainsKey(schema.FullName))
            return;
        var properties = new JsonObject();
        var described = new JsonObject { ["type"] = "object" };
        All[schema.FullName] = described;
        foreach (var (name, type) in schema.Fields)
        {
            properties[name] = Of(type);
            SharedTexts.Describe(schema, name, properties[name]!);
            if (type.Patch is not { } patch)
                continue;
            properties[name]!["x-kubernetes-patch-strategy"] = patch.Strategy;
            if (patch.Key is not null)
                properties[name]!["x-kubernetes-patch-merge-key"] = patch.Key;
        }

        if (properties.Count > 0)
            described["properties"] = properties;
        var required = schema.Fields.Where(static field => field.Value.IsRequired).Select(static field => (JsonNode)field.Key).ToArray();
        if (required.Length > 0)
            described["required"] = new JsonArray(required);
    }

    private JsonObject Reference(TypeSchema schema)
    {
        Add(schema);
        return Reference(schema.FullName);
    }

    private JsonObject Reference(string name) => isV2
        ? new JsonObject { ["$ref"] = "#/definitions/" + name }
        : new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/" + name }) };

    /// <summary>A reference to a type that is no object.</summary>
    private JsonObject Reference(string name, JsonObject v2, JsonObject v3)
    {
        All.TryAdd(name, isV2 ? v2 : v3);
        return Reference(name);
    }

    private JsonObject Of(FieldType type)
    {
        if (type.IsList)
            return new JsonObject { ["type"] = "array", ["items"] = Of(type.Element!) };
        if (type.IsMap)
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(type.Element!) };
        if (type is { Scalar: Scalar.Any, Named: { } any })
            return Reference(any.FullName, [], []);
        if (type.Named is { } named)
            return Reference(named);
        var described = type.Scalar switch
        {
            Scalar.Int32 => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
            Scalar.Int64 => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
            Scalar.Float64 => new JsonObject { ["type"] = "number", ["format"] = "double" },
            Scalar.Flag => new JsonObject { ["type"] = "boolean" },
            Scalar.Time => Reference(Meta + "Time", Text("date-time"), Text("date-time")),
            Scalar.MicroTime => Reference(Meta + "MicroTime", Text("date-time"), Text("date-time")),
            Scalar.Quantity => Reference(Quantity, Text(null), Either("number")),
            Scalar.IntOrString => Reference(IntOrString, Text("int-or-string"), Either("integer")),
            Scalar.Bytes => Text("byte"),
            _ => Text(null),
        };
        if (type.Values.Length > 0)
            described["enum"] = new JsonArray([.. type.Values.Select(static value => JsonValue.Create(value))]);
        return described;
    }

    private static JsonObject Text(string? format) => format is null ? new JsonObject { ["type"] = "string" } : new JsonObject { ["type"] = "string", ["format"] = format };

    private static JsonObject Either(string type) => new() { ["oneOf"] = new JsonArray(new JsonObject { ["type"] = type }, new JsonObject { ["type"] = "string" }) };
}
