using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Http;
using Plumb.Api.Http.Endpoints;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Discovery;

/// <summary>What the server says of itself. Every document is made when it is first asked for, then kept with its hash.</summary>
internal sealed class Documents(Catalog catalog, DateTimeOffset started)
{
    private const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private readonly Dictionary<string, (byte[] Body, string Hash)> _cache = [];
    private readonly Lock _gate = new();
    private int _revision;
    private readonly DiscoveryDocuments _discovery = new(catalog);
    private readonly OpenApiDocuments _openApi = new(catalog);

    /// <summary>Probes and the version are answered to anybody.</summary>
    public static bool IsOpen(string path) => path is "/version" or "/version/" or "/healthz" or "/livez" or "/readyz" ||
        path.StartsWith("/healthz/", StringComparison.Ordinal) || path.StartsWith("/livez/", StringComparison.Ordinal) || path.StartsWith("/readyz/", StringComparison.Ordinal);

    public Task ServeOpenAsync(HttpContext context, string path)
    {
        RequireGet(context);
        return path.StartsWith("/version", StringComparison.Ordinal)
            ? Answer.JsonAsync(context, 200, Cached("version", DiscoveryDocuments.Version).Body)
            : Answer.TextAsync(context, 200, "ok");
    }

    public Task ServeRootAsync(HttpContext context)
    {
        RequireGet(context);
        return Answer.JsonAsync(context, 200, Cached("root", _discovery.Root).Body);
    }

    /// <param name="group">Empty, with <paramref name="isCore"/> false: the list of groups.</param>
    public Task ServeDiscoveryAsync(HttpContext context, bool isCore, string group, string version)
    {
        RequireGet(context);
        if (version.Length > 0)
            return Answer.JsonAsync(context, 200, Cached($"resources {group}/{version}", () => _discovery.Resources(group, version)).Body);
        if (group.Length > 0)
            return Answer.JsonAsync(context, 200, Cached("group " + group, () => _discovery.Group(group)).Body);

        var accept = context.Request.Headers.Accept.ToString();
        if (WantsAggregated(accept))
        {
            var (body, hash) = Cached(isCore ? "aggregated api" : "aggregated apis", () => _discovery.Aggregated(isCore));
            return TaggedAsync(context, body, hash, Aggregated);
        }

        if (accept.Length > 0 && !accept.Split(',').Any(static range => !range.Contains("as=", StringComparison.Ordinal)))
            throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
        return Answer.JsonAsync(context, 200, isCore
            ? Cached("api", () => DiscoveryDocuments.CoreVersions(context.Request.Host.Value ?? "")).Body
            : Cached("apis", _discovery.Groups).Body);
    }

    public Task ServeOpenApiAsync(HttpContext context, string[] steps)
    {
        RequireGet(context);
        if (steps is ["openapi", "v2"])
        {
            if (context.Request.Headers.Accept.ToString() is { Length: > 0 } wanted && !wanted.Contains("json", StringComparison.Ordinal) && !wanted.Contains("protobuf", StringComparison.Ordinal) && !wanted.Contains("*/*", StringComparison.Ordinal))
            {
                context.Response.StatusCode = 406;
                return Task.CompletedTask;
            }

            var isProtobuf = context.Request.Headers.Accept.ToString().Contains("protobuf", StringComparison.Ordinal);
            var (document, tag) = isProtobuf ? Cached("openapi v2 protobuf", () => OpenApiProtobuf.Document(_openApi.V2())) : Cached("openapi v2", _openApi.V2);
            return TaggedAsync(context, document, tag, isProtobuf ? OpenApiProtobuf.ContentType : "application/json");
        }

        if (steps is ["openapi", "v3"])
            return Answer.JsonAsync(context, 200, Cached("openapi v3", () => _openApi.Index(path => OpenApi(path).Hash.Trim('"'))).Body, "text/plain; charset=utf-8");
        if (steps is ["openapi", "v3", "api", _] or ["openapi", "v3", "apis", _, _])
        {
            var path = string.Join('/', steps.AsSpan(2)!);
            if (_openApi.Has(path))
            {
                var (body, hash) = OpenApi(path);
                return TaggedAsync(context, body, hash, "application/json");
            }
        }

        return Answer.NoSuchPathAsync(context);
    }

    private (byte[] Body, string Hash) OpenApi(string path) => Cached("openapi v3 " + path, () => _openApi.V3(path));

    private static bool WantsAggregated(string accept)
    {
        foreach (var range in accept.Split(','))
        {
            if (range.Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal) && range.Contains("v=v2", StringComparison.Ordinal) && !range.Contains("v=v2beta", StringComparison.Ordinal))
                return true;
            if (range.Trim() is "application/json" or "*/*")
                return false;
        }

        return false;
    }

    private async Task TaggedAsync(HttpContext context, byte[] body, string hash, string contentType)
    {
        context.Response.Headers.ETag = hash;
        context.Response.Headers.LastModified = started.ToString("R", CultureInfo.InvariantCulture);
        context.Response.Headers.Vary = "Accept";
        if (context.Request.Headers.IfNoneMatch.ToString() == hash)
        {
            context.Response.StatusCode = 304;
            return;
        }

        await Answer.JsonAsync(context, 200, body, contentType);
    }

    private (byte[] Body, string Hash) Cached(string key, Func<JsonNode> make) => Cached(key, () => Answer.Bytes(make()));

    private (byte[] Body, string Hash) Cached(string key, Func<byte[]> make)
    {
        lock (_gate)
        {
            if (_revision != catalog.Revision)
            {
                _revision = catalog.Revision;
                _cache.Clear();
            }

            if (!_cache.TryGetValue(key, out var document))
            {
                var body = make();
                _cache[key] = document = (body, $"\"{Convert.ToHexString(SHA256.HashData(body))}\"");
            }

            return document;
        }
    }

    private static void RequireGet(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            throw ResourceEndpoints.NotAllowed();
    }
}
