using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Tables;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Endpoints;

/// <summary>get and list.</summary>
internal sealed class ReadEndpoint(Registry registry)
{
    public Task GetAsync(HttpContext context, Target target)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString());
        var stored = registry.Store.Find(target.Key) ?? throw ApiException.NotFound(target.Definition.Resource, target.Name);
        return ObjectAsync(context, 200, target.Definition, stored, negotiated);
    }

    /// <summary>One object in the form that was asked for.</summary>
    public Task ObjectAsync(HttpContext context, int code, ResourceDefinition definition, StoredObject stored, Negotiated negotiated)
    {
        switch (negotiated.Form)
        {
            case Form.Table:
                return Answer.JsonAsync(context, code, TableWriter.Write(
                    definition, [stored], negotiated.MetaVersion, IncludeObject(context), registry.Time.GetUtcNow(),
                    stored.ResourceVersion, null, null, withColumns: true));
            case Form.Metadata:
                return Answer.JsonAsync(context, code, TableWriter.Metadata(stored, negotiated.MetaVersion));
            default:
                return Answer.JsonAsync(context, code, Shown(definition, stored));
        }
    }

    /// <summary>The object's JSON as this resource shows it: events are one store seen through two groups.</summary>
    public static ReadOnlyMemory<byte> Shown(ResourceDefinition definition, StoredObject stored) =>
        definition.Show is { } show ? Answer.Bytes(show(stored.ToNode())) : stored.Json;

    public async Task ListAsync(HttpContext context, Target target, ListQuery query)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString());
        var page = Page(target, query);
        if (negotiated.Form == Form.Table)
        {
            await Answer.JsonAsync(context, 200, TableWriter.Write(
                target.Definition, page.Objects, negotiated.MetaVersion, IncludeObject(context), registry.Time.GetUtcNow(),
                page.Version, page.Next, page.Remaining, withColumns: true));
            return;
        }

        var output = new ArrayBufferWriter<byte>(page.Objects.Count * 2048 + 256);
        WriteHead(output, target.Definition, negotiated, page);
        for (var i = 0; i < page.Objects.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            if (negotiated.Form == Form.Metadata)
                output.Write(Answer.Bytes(TableWriter.Metadata(page.Objects[i], negotiated.MetaVersion)));
            else
                WriteItem(output, Shown(target.Definition, page.Objects[i]).Span);
        }

        output.Write("]}\n"u8);
        await Answer.JsonAsync(context, 200, output.WrittenMemory);
    }

    /// <summary>What rows of a table hold beside their cells: the object, its metadata (false), or nothing.</summary>
    public static bool? IncludeObject(HttpContext context) => context.Request.Query["includeObject"].ToString() switch { "Object" => true, "None" => null, _ => false };

    private ListPage Page(Target target, ListQuery query)
    {
        Listing all;
        long version;
        var past = query.Continue is { Version: > 0 } next ? next.Version : query.Match == "Exact" ? query.Version : 0;
        if (past > 0)
        {
            version = past;
            if (registry.Store.ResourceVersion is var now && past > now)
                throw ApiException.TooLarge(past.ToString(CultureInfo.InvariantCulture), now);
            all = registry.Store.ListingAt(target.Definition.StoredIn, past) ?? throw Expired(query.Continue);
        }
        else
        {
            all = registry.Store.ListingOf(target.Definition.StoredIn, out version);
            if (query.Version > version)
                throw ApiException.TooLarge(query.ResourceVersion, version);
        }

        StoreKey? after = query.Continue is { } from ? new StoreKey(target.Definition.StoredIn, from.Namespace, from.Name) : null;
        var rest = all.From(target.Scope, after);
        if (query.Filter is { } filter)
            rest = rest.Where(filter);
        if (query.Limit <= 0 || query.ResourceVersion == "0")
            return new ListPage([.. rest], version, null, null);
        // One more says whether there is a next page.
        var limit = (int)Math.Min(query.Limit, int.MaxValue - 1);
        var objects = rest.Take(limit + 1).ToList();
        if (objects.Count <= limit)
            return new ListPage(objects, version, null, null);
        objects.RemoveAt(limit);
        long? remaining = query.Filter is null ? all.CountFrom(target.Scope, after) - limit : null;
        return new ListPage(objects, version, new Continuation(version, objects[^1].Namespace, objects[^1].Name).Token, remaining);
    }

    /// <summary>With the refusal comes a token that goes on from the same place, in the list as it is now.</summary>
    private static ApiException Expired(Continuation? last) => last is null
        ? new ApiException(410, "Expired", "The resourceVersion for the provided list is too old.")
        : new ApiException(410, "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to "
            + "retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk "
            + "was returned and now may show up in the list.") { Metadata = new JsonObject { ["continue"] = (last with { Version = -1 }).Token } };

    private static void WriteHead(ArrayBufferWriter<byte> output, ResourceDefinition definition, Negotiated negotiated, ListPage page)
    {
        var (kind, version) = negotiated.Form == Form.Metadata
            ? ("PartialObjectMetadataList", "meta.k8s.io/" + negotiated.MetaVersion)
            : (definition.ListKind, definition.ApiVersion);
        var head = new StringBuilder(160)
            .Append("{\"kind\":\"").Append(kind).Append("\",\"apiVersion\":\"").Append(version)
            .Append("\",\"metadata\":{\"resourceVersion\":\"").Append(page.Version.ToString(CultureInfo.InvariantCulture)).Append('"');
        if (page.Next is not null)
            head.Append(",\"continue\":\"").Append(page.Next).Append('"');
        if (page.Remaining is { } remaining)
            head.Append(",\"remainingItemCount\":").Append(remaining.ToString(CultureInfo.InvariantCulture));
        head.Append("},\"items\":[");
        output.Write(Encoding.UTF8.GetBytes(head.ToString()));
    }

    /// <summary>Items say neither kind nor version, which the list says for them; both stand first in a stored object.</summary>
    private static void WriteItem(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, StoredObject.Deep);
        reader.Read();
        reader.Read();
        while (reader.TokenType == JsonTokenType.PropertyName && (reader.ValueTextEquals("kind"u8) || reader.ValueTextEquals("apiVersion"u8)))
        {
            reader.Read();
            reader.Read();
        }

        output.Write("{"u8);
        output.Write(json[(int)reader.TokenStartIndex..]);
    }

    private sealed record ListPage(IReadOnlyList<StoredObject> Objects, long Version, string? Next, long? Remaining);
}
