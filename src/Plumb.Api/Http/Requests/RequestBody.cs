using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Http.Requests;

/// <summary>Reads what clients send.</summary>
internal static class RequestBody
{
    private static readonly JsonDocumentOptions NoDuplicates = new() { AllowDuplicateProperties = false, MaxDepth = JsonTrees.MaxDepth };

    /// <param name="kind">What should be in it; empty: any.</param>
    public static async Task<byte[]> ReadAsync(HttpContext context, string kind = "")
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted);
            if (result.IsCompleted)
            {
                var body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return MediaType(context) == Protobuf.MediaType && body.Length > 0 ? Answer.Bytes(Protobuf.Decode(body, kind)) : GoJson.Readable(body);
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>The object of a create or update: JSON (or YAML) of the kind that the path means.</summary>
    /// <param name="duplicates">Takes the paths of members that the text says twice.</param>
    /// <param name="isKnown">Whether the group and version have a kind.</param>
    public static async Task<JsonObject> ObjectAsync(HttpContext context, ResourceDefinition definition, List<string> duplicates, Func<string, bool> isKnown)
    {
        var bytes = await ReadAsync(context, definition.Kind);
        var type = MediaType(context);
        if (type == "application/yaml")
            bytes = Yaml.ToJson(bytes, $"the object provided is unrecognized (must be of type {definition.Kind}): ", $" ({Shown(bytes)})");
        else if (type is not ("" or "application/json" or Protobuf.MediaType))
            throw UnsupportedMediaType("application/json, application/yaml, " + Protobuf.MediaType);
        var root = Parse(bytes, definition.Kind, duplicates);
        RequireKind(root, definition, isKnown);
        return root;
    }

    public static string MediaType(HttpContext context) => (context.Request.ContentType ?? "").Split(';')[0].Trim();

    public static ApiException UnsupportedMediaType(string accepted) => new(415, "UnsupportedMediaType",
        $"the body of the request was in an unknown format - accepted media types include: {accepted}");

    internal static JsonObject Parse(byte[] bytes, string kind, List<string> duplicates)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(bytes, null, NoDuplicates);
        }
        catch (JsonException)
        {
            node = ParseSlowly(bytes, kind, duplicates);
        }

        return node switch
        {
            JsonObject root => root,
            null => [],
            _ => throw Unrecognized(kind, $"json: cannot unmarshal {GoJson.TypeName(node)} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}", bytes),
        };
    }

    /// <summary>The text is broken, or says a member twice: the last one then counts.</summary>
    private static JsonNode? ParseSlowly(byte[] bytes, string kind, List<string> duplicates)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = JsonTrees.MaxDepth });
            reader.Read();
            var node = DuplicateTolerant.Read(ref reader, "", duplicates);
            return reader.Read() ? throw new JsonException() : node;
        }
        catch (JsonException)
        {
            throw Unrecognized(kind, GoJson.SyntaxError(bytes), bytes);
        }
    }

    private static ApiException Unrecognized(string kind, string why, byte[] bytes)
    {
        return ApiException.BadRequest($"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {why} ({Shown(bytes)})");
    }

    private static string Shown(byte[] bytes)
    {
        const int most = 30;
        var begin = bytes.AsSpan(0, Math.Min(bytes.Length, most));
        return bytes.Length == 0 ? "<empty>" : (bytes[0] == (byte)'{' ? Encoding.UTF8.GetString(begin) : Convert.ToHexStringLower(begin)) + (bytes.Length > most ? " ..." : "");
    }

    private static void RequireCustomKind(JsonObject root, ResourceDefinition definition, string kind, string version)
    {
        if (version.Length > 0 && version != definition.ApiVersion)
            throw ApiException.BadRequest($"the API version in the data ({version}) does not match the expected API version ({definition.ApiVersion})");
        if (kind.Length == 0 || kind == definition.Kind)
            return;
        var errors = new Resources.Validation.FieldErrors();
        errors.InvalidText("kind", kind, $"must be {definition.Kind}");
        throw errors.ToException(definition.Resource.Group, kind, Fields.Text(Fields.Find(root, "metadata"), "name"));
    }

    private static void RequireKind(JsonObject root, ResourceDefinition definition, Func<string, bool> isKnown)
    {
        var kind = Fields.Text(root, "kind");
        var version = Fields.Text(root, "apiVersion");
        if (definition.Custom is not null)
        {
            RequireCustomKind(root, definition, kind, version);
            return;
        }

        if (version.Length > 0 && version != definition.ApiVersion)
        {
            var short1 = version.Contains('/', StringComparison.Ordinal) ? definition.Version : version;
            throw ApiException.BadRequest(
                $"{(kind.Length > 0 ? kind : definition.Kind)} in version \"{short1}\" cannot be handled as a {definition.Kind}: no kind \"{(kind.Length > 0 ? kind : definition.Kind)}\" is registered for version \"{version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
        }

        if (kind.Length > 0 && kind != definition.Kind && isKnown(kind))
        {
            var package = definition.Resource.Group.Length == 0 ? "core" : definition.Resource.Group.Split('.')[0];
            throw ApiException.BadRequest($"{kind} in version \"{definition.Version}\" cannot be handled as a {definition.Kind}: converting (v1.{kind}) to ({package}.{definition.Kind}): unknown conversion");
        }

        if (kind.Length > 0 && kind != definition.Kind)
        {
            throw ApiException.BadRequest(
                $"{kind} in version \"{definition.Version}\" cannot be handled as a {definition.Kind}: no kind \"{kind}\" is registered for version \"{definition.ApiVersion}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
        }
    }
}

/// <summary>A JSON reader that lets the last of several members of one name win, and names them.</summary>
internal static class DuplicateTolerant
{
    public static JsonNode? Read(ref Utf8JsonReader reader, string path, List<string> duplicates)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new JsonObject();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    var memberPath = path.Length == 0 ? name : $"{path}.{name}";
                    reader.Read();
                    if (members.ContainsKey(name))
                        duplicates.Add(memberPath);
                    members[name] = Read(ref reader, memberPath, duplicates);
                }

                return members;
            case JsonTokenType.StartArray:
                var items = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(Read(ref reader, $"{path}[{items.Count}]", duplicates));
                return items;
            default:
                return JsonNode.Parse(ref reader);
        }
    }
}
