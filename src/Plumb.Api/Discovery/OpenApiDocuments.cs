using System.Text.Json.Nodes;
using Plumb.Api.Resources;

namespace Plumb.Api.Discovery;

/// <summary>
/// OpenAPI, as much as kubectl looks at: the kinds' schemas (for `explain`, what an old kubectl validates, and how it merges), and the patch operations with their
/// parameters (a new kubectl leaves validation to a server that knows fieldValidation). Version 2 is one document, version 3 one for each group and version.
/// </summary>
internal sealed class OpenApiDocuments(Catalog catalog)
{
    public JsonNode V2()
    {
        var paths = new JsonObject();
        var schemas = new OpenApiSchemas(isV2: true);
        foreach (var definition in catalog.All)
        {
            AddPaths(paths, PathOf(definition), definition);
            schemas.Add(definition);
        }

        return new JsonObject { ["swagger"] = "2.0", ["info"] = Info(), ["paths"] = paths, ["definitions"] = schemas.All };
    }

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
        var schemas = new OpenApiSchemas(isV2: false);
        foreach (var definition in catalog.All)
        {
            if (PathOf(definition) != path)
                continue;
            AddPaths(paths, path, definition);
            schemas.Add(definition);
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = Info(),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.All },
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
        ["x-kubernetes-group-version-kind"] = OpenApiSchemas.Kind(definition),
    };
}
