using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Api.Streaming;

namespace Plumb.Api.Http.Endpoints;

/// <summary>Chooses, for a resource path, the endpoint of the request's verb.</summary>
internal sealed class ResourceEndpoints(Registry registry, Gate gate, ServiceAccountTokens tokens, PodStreams? streams, WriteHold hold, TimeProvider time, CancellationToken stopping)
{
    private readonly ReadEndpoint _read = new(registry);
    private readonly WatchEndpoint _watch = new(registry, hold, time, stopping);
    private readonly WriteEndpoint _write = new(registry);
    private readonly PatchEndpoint _patch = new(registry, gate);
    private readonly SubresourceEndpoints _subresources = new(registry, tokens, streams, time);
    private readonly ReviewEndpoint _reviews = new(gate.Authorizer, tokens, time);

    /// <param name="legacyWatch">The path was of the old kind, `/api/v1/watch/…`.</param>
    public async Task ServeAsync(HttpContext context, Target target, bool legacyWatch)
    {
        if (!IsWrite(context.Request.Method, target))
        {
            await AnswerAsync(context, target, legacyWatch);
            return;
        }

        hold.BeginWrite();
        try
        {
            await AnswerAsync(context, target, legacyWatch);
        }
        finally
        {
            hold.EndWrite();
        }
    }

    // What streams into a pod or goes on to one writes nothing here.
    private static bool IsWrite(string method, Target target) =>
        !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !target.Definition.IsReview && target.Subresource is not ("exec" or "attach" or "portforward" or "proxy");

    private Task AnswerAsync(HttpContext context, Target target, bool legacyWatch)
    {
        var method = context.Request.Method;
        if (target.Definition.IsReview)
            return HttpMethods.IsPost(method) && target.IsCollection ? _reviews.ServeAsync(context, target) : throw NotAllowed();
        if (Parts.Find(target.Subresource) is null)
            return _subresources.ServeAsync(context, target);
        if (!Allows(target, method))
            throw NotAllowed();
        if (HttpMethods.IsGet(method))
        {
            if (!target.IsCollection && !legacyWatch)
                return _read.GetAsync(context, target);
            var query = ListQuery.Parse(context.Request.Query, target.Definition, legacyWatch);
            return query.Watch ? _watch.ServeAsync(context, target, query) : _read.ListAsync(context, target, query);
        }

        if (HttpMethods.IsPost(method))
            return _write.CreateAsync(context, target);
        if (HttpMethods.IsPut(method))
            return _write.UpdateAsync(context, target);
        if (HttpMethods.IsPatch(method))
            return _patch.ServeAsync(context, target);
        return target.IsCollection ? _write.DeleteCollectionAsync(context, target) : _write.DeleteAsync(context, target);
    }

    public static ApiException NotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    private static bool Allows(Target target, string method)
    {
        if (target.Subresource.Length > 0)
        {
            return target.Subresource == "finalize"
                ? HttpMethods.IsPut(method)
                : HttpMethods.IsGet(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);
        }

        if (!target.IsCollection)
            return HttpMethods.IsGet(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method) || HttpMethods.IsDelete(method);
        if (HttpMethods.IsDelete(method))
            return target.Definition.Verbs.Contains("deletecollection");
        return HttpMethods.IsGet(method) || (HttpMethods.IsPost(method) && (target.Namespace.Length > 0 || !target.Definition.Namespaced));
    }
}
