using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Schema;

namespace Plumb.Api.Discovery;

/// <summary>
/// OpenAPI, as much as kubectl looks at: per group and version the kinds' schemas (for `explain`), and the patch operations with their fieldValidation
/// parameter (a new kubectl then leaves validation to the server).
/// </summary>
internal sealed class OpenApiDocuments(Catalog catalog)
{
    /// <summary>A Document message with `swagger: "2.0"` (field 1) and nothing else.</summary>
    public static readonly byte[] EmptyV2Protobuf = [0x0A, 0x03, (byte)'2', (byte)'.', (byte)'0'];

    public static JsonNode V2() => new JsonObject
    {
        ["swagger"] = "2.0",
        ["info"] = Info(),
        ["paths"] = new JsonObject(),
        ["definitions"] = new JsonObject(),
    };

    /// <param name="hashOf">The hash of a document: kubectl caches by it.</param>
    public JsonNode Index(Func<string, string> hashOf)
    {
        var paths = new JsonObject();
        foreach (var path in catalog.All.Select(PathOf).Distinct())
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={hashOf(path)}" };
        return new JsonObject { ["paths"] = paths };
    }

    public bool Has(string path) => catalog.All.Any(definition => PathOf(definition) == path);

    public JsonNode V3(string path)
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        foreach (var definition in catalog.All)
        {
            if (PathOf(definition) != path)
                continue;
            AddPaths(paths, path, definition);
            AddSchemas(schemas, definition);
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = Info(),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static JsonObject Info() => new() { ["title"] = "Kubernetes", ["version"] = "v1.34.0+plumb" };

    private static string PathOf(ResourceDefinition definition) =>
        definition.Resource.Group.Length == 0 ? $"api/{definition.Version}" : $"apis/{definition.Resource.Group}/{definition.Version}";

    private static void AddPaths(JsonObject paths, string path, ResourceDefinition definition)
    {
        var collection = $"/{path}/{(definition.Namespaced ? "namespaces/{namespace}/" : "")}{definition.Resource.Resource}";
        paths[collection] = new JsonObject
        {
            ["get"] = Operation(definition, "list", []),
            ["post"] = Operation(definition, "post", ["dryRun", "fieldManager", "fieldValidation"]),
        };
        paths[collection + "/{name}"] = new JsonObject
        {
            ["get"] = Operation(definition, "get", []),
            ["put"] = Operation(definition, "put", ["dryRun", "fieldManager", "fieldValidation"]),
            ["patch"] = Operation(definition, "patch", ["dryRun", "fieldManager", "fieldValidation", "force"]),
            ["delete"] = Operation(definition, "delete", ["dryRun"]),
        };
    }

    private static JsonObject Operation(ResourceDefinition definition, string action, string[] parameters) => new()
    {
        ["parameters"] = new JsonArray([.. parameters.Select(static name => new JsonObject
        {
            ["name"] = name,
            ["in"] = "query",
            ["schema"] = new JsonObject { ["type"] = name == "force" ? "boolean" : "string" },
        })]),
        ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = Kind(definition),
    };

    private static JsonObject Kind(ResourceDefinition definition) =>
        new() { ["group"] = definition.Resource.Group, ["kind"] = definition.Kind, ["version"] = definition.Version };

    private static void AddSchemas(JsonObject schemas, ResourceDefinition definition)
    {
        if (definition.Custom is { } custom)
        {
            AddCustom(schemas, definition, custom.Root);
            return;
        }

        if (TypeTable.Of(definition) is not { } schema)
            return;
        Add(schemas, schema);
        schemas[Name(schema)]!["x-kubernetes-group-version-kind"] = new JsonArray(Kind(definition));
    }

    private static void AddCustom(JsonObject schemas, ResourceDefinition definition, JsonObject schema)
    {
        var shown = schema.DeepClone().AsObject();
        var properties = Fields.Object(shown, "properties");
        Add(schemas, TypeTable.Metadata);
        properties["apiVersion"] = new JsonObject { ["type"] = "string" };
        properties["kind"] = new JsonObject { ["type"] = "string" };
        properties["metadata"] = new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/" + Name(TypeTable.Metadata) }) };
        shown["x-kubernetes-group-version-kind"] = new JsonArray(Kind(definition));
        schemas[$"{string.Join('.', definition.Resource.Group.Split('.').Reverse())}.{definition.Version}.{definition.Kind}"] = shown;
    }

    private static string Name(TypeSchema schema) => "io.k8s.api." + schema.Name;

    private static void Add(JsonObject schemas, TypeSchema schema)
    {
        if (schemas.ContainsKey(Name(schema)))
            return;
        var properties = new JsonObject();
        schemas[Name(schema)] = new JsonObject { ["type"] = "object", ["properties"] = properties };
        foreach (var (name, type) in schema.Fields)
            properties[name] = Of(schemas, type);
    }

    private static JsonObject Of(JsonObject schemas, FieldType type)
    {
        if (type.IsList)
            return new JsonObject { ["type"] = "array", ["items"] = Of(schemas, type.Element!) };
        if (type.IsMap)
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(schemas, type.Element!) };
        if (type.Named is { } named)
        {
            Add(schemas, named);
            return new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/" + Name(named) }) };
        }

        return type.Scalar switch
        {
            Scalar.Int32 => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
            Scalar.Int64 => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
            Scalar.Float64 => new JsonObject { ["type"] = "number", ["format"] = "double" },
            Scalar.Flag => new JsonObject { ["type"] = "boolean" },
            Scalar.Time or Scalar.MicroTime => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            Scalar.IntOrString => new JsonObject { ["format"] = "int-or-string", ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" }) },
            Scalar.Bytes => new JsonObject { ["type"] = "string", ["format"] = "byte" },
            Scalar.Any => new JsonObject { ["type"] = "object" },
            _ => new JsonObject { ["type"] = "string" },
        };
    }
}
