using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Custom;

/// <summary>What a schema itself must be: OpenAPI as far as it is served, and structural (every field has a type of its own).</summary>
internal static class SchemaRules
{
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];
    private static readonly string[] Inner = ["allOf", "anyOf", "oneOf"];

    /// <summary>Members that may stand only where a field is defined, not in `allOf` and its like.</summary>
    private static readonly string[] Structure =
        ["description", "type", "default", "additionalProperties", "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"];

    public static void Validate(JsonObject schema, string at, FieldErrors errors)
    {
        var before = errors.Count;
        OpenApi(schema, at, errors);
        if (errors.Count > before)
            return;
        Structural(schema, at, isRoot: true, isInner: false, errors);
        if (errors.Count == before)
            Defaults(schema, at, errors);
        if (errors.Count == before)
            Rules(schema, at, isRoot: true, errors);
    }

    private static void Rules(JsonObject schema, string at, bool isRoot, FieldErrors errors)
    {
        foreach (var (path, inner) in Children(schema, at))
            Rules(inner, path, isRoot: false, errors);
        CelRules.ValidateDefinition(schema, at, isRoot, errors);
    }

    private static void OpenApi(JsonObject schema, string at, FieldErrors errors)
    {
        foreach (var (path, inner) in Children(schema, at))
            OpenApi(inner, path, errors);
        if (schema.ContainsKey("$ref"))
            errors.Forbidden(at + ".$ref", "$ref is not supported");
        foreach (var unsupported in (ReadOnlySpan<string>)["definitions", "dependencies", "patternProperties", "additionalItems", "id"])
        {
            if (schema.ContainsKey(unsupported))
                errors.Forbidden($"{at}.{unsupported}", $"{unsupported} is not supported");
        }

        if (Fields.Text(schema, "type") is { Length: > 0 } type && !Types.Contains(type))
            errors.NotSupported(at + ".type", type, Types);
        if (Fields.Text(schema, "pattern") is { Length: > 0 } pattern && Fault(pattern) is { } fault)
            errors.InvalidText(at + ".pattern", pattern, $"must be a valid regular expression, but isn't: {fault}");
        if (Fields.Flag(schema, "uniqueItems"))
            errors.Forbidden(at + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
        if (schema["items"] is JsonArray)
            errors.Forbidden(at + ".items", "items must be a schema object and not an array");
        ListType(schema, at, errors);
    }

    private static string? Fault(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.NonBacktracking);
            return null;
        }
        catch (NotSupportedException broken)
        {
            return "error parsing regexp: " + broken.Message;
        }
        catch (ArgumentException broken)
        {
            return pattern.Count(static c => c == '(') > pattern.Count(static c => c == ')')
                ? $"error parsing regexp: missing closing ): `{pattern}`"
                : "error parsing regexp: " + broken.Message;
        }
    }

    private static void ListType(JsonObject schema, string at, FieldErrors errors)
    {
        var kind = Fields.Text(schema, "x-kubernetes-list-type");
        if (kind.Length > 0 && kind is not ("atomic" or "set" or "map"))
            errors.NotSupported(at + ".x-kubernetes-list-type", kind, "atomic", "map", "set");
        if (kind.Length > 0 && Fields.Text(schema, "type") != "array")
            errors.InvalidText(at + ".type", Fields.Text(schema, "type"), "must be array if x-kubernetes-list-type is specified");
        if (kind == "map" && Fields.Array(schema, "x-kubernetes-list-map-keys") is not { Count: > 0 })
            errors.Required(at + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map");
        var map = Fields.Text(schema, "x-kubernetes-map-type");
        if (map.Length > 0 && map is not ("atomic" or "granular"))
            errors.NotSupported(at + ".x-kubernetes-map-type", map, "atomic", "granular");
    }

    private static void Structural(JsonObject schema, string at, bool isRoot, bool isInner, FieldErrors errors)
    {
        foreach (var (name, property) in Fields.Find(schema, "properties") ?? [])
        {
            if (property is JsonObject inner)
                Structural(inner, $"{at}.properties[{name}]", isRoot: false, isInner, errors);
        }

        if (Fields.Find(schema, "items") is { } items)
            Structural(items, at + ".items", isRoot: false, isInner, errors);
        if (Fields.Find(schema, "additionalProperties") is { } others)
            Structural(others, at + ".additionalProperties", isRoot: false, isInner, errors);
        foreach (var member in Inner)
        {
            var index = 0;
            foreach (var inner in Fields.Objects(schema, member))
                Structural(inner, $"{at}.{member}[{index++}]", isRoot: false, isInner: true, errors);
        }

        if (Fields.Find(schema, "not") is { } not)
            Structural(not, at + ".not", isRoot: false, isInner: true, errors);
        if (isInner)
        {
            foreach (var member in Structure)
            {
                if (schema.ContainsKey(member))
                    errors.Forbidden($"{at}.{member}", "must be empty to be structural");
            }

            return;
        }

        var type = Fields.Text(schema, "type");
        var isOpen = Fields.Flag(schema, "x-kubernetes-preserve-unknown-fields") || Fields.Flag(schema, "x-kubernetes-int-or-string");
        if (type.Length == 0 && isRoot)
            errors.Required(at + ".type", "must not be empty at the root");
        else if (type.Length == 0 && !isOpen)
            errors.Required(at + ".type", at.EndsWith(".items", StringComparison.Ordinal) ? "must not be empty for specified array items" : "must not be empty for specified object fields");
        else if (isRoot && type != "object")
            errors.InvalidText(at + ".type", type, "must be object at the root");
        if (type == "array" && Fields.Find(schema, "items") is null)
            errors.Required(at + ".items", "must be specified");
    }

    private static void Defaults(JsonObject schema, string at, FieldErrors errors)
    {
        if (schema.TryGetPropertyValue("default", out var wanted))
        {
            var found = new FieldErrors();
            InstanceValidation.Value(wanted, schema, "", found);
            errors.Take(found, at + ".default");
        }

        foreach (var (path, inner) in Children(schema, at))
            Defaults(inner, path, errors);
    }

    private static IEnumerable<(string Path, JsonObject Schema)> Children(JsonObject schema, string at)
    {
        foreach (var (name, property) in Fields.Find(schema, "properties") ?? [])
        {
            if (property is JsonObject inner)
                yield return ($"{at}.properties[{name}]", inner);
        }

        foreach (var member in (string[])["items", "additionalProperties", "not"])
        {
            if (Fields.Find(schema, member) is { } inner)
                yield return ($"{at}.{member}", inner);
        }

        foreach (var member in Inner)
        {
            var index = 0;
            foreach (var inner in Fields.Objects(schema, member))
                yield return ($"{at}.{member}[{index++}]", inner);
        }
    }
}
