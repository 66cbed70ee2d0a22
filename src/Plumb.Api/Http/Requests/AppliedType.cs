using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Requests;

/// <summary>What a server-side apply demands of a configuration: no field that the type has not, no item of a keyed list twice.</summary>
internal static class AppliedType
{
    /// <exception cref="ApiException">500, as the real server says it.</exception>
    public static void Check(ResourceDefinition definition, JsonObject applied)
    {
        var metadata = Fields.Find(applied, "metadata");
        if ((NoText(metadata) ?? Fault(applied, definition.Shape, "")) is not { } fault)
            return;
        var version = definition.Resource.Group.Length == 0 ? "/" + definition.Version : definition.ApiVersion;
        throw new ApiException(500, "",
            $"failed to create typed patch object ({Fields.Text(metadata, "namespace")}/{Fields.Text(metadata, "name")}; {version}, Kind={definition.Kind}): {fault}");
    }

    /// <summary>YAML's `y` is a truth value, and no name.</summary>
    private static string? NoText(JsonObject? metadata)
    {
        foreach (var (owner, path, names) in (ReadOnlySpan<(JsonObject?, string, string[])>)
            [(metadata, "", ["name", "namespace"]), (Fields.Find(metadata, "labels"), ".labels", []), (Fields.Find(metadata, "annotations"), ".annotations", [])])
        {
            foreach (var (name, value) in owner ?? [])
            {
                if (value is JsonValue scalar && scalar.GetValueKind() != System.Text.Json.JsonValueKind.String && (path.Length > 0 || names.Contains(name)))
                    return $".metadata{path}.{name}: expected string, got &value.valueUnstructured{{Value:{scalar.ToJsonString()}}}";
            }
        }

        return null;
    }

    private static string? Fault(JsonNode? value, Shape shape, string path)
    {
        switch (shape.KindOf(value))
        {
            case ShapeKind.Members when value is JsonObject members:
                foreach (var (name, member) in members)
                {
                    if (shape.Member(name) is not { } inner)
                        return $"{path}.{name}: field not declared in schema";
                    if (Fault(member, inner, $"{path}.{name}") is { } fault)
                        return fault;
                }

                return null;
            case ShapeKind.Keyed or ShapeKind.Distinct when value is JsonArray list:
                var seen = new HashSet<string>();
                foreach (var item in list)
                {
                    if (shape.StepOf(item) is not { } step)
                        return $"{path}: element 0: associative list with keys has an element that omits key field \"{shape.Keys.FirstOrDefault()}\" (and doesn't have default value)";
                    if (!seen.Add(step))
                        return $"{path}: duplicate entries for key {FieldSet.Show(step)}";
                    if (shape.Kind == ShapeKind.Keyed && Fault(item, shape.Item(), path + FieldSet.Show(step)) is { } fault)
                        return fault;
                }

                return null;
            default:
                return null;
        }
    }
}
