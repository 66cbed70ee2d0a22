using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Custom;

/// <summary>A custom object against its schema, in the words of the real server's OpenAPI validation.</summary>
internal static class InstanceValidation
{
    private static readonly TimeSpan MostMatching = TimeSpan.FromSeconds(1);

    /// <param name="old">What it was: faults of parts that have not changed are let through (KEP-4008). Null: it is new.</param>
    public static void Validate(JsonObject instance, JsonObject? old, JsonObject schema, FieldErrors errors)
    {
        var copy = Described(instance);
        var found = new FieldErrors();
        Value(copy, schema, "", found, isRoot: true);
        if (found.Count > 0 && old is not null)
        {
            found = new FieldErrors();
            Value(copy, schema, "", found, isRoot: true, Described(old));
        }

        errors.Take(found, "");
    }

    /// <summary>What the schema describes.</summary>
    private static JsonObject Described(JsonObject instance)
    {
        var copy = new JsonObject();
        foreach (var (name, value) in instance)
        {
            if (name is not ("apiVersion" or "kind" or "metadata"))
                copy[name] = value?.DeepClone();
        }

        return copy;
    }

    /// <param name="old">What is equal to this is let through. Null: nothing is.</param>
    public static void Value(JsonNode? value, JsonObject schema, string path, FieldErrors errors, bool isRoot = false, JsonNode? old = null)
    {
        if (old is not null && JsonNode.DeepEquals(value, old))
            return;
        if (value is null)
        {
            if (!isRoot && !Fields.Flag(schema, "nullable"))
                errors.WrongType(path, "\"null\"", $"{path} in body must be of type {Fields.Text(schema, "type")}: \"null\"");
            return;
        }

        if (!HasType(value, schema, out var wanted))
        {
            errors.WrongType(path, FieldErrors.Quote(TypeOf(value)), $"{path} in body must be of type {wanted}: {FieldErrors.Quote(TypeOf(value))}");
            return;
        }

        Enumerated(value, schema, path, errors);
        switch (value)
        {
            case JsonObject members:
                Members(members, schema, path, errors, old as JsonObject);
                break;
            case JsonArray list:
                Items(list, schema, path, errors, old as JsonArray);
                break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                Text(text.GetValue<string>(), schema, path, errors);
                break;
            case JsonValue number when number.GetValueKind() == JsonValueKind.Number:
                Number(number, schema, path, errors);
                break;
        }

        Combined(value, schema, path, errors, old);
    }

    private static bool HasType(JsonNode value, JsonObject schema, out string wanted)
    {
        wanted = Fields.Text(schema, "type");
        if (Fields.Flag(schema, "x-kubernetes-int-or-string"))
        {
            wanted = "integer,string";
            return TypeOf(value) is "integer" or "string";
        }

        var type = TypeOf(value);
        return wanted.Length == 0 || wanted == type || (wanted == "number" && type == "integer");
    }

    public static string TypeOf(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => value.ToJsonString().AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? "integer" : "number",
        _ => "null",
    };

    private static void Enumerated(JsonNode value, JsonObject schema, string path, FieldErrors errors)
    {
        if (Fields.Array(schema, "enum") is not { } known || known.Any(one => JsonNode.DeepEquals(one, value)))
            return;
        errors.NotSupportedShown(path, value.ToJsonString(KeyText.Options), known.Select(static one => one is JsonValue text && text.TryGetValue<string>(out var plain) ? plain : one?.ToJsonString() ?? "null"));
    }

    private static void Members(JsonObject members, JsonObject schema, string path, FieldErrors errors, JsonObject? old)
    {
        foreach (var name in (Fields.Array(schema, "required") ?? []).Select(static name => name!.ToString()))
        {
            if (!members.ContainsKey(name))
                errors.Required(Join(path, name));
        }

        if (Fields.Number(schema, "minProperties") is { } least && members.Count < least)
            errors.Invalid(path, members, $"{path} in body should have at least {least} properties");
        if (Fields.Number(schema, "maxProperties") is { } most && members.Count > most)
            errors.TooMany(path, members.Count, (int)most);
        var properties = Fields.Find(schema, "properties");
        var others = Fields.Find(schema, "additionalProperties");
        foreach (var (name, member) in members)
        {
            if (Fields.Find(properties, name) is { } property)
                Value(member, property, Join(path, name), errors, old: old?[name]);
            else if (others is not null)
                Value(member, others, Join(path, name), errors, old: old?[name]);
        }
    }

