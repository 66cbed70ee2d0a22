using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Requests;

/// <summary>What a typed decoder would say of a request's object: values that do not fit, members that do not exist or are there twice.</summary>
internal static class FieldCheck
{
    /// <summary>Unknown members are dropped, as a typed server drops them; said in a warning or, when strict, refused.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static void Apply(ResourceDefinition definition, JsonObject root, List<string> duplicates, WriteQuery query)
    {
        if (definition.Custom is { } custom)
        {
            var unknown = new List<string>();
            custom.Prune(root, unknown);
            Report(definition.Kind, definition.Version, unknown, duplicates, query);
        }
        else if (TypeTable.Of(definition) is { } schema)
        {
            Apply(schema, definition.Kind, definition.Version, root, duplicates, query);
        }
        else
        {
            Report(definition.Kind, definition.Version, [], duplicates, query);
        }
    }

    /// <summary>The same for what is no resource's object: `Scale`, `Eviction`.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static JsonObject Request(byte[] body, string kind, string version, WriteQuery query)
    {
        var duplicates = new List<string>();
        var root = RequestBody.Parse(body, kind, duplicates);
        Apply(TypeTable.Named(kind), kind, version, root, duplicates, query);
        return root;
    }

    private static void Apply(TypeSchema schema, string kind, string version, JsonObject root, List<string> duplicates, WriteQuery query)
    {
        var walk = FieldWalk.Over(schema, root);
        if (walk.Mismatch is { } mismatch)
            throw ApiException.BadRequest($"{kind} in version \"{version}\" cannot be handled as a {kind}: {mismatch}");
        // Both at once are told in the order of the text; of a custom object, which is read twice, first the ones and then the others.
        var places = walk.Unknown.Count > 0 && duplicates.Count > 0 ? Places(root) : null;
        foreach (var path in walk.Unknown)
            Remove(root, path);
        Report(kind, version, walk.Unknown, duplicates, query, places);
    }

    private static Dictionary<string, int> Places(JsonObject root)
    {
        var places = new Dictionary<string, int>();
        Enter(root, "");
        return places;

        void Enter(JsonNode? node, string path)
        {
            places[path] = places.Count;
            if (node is JsonObject members)
            {
                foreach (var (name, member) in members)
                    Enter(member, path.Length == 0 ? name : $"{path}.{name}");
            }
            else if (node is JsonArray items)
            {
                for (var i = 0; i < items.Count; i++)
                    Enter(items[i], $"{path}[{i}]");
            }
        }
    }

    private static void Report(string kind, string version, List<string> unknown, List<string> duplicates, WriteQuery query, Dictionary<string, int>? places = null)
    {
        var all = duplicates.Select(static path => (Path: path, What: "duplicate")).Concat(unknown.Select(static path => (Path: path, What: "unknown")));
        if (places is not null)
            all = all.OrderBy(error => places.GetValueOrDefault(error.Path));
        var errors = all.Select(static error => $"{error.What} field \"{error.Path}\"").ToList();
        if (errors.Count == 0 || query.FieldValidation == FieldValidation.Ignore)
            return;
        if (query.FieldValidation == FieldValidation.Strict)
            throw ApiException.BadRequest($"{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {string.Join(", ", errors)}");
        query.Warnings.AddRange(errors);
    }

    /// <summary>The same for the outcome of a patch, which the server words in another way.</summary>
    /// <param name="members">Those that the patch names: what it leaves as it is stored has been looked at before. Null: all.</param>
    /// <exception cref="ApiException">422.</exception>
    public static void ApplyToPatched(ResourceDefinition definition, JsonObject root, HashSet<string>? members, WriteQuery query)
    {
        if (definition.Custom is not null)
        {
            Apply(definition, root, [], query);
            return;
        }

        if (TypeTable.Of(definition) is not { } schema)
            return;
        var walk = FieldWalk.Over(schema, root, members);
        if (walk.Mismatch is { } mismatch)
            throw InvalidPatch(root, mismatch);
        if (walk.Unknown.Count == 0)
            return;
        var errors = walk.Unknown.ConvertAll(static path => $"unknown field \"{path}\"");
        if (query.FieldValidation == FieldValidation.Strict)
            throw InvalidPatch(root, $"strict decoding error: {string.Join(", ", errors)}");
        foreach (var path in walk.Unknown)
            Remove(root, path);
        if (query.FieldValidation == FieldValidation.Warn)
            query.Warnings.AddRange(errors);
    }

    public static ApiException InvalidPatch(JsonObject patched, string why)
    {
        var errors = new FieldErrors();
        errors.Invalid("patch", FieldErrors.Quote(patched.ToJsonString()), why);
        return errors.ToException("", "", "");
    }

    private static void Remove(JsonNode root, string path)
    {
        // `spec.containers[0].bogus`: the parent of the last step. A key of a map may itself hold dots, but maps have no unknown members.
        JsonNode? at = root;
        var steps = path.Split('.');
        for (var i = 0; i < steps.Length - 1 && at is not null; i++)
        {
            var bracket = steps[i].IndexOf('[', StringComparison.Ordinal);
            at = at[bracket < 0 ? steps[i] : steps[i][..bracket]];
            while (bracket >= 0 && at is not null)
            {
                var close = steps[i].IndexOf(']', bracket);
                at = at[int.Parse(steps[i].AsSpan(bracket + 1, close - bracket - 1))];
                bracket = steps[i].IndexOf('[', close);
            }
        }

        (at as JsonObject)?.Remove(steps[^1]);
    }
}
