using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Plumb.Api.Access;
using Plumb.Api.Discovery;
using Plumb.Api.Http.Endpoints;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Api.Streaming;

namespace Plumb.Api.Http;

/// <summary>
/// From a request to its answer:
/// 1. who asks (a bearer token; probes and the version are open), 2. which document or resource the path means, 3. whether they may,
/// 4. the endpoint for the verb, 5. refusals as Status objects.
/// </summary>
internal sealed partial class ApiApplication : IHttpApplication<HttpContext>
{
    private readonly Gate _gate;
    private readonly Documents _documents;
    private readonly MetricsText _metrics;
    private readonly ServiceAccountTokens _tokens;
    private readonly Catalog _catalog;
    private volatile Router _known;
    private readonly ResourceEndpoints _resources;
    private readonly ILogger _log;

    public ApiApplication(Registry registry, Gate gate, ServiceAccountTokens tokens, Documents documents, PodStreams? streams, WriteHold hold, TimeProvider time, ILogger log, CancellationToken stopping)
    {
        _gate = gate;
        _documents = documents;
        _metrics = new MetricsText(registry, time.GetUtcNow());
        _tokens = tokens;
        _catalog = registry.Catalog;
        _known = new Router(_catalog);
        _resources = new ResourceEndpoints(registry, gate, tokens, streams, hold, time, stopping);
        _log = log;
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context);
        }
        catch (ApiException refusal) when (!context.Response.HasStarted)
        {
            await Answer.StatusAsync(context, refusal);
        }
        catch (BadHttpRequestException refusal) when (!context.Response.HasStarted)
        {
            await Answer.StatusAsync(context, refusal.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? new ApiException(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")
                : ApiException.BadRequest(refusal.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away.
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            Log.Failed(_log, bug, context.Request.Method, context.Request.Path);
            if (context.Response.HasStarted)
                context.Abort();
            else
                await Answer.StatusAsync(context, ApiException.Internal(bug.Message));
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (Documents.IsOpen(path))
            return _documents.ServeOpenAsync(context, path);
        var user = _gate.Identify(context);
        var steps = Split(path);
        var isCore = steps is ["api", ..];
        if (isCore || steps is ["apis", ..])
        {
            var router = Router();
            var prefix = isCore ? 2 : 3;
            var group = isCore || steps.Length < 2 ? "" : steps[1];
            var version = steps.Length >= prefix ? steps[prefix - 1] : "";
            if (!isCore && steps.Length > 1 && !router.HasGroup(group))
                return Answer.NoSuchPathAsync(context);
            if (version.Length > 0 && !router.HasVersion(group, version))
                return isCore ? throw NoSuchResource() : Answer.NoSuchPathAsync(context);
            if (steps.Length <= prefix)
            {
                RequirePath(context, user, path);
                return _documents.ServeDiscoveryAsync(context, isCore, group, version);
            }

            var rest = steps.AsSpan(prefix);
            var legacyWatch = rest[0] == "watch" && rest.Length > 1;
            var target = router.Find(group, version, legacyWatch ? rest[1..] : rest) ?? throw NoSuchResource();
            if (!user.IsMaster)
                _gate.Require(user, Gate.Of(context.Request, target, legacyWatch));
            return _resources.ServeAsync(context, target, legacyWatch);
        }

        RequirePath(context, user, path);

        return steps switch
        {
            ["openapi", ..] => _documents.ServeOpenApiAsync(context, steps),
            [] => _documents.ServeRootAsync(context),
            ["metrics"] => Answer.TextAsync(context, 200, _metrics.Write(), MetricsText.ContentType),
            [".well-known", "openid-configuration"] => KeysAsync(context, ServiceAccountTokens.Issuer(context.Request.Host.Value ?? ""), "application/json"),
            ["openid", "v1", "jwks"] => KeysAsync(context, _tokens.Keys(), "application/jwk-set+json"),
            _ => Answer.NoSuchPathAsync(context),
        };
    }

    private static Task KeysAsync(HttpContext context, JsonObject document, string contentType)
    {
        context.Response.OnStarting(static state =>
        {
            ((HttpContext)state).Response.Headers.CacheControl = "public, max-age=3600";
            return Task.CompletedTask;
        }, context);
        return Answer.JsonAsync(context, 200, Answer.Bytes(document), contentType);
    }

    private void RequirePath(HttpContext context, UserInfo user, string path) =>
        _gate.Require(user, new AccessAttributes(context.Request.Method.ToLowerInvariant(), "", "", "", "", "", path));

    /// <summary>Made anew when resources come or go.</summary>
    private Router Router() => _known.Revision == _catalog.Revision ? _known : _known = new Router(_catalog);

    private static ApiException NoSuchResource() => new(404, "NotFound", "the server could not find the requested resource", []);

    private static string[] Split(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static partial class Log
    {
        [LoggerMessage(EventId = 3001, Level = LogLevel.Error, Message = "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, Exception exception, string method, PathString path);
    }
}