    private static void Items(JsonArray list, JsonObject schema, string path, FieldErrors errors, JsonArray? old)
    {
        if (Fields.Number(schema, "maxItems") is { } most && list.Count > most)
            errors.TooMany(path, list.Count, (int)most);
        if (Fields.Number(schema, "minItems") is { } least && list.Count < least)
            errors.Invalid(path, list.Count.ToString(CultureInfo.InvariantCulture), $"{path} in body should have at least {least} items");
        var kind = Fields.Text(schema, "x-kubernetes-list-type");
        var keys = (Fields.Array(schema, "x-kubernetes-list-map-keys") ?? []).Select(static key => key!.ToString()).ToList();
        var seen = new HashSet<string>();
        for (var i = 0; i < list.Count; i++)
        {
            if (Fields.Find(schema, "items") is { } items)
                Value(list[i], items, $"{path}[{i}]", errors, old: CelRules.Same(list[i], old, schema));
            if (kind == "set" && !seen.Add(list[i]?.ToJsonString(KeyText.Options) ?? "null"))
                errors.Duplicate($"{path}[{i}]", list[i]?.ToJsonString(KeyText.Options) ?? "null");
            if (kind != "map" || list[i] is not JsonObject item)
                continue;
            var key = new JsonObject();
            foreach (var name in keys)
                key[name] = item[name]?.DeepClone();
            if (!seen.Add(key.ToJsonString(KeyText.Options)))
                errors.Duplicate($"{path}[{i}]", key.ToJsonString(KeyText.Options));
        }
    }

    private static void Text(string text, JsonObject schema, string path, FieldErrors errors)
    {
        var length = new StringInfo(text).LengthInTextElements;
        if (Fields.Number(schema, "maxLength") is { } most && length > most)
            errors.TooLong(path, (int)most);
        if (Fields.Number(schema, "minLength") is { } least && length < least)
            errors.InvalidText(path, text, $"{path} in body should be at least {least} chars long");
        if (Fields.Text(schema, "pattern") is { Length: > 0 } pattern && !Regex.IsMatch(text, pattern, RegexOptions.NonBacktracking, MostMatching))
            errors.InvalidText(path, text, $"{path} in body should match '{pattern}'");
        if (Fields.Text(schema, "format") is { Length: > 0 } format && !IsOf(text, format))
            errors.InvalidText(path, text, $"{path} in body must be of type {format}: {FieldErrors.Quote(text)}");
    }

    private static bool IsOf(string text, string format) => format switch
    {
        "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "ipv4" => NameSyntax.IsAddress(text) && !text.Contains(':', StringComparison.Ordinal),
        "ipv6" => NameSyntax.IsAddress(text) && text.Contains(':', StringComparison.Ordinal),
        "cidr" => NameSyntax.IsPrefix(text),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "uri" => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _),
        _ => true,
    };

    private static void Number(JsonValue value, JsonObject schema, string path, FieldErrors errors)
    {
        var shown = value.ToJsonString();
        if (!decimal.TryParse(shown, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return;
        if (Bound(schema, "maximum") is { } most && (Fields.Flag(schema, "exclusiveMaximum") ? number >= most : number > most))
            errors.Invalid(path, shown, $"{path} in body should be less than {(Fields.Flag(schema, "exclusiveMaximum") ? "" : "or equal to ")}{Plain(most)}");
        if (Bound(schema, "minimum") is { } least && (Fields.Flag(schema, "exclusiveMinimum") ? number <= least : number < least))
            errors.Invalid(path, shown, $"{path} in body should be greater than {(Fields.Flag(schema, "exclusiveMinimum") ? "" : "or equal to ")}{Plain(least)}");
        if (Bound(schema, "multipleOf") is { } step and > 0 && number % step != 0)
            errors.Invalid(path, shown, $"{path} in body should be a multiple of {Plain(step)}");
    }

    private static decimal? Bound(JsonObject schema, string member) =>
        schema[member] is JsonValue value && decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var bound) ? bound : null;

    private static string Plain(decimal number) => number.ToString("0.############", CultureInfo.InvariantCulture);

    private static void Combined(JsonNode value, JsonObject schema, string path, FieldErrors errors, JsonNode? old)
    {
        var isOfSeveral = Fields.Flag(schema, "x-kubernetes-int-or-string");
        if (Fields.Array(schema, "anyOf") is { Count: > 0 } any && !isOfSeveral && !any.OfType<JsonObject>().Any(one => Fits(value, one, path)))
            errors.Invalid(path, Shown(value), $"{Name(path)}in body must validate at least one schema (anyOf)");
        if (Fields.Array(schema, "oneOf") is { Count: > 0 } one && one.OfType<JsonObject>().Count(schema => Fits(value, schema, path)) is var fitting && fitting != 1)
            errors.Invalid(path, Shown(value), $"{Name(path)}in body must validate one and only one schema (oneOf). Found {(fitting == 0 ? "none" : fitting.ToString(CultureInfo.InvariantCulture))} valid{(fitting == 0 ? "" : " alternatives")}");
        foreach (var all in Fields.Objects(schema, "allOf"))
            Value(value, all, path, errors, old: old);
        if (Fields.Find(schema, "not") is { } not && Fits(value, not, path))
            errors.Invalid(path, Shown(value), $"{Name(path)}in body must not validate the schema (not)");
    }

    private static bool Fits(JsonNode value, JsonObject schema, string path)
    {
        var errors = new FieldErrors();
        Value(value, schema, path, errors);
        return errors.Count == 0;
    }

    private static string Shown(JsonNode value) => value.ToJsonString(KeyText.Options);

    private static string Name(string path) => path.Length == 0 ? "" : path + " ";

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
