using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Custom;

/// <summary>Where a resource has what its scale shows: names of members, each after a dot, and nothing else.</summary>
/// <param name="Selector">Of the text of its selector; null: it tells none.</param>
internal sealed record ScalePaths(string Spec, string Status, string? Selector)
{
    public static readonly ScalePaths Workload = new(".spec.replicas", ".status.replicas", null);

    /// <summary>The value at a path; null: there is none.</summary>
    public static JsonNode? Find(JsonObject root, string path)
    {
        JsonNode? at = root;
        foreach (var step in Steps(path))
            at = (at as JsonObject)?[step];
        return at;
    }

    /// <remarks>What is no object on the way is none that validation let pass.</remarks>
    public static void Set(JsonObject root, string path, JsonNode value)
    {
        var steps = Steps(path);
        var at = root;
        foreach (var step in steps.AsSpan(..^1))
            at = Fields.Object(at, step);
        at[steps[^1]] = value;
    }

    /// <summary>What a definition must say of a scale.</summary>
    /// <param name="at">Of its `subresources`.</param>
    public static void ValidateDefinition(JsonObject scale, string at, FieldErrors errors)
    {
        Path("specReplicasPath", isRequired: true, "should be a json path under .spec", ".spec.");
        Path("statusReplicasPath", isRequired: true, "should be a json path under .status", ".status.");
        Path("labelSelectorPath", isRequired: false, "should be a json path under either .spec or .status", ".spec.", ".status.");

        void Path(string member, bool isRequired, string where, params ReadOnlySpan<string> roots)
        {
            var path = Fields.Text(scale, member);
            var field = $"{at}.scale.{member}";
            if (path.Length == 0)
            {
                if (isRequired)
                    errors.Required(field);
                return;
            }

            if (path[0] != '.')
            {
                errors.InvalidText(field, path, "must be a simple json path starting with .");
                return;
            }

            foreach (var root in roots)
            {
                if (path.StartsWith(root, StringComparison.Ordinal))
                    return;
            }

            errors.InvalidText(field, path, where);
        }
    }

    public void ValidateSpec(JsonObject root, FieldErrors errors) => Replicas(root, Spec, errors);

    public void ValidateStatus(JsonObject root, FieldErrors errors)
    {
        Replicas(root, Status, errors);
        if (Selector is { } selector && Fault(root, selector, "string", static value => value.GetValueKind() == JsonValueKind.String) is { } fault)
            errors.InvalidText(selector, "", fault);
    }

    private static void Replicas(JsonObject root, string path, FieldErrors errors)
    {
        if (Fault(root, path, "int64", static value => Fields.Number(value) is not null) is { } fault)
            errors.Invalid(path, "0", fault);
        else if (Fields.Number(Find(root, path)) is not { } number)
            return;
        else if (number < 0)
            errors.Invalid(path, number.ToString(), "should be a non-negative integer");
        else if (number > int.MaxValue)
            errors.Invalid(path, number.ToString(), $"should be less than or equal to {int.MaxValue}");
    }

    /// <returns>Why the value cannot be had; null: it can, or there is none.</returns>
    private static string? Fault(JsonObject root, string path, string type, Func<JsonNode, bool> fits)
    {
        JsonNode? at = root;
        var walked = "";
        foreach (var step in Steps(path))
        {
            walked += "." + step;
            if (at is null)
                return null;
            if (at is not JsonObject members)
                return $"{walked} accessor error: {at} is of the type {GoType(at)}, expected map[string]interface{{}}";
            at = members[step];
        }

        return at is null || fits(at) ? null : $"{walked} accessor error: {at} is of the type {GoType(at)}, expected {type}";
    }

    private static string GoType(JsonNode value) => InstanceValidation.TypeOf(value) switch
    {
        "object" => "map[string]interface {}",
        "array" => "[]interface {}",
        "boolean" => "bool",
        "integer" => "int64",
        "number" => "float64",
        var text => text,
    };

    private static string[] Steps(string path) => path.TrimStart('.').Split('.');
}
