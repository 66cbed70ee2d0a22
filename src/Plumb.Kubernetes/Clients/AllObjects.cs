using System.Net.Http;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Kubernetes.Clients;

/// <summary>Everything that an API server holds, of whatever kinds it has; as JSON, since nobody has records for all.</summary>
public static class AllObjects
{
    private const int PageSize = 500;

    /// <summary>Each object once, in the version that its group prefers, with its kind. Events are left out: they tell what happened, not what is.</summary>
    /// <remarks>Throws as <see cref="KubernetesClient"/> does; a collection that the caller may not list is passed over.</remarks>
    public static async IAsyncEnumerable<JsonObject> ListAsync(KubernetesClient api, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await foreach (var collection in CollectionsAsync(api, cancel).ConfigureAwait(false))
        {
            await foreach (var found in OfAsync(collection, null, path => FindPageAsync(api, path, cancel)).ConfigureAwait(false))
                yield return found;
        }
    }

    /// <summary>Each object of one collection, with its kind.</summary>
    /// <param name="collection">Its path: <c>/api/v1/services</c>.</param>
    /// <param name="fields">Null: all.</param>
    /// <remarks>Throws as <see cref="KubernetesClient"/> does, also where the caller may not list it: that is not the same as that there is none.</remarks>
    public static IAsyncEnumerable<JsonObject> OfAsync(KubernetesClient api, string collection, FieldSelector? fields, CancellationToken cancel = default) =>
        OfAsync(collection, fields, path => PageAsync(api, path, cancel));

    private static async IAsyncEnumerable<JsonObject> OfAsync(string collection, FieldSelector? fields, Func<string, Task<JsonObject?>> read)
    {
        string selection = fields is null ? "" : $"&fieldSelector={Uri.EscapeDataString(fields.ToString())}";
        string? next = null;
        do
        {
            var page = await read($"{collection}?limit={PageSize}{selection}{(next is null ? "" : $"&continue={Uri.EscapeDataString(next)}")}").ConfigureAwait(false);
            if (page?["items"] is not JsonArray items)
                break;
            var (version, kind) = (Text(page, "apiVersion"), Text(page, "kind"));
            foreach (var item in items.ToList())
            {
                if (item is not JsonObject found)
                    continue;
                items.Remove(found);
                // Items of a list leave out what the list says for them all.
                found["apiVersion"] ??= version;
                found["kind"] ??= kind.EndsWith("List", StringComparison.Ordinal) ? kind[..^"List".Length] : kind;
                yield return found;
            }
            next = page["metadata"] is JsonObject metadata && Text(metadata, "continue") is { Length: > 0 } more ? more : null;
        }
        while (next is not null);
    }

    private static async IAsyncEnumerable<string> CollectionsAsync(KubernetesClient api, [EnumeratorCancellation] CancellationToken cancel)
    {
        var versions = new List<string> { "/api/v1" };
        foreach (var group in Items(await FindPageAsync(api, "/apis", cancel).ConfigureAwait(false), "groups"))
        {
            if (group["preferredVersion"] is JsonObject preferred && Text(preferred, "groupVersion") is { Length: > 0 } version)
                versions.Add($"/apis/{version}");
        }
        foreach (string version in versions)
        {
            foreach (var resource in Items(await FindPageAsync(api, version, cancel).ConfigureAwait(false), "resources"))
            {
                string name = Text(resource, "name");
                bool lists = resource["verbs"] is JsonArray verbs && verbs.Any(static verb => verb?.ToString() == "list");
                if (lists && name != "events" && !name.Contains('/', StringComparison.Ordinal))
                    yield return $"{version}/{name}";
            }
        }
    }

    // Null where one may not look, or nobody answers for the group.
    private static async Task<JsonObject?> FindPageAsync(KubernetesClient api, string path, CancellationToken cancel)
    {
        try
        {
            return await PageAsync(api, path, cancel).ConfigureAwait(false);
        }
        catch (ApiException refused) when (refused.Status.Code is 403 or 404 or 405 or 503)
        {
            return null;
        }
    }

    private static async Task<JsonObject?> PageAsync(KubernetesClient api, string path, CancellationToken cancel)
    {
        try
        {
            return JsonNode.Parse(await api.SendAsync(HttpMethod.Get, path, null, cancel).ConfigureAwait(false)) as JsonObject;
        }
        catch (JsonException error)
        {
            throw new IOException($"the API server's answer to GET {path} cannot be read: {error.Message}", error);
        }
    }

    private static IEnumerable<JsonObject> Items(JsonObject? page, string field) => (page?[field] as JsonArray ?? []).OfType<JsonObject>();

    private static string Text(JsonObject from, string field) => from[field] is JsonValue value && value.TryGetValue(out string? text) ? text : "";
}
