using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Endpoints;

/// <summary>create, update, delete, deletecollection.</summary>
internal sealed class WriteEndpoint(Registry registry)
{
    private readonly ReadEndpoint _read = new(registry);

    public async Task CreateAsync(HttpContext context, Target target)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString());
        var query = WriteQuery.Parse(context, "CreateOptions");
        var root = await BodyAsync(context, target, query);
        var metadata = Fields.Object(root, "metadata");
        RequireNamespace(target, metadata);
        if (Fields.Text(metadata, "resourceVersion").Length > 0)
            throw new ApiException(500, "", "resourceVersion should not be set on objects to be created");
        var stored = registry.Create(target.Definition, target.Namespace, Accepted(target, root), query.Options);
        Answer.Warn(context, query.Warnings);
        await _read.ObjectAsync(context, 201, target.Definition, stored, negotiated);
    }

    public async Task UpdateAsync(HttpContext context, Target target)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString());
        var query = WriteQuery.Parse(context, "UpdateOptions");
        var root = Accepted(target, await BodyAsync(context, target, query));
        var metadata = Fields.Object(root, "metadata");
        RequireNamespace(target, metadata);
        RequireName(target, metadata);
        var expected = ExpectedVersion(metadata);
        var stored = registry.Update(target.Definition, target.Key, target.Part, (present, _) =>
        {
            RequireVersion(present, expected);
            return root.DeepClone().AsObject();
        }, query.Options);
        Answer.Warn(context, query.Warnings);
        await _read.ObjectAsync(context, 200, target.Definition, stored, negotiated);
    }

    public async Task DeleteAsync(HttpContext context, Target target)
    {
        var options = await DeleteQuery.ParseAsync(context);
        var deletion = registry.Delete(target.Definition, target.Key, options);
        await AnswerAsync(context, target.Definition, deletion);
    }

    public async Task DeleteCollectionAsync(HttpContext context, Target target)
    {
        var options = await DeleteQuery.ParseAsync(context);
        var query = ListQuery.Parse(context.Request.Query, target.Definition, watch: false);
        var items = new JsonArray();
        foreach (var stored in registry.Store.List(target.Definition.StoredIn, target.Scope, query.Filter))
        {
            try
            {
                registry.Delete(target.Definition, stored.Key, options);
                var item = stored.ToNode();
                item.Remove("kind");
                item.Remove("apiVersion");
                items.Add(item);
            }
            catch (ApiException gone) when (gone.IsNotFound)
            {
                // Somebody else deleted it meanwhile: what was asked for.
            }
        }

        await Answer.JsonAsync(context, 200, new JsonObject
        {
            ["kind"] = target.Definition.ListKind,
            ["apiVersion"] = target.Definition.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = registry.Store.ResourceVersion.ToString() },
            ["items"] = items,
        });
    }

    private static Task AnswerAsync(HttpContext context, ResourceDefinition definition, Deletion deletion)
    {
        if (!deletion.Gone || definition.ReturnsDeleted)
            return Answer.JsonAsync(context, 200, ReadEndpoint.Shown(definition, deletion.Object));
        var details = ApiException.DetailsOf(definition.Resource, deletion.Object.Name);
        details["uid"] = deletion.Object.Uid;
        return Answer.JsonAsync(context, 200, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        });
    }

    private async Task<JsonObject> BodyAsync(HttpContext context, Target target, WriteQuery query)
    {
        var duplicates = new List<string>();
        var root = await RequestBody.ObjectAsync(context, target.Definition, duplicates, kind => IsKnown(target.Definition, kind));
        FieldCheck.Apply(target.Definition, root, duplicates, query);
        return root;
    }

    private bool IsKnown(ResourceDefinition definition, string kind) =>
        registry.Catalog.All.Any(other => other.ApiVersion == definition.ApiVersion && (kind == other.Kind || kind == other.Kind + "List"));

    internal static JsonObject Accepted(Target target, JsonObject root) => target.Definition.Accept is { } accept ? accept(root) : root;

    internal static void RequireNamespace(Target target, JsonObject metadata)
    {
        var said = Fields.Text(metadata, "namespace");
        if (said.Length > 0 && target.Definition.Namespaced && said != target.Namespace)
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
    }

    internal static void RequireName(Target target, JsonObject metadata)
    {
        var said = Fields.Text(metadata, "name");
        if (said.Length == 0)
            throw ApiException.BadRequest("the name of the object must be set: name must be provided");
        if (said != target.Name)
            throw ApiException.BadRequest($"the name of the object ({said}) does not match the name on the URL ({target.Name})");
    }

    /// <returns>Null: whatever is there.</returns>
    internal static string? ExpectedVersion(JsonObject metadata)
    {
        var said = Fields.Text(metadata, "resourceVersion");
        if (said is "" or "0")
            return null;
        return ulong.TryParse(said, out _) ? said : throw new ApiException(500, "", $"strconv.ParseUint: parsing \"{said}\": invalid syntax");
    }

    internal static void RequireVersion(StoredObject present, string? expected)
    {
        if (expected is not null && expected != present.ResourceVersion.ToString())
            throw ApiException.Modified(present.Key);
    }
}
