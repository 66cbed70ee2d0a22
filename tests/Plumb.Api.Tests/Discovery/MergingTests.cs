using System.Text.Json.Nodes;
using Plumb.Api.Schema;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Api.Tests.Discovery;

/// <summary>OpenAPI tells clients which lists merge by which member; the server's own patches must do the same.</summary>
public sealed class MergingTests
{
    [Fact]
    public async Task What_openapi_says_of_lists_is_what_a_strategic_merge_patch_does()
    {
        await using var server = await TestServer.StartAsync();
        var seen = 0;
        foreach (var definition in server.Api.Registry.Catalog.All)
        {
            foreach (var (path, key) in Lists(TypeTable.Of(definition)!, [], []))
            {
                var original = Nested(path, key, "a");
                var merged = Innermost(new StrategicMergePatch(Nested(path, key, "b")).Apply(original, new GroupVersionKind(definition.Resource.Group, definition.Version, definition.Kind)), path);
                Assert.True(merged.Count == 2, $"{definition.Kind} {string.Join('.', path)} by {key}: {merged.ToJsonString()}");
                seen++;
            }
        }

        Assert.True(seen > 150, $"{seen} lists");
    }

    private static IEnumerable<(string[] Path, string? Key)> Lists(TypeSchema schema, string[] path, TypeSchema[] above)
    {
        // Schemas in definitions hold themselves; their rules are replaced by a patch.
        if (above.Contains(schema) || schema.Name == "JSONSchemaProps")
            yield break;
        foreach (var (name, type) in schema.Fields)
        {
            string[] here = [.. path, name];
            if (type is { IsList: true, Patch: { } patch })
                yield return (here, patch.Key);
            var (inner, step) = type.IsList ? (type.Patch is null ? null : type.Element!.Named, $"{name}[]{type.Patch?.Key}") : (type.Named, name);
            foreach (var list in inner is null ? [] : Lists(inner, [.. path, step], [.. above, schema]))
                yield return list;
        }
    }

    private static JsonObject Nested(string[] path, string? key, string value)
    {
        JsonNode inner = new JsonArray(key is null ? value : new JsonObject { [key] = value });
        foreach (var step in path.Reverse())
        {
            var names = step.Split("[]");
            if (names.Length == 2)
            {
                inner[names[1]] = "same";
                inner = new JsonArray(inner);
            }

            inner = new JsonObject { [names[0]] = inner };
        }

        return inner.AsObject();
    }

    private static JsonArray Innermost(JsonObject root, string[] path)
    {
        JsonNode at = root;
        foreach (var step in path)
            at = step.Contains("[]", StringComparison.Ordinal) ? at[step[..step.IndexOf('[', StringComparison.Ordinal)]]!.AsArray().Single()! : at[step]!;
        return at.AsArray();
    }
}
