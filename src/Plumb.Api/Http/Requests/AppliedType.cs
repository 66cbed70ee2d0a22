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
        if (Fault(applied, definition.Shape, "") is not { } fault)
            return;
        var metadata = Fields.Find(applied, "metadata");
        var version = definition.Resource.Group.Length == 0 ? "/" + definition.Version : definition.ApiVersion;
        throw new ApiException(500, "",
            $"failed to create typed patch object ({Fields.Text(metadata, "namespace")}/{Fields.Text(metadata, "name")}; {version}, Kind={definition.Kind}): {fault}");
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
