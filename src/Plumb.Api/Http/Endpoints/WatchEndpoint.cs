using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Tables;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Endpoints;

/// <summary>watch: one JSON object a line, the stored bytes as they are.</summary>
internal sealed class WatchEndpoint(Registry registry, WriteHold hold, TimeProvider time, CancellationToken stopping)
{
    /// <summary>A watcher that is so many changes behind is told to list again, rather than to hold the memory of the cluster.</summary>
    private const int MostWaiting = 16_384;

    /// <summary>A real server sends a bookmark about once a minute.</summary>
    private static readonly TimeSpan BookmarkEvery = TimeSpan.FromMinutes(1);

    /// <summary>What a real server does without timeoutSeconds: between half an hour and an hour.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(40);

    public async Task ServeAsync(HttpContext context, Target target, ListQuery query)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString(), isWatch: true);
        var filter = query.Filter;
        if (target.Name.Length > 0)
            filter = stored => stored.Name == target.Name && (query.Filter is null || query.Filter(stored));

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-cache, private";
        var events = new EventWriter(context, target.Definition, negotiated, time);
        Subscription subscription;
        try
        {
            subscription = Subscribe(target, query, filter);
        }
        catch (ApiException expired) when (expired.Code == 410)
        {
            await context.Response.StartAsync(context.RequestAborted);
            events.Error(expired);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            return;
        }

        using var ended = subscription;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var isKnown = hold.BeginWatch(context.Request.Headers.UserAgent.ToString());
        using var timeout = time.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), end, query.Timeout ?? DefaultTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            // The head goes out at once: a client waits for it before it trusts the watch.
            await context.Response.StartAsync(end.Token);
            foreach (var stored in subscription.Initial)
                events.Object(ChangeKind.Added, stored);
            if (query.Bookmarks && IsFromNow(query))
                events.Bookmark(subscription.ResourceVersion, initialEventsEnd: true);
            await context.Response.BodyWriter.FlushAsync(end.Token);
            await PumpAsync(context.Response.BodyWriter, subscription, events, query.Bookmarks, target.Definition, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The time is up, the client went away, or the server stops: the answer ends here.
        }
        finally
        {
            if (isKnown)
                hold.EndWatch();
        }
    }

    private async Task PumpAsync(PipeWriter output, Subscription subscription, EventWriter events, bool bookmarks, ResourceDefinition definition, CancellationToken cancel)
    {
        var revision = registry.Catalog.Revision;
        using var timer = bookmarks ? new PeriodicTimer(BookmarkEvery, time) : null;
        var tick = timer?.WaitForNextTickAsync(cancel).AsTask();
        try
        {
            while (true)
            {
                var more = subscription.Changes.WaitToReadAsync(cancel).AsTask();
                while (!more.IsCompleted && tick is not null && await Task.WhenAny(more, tick) == tick)
                {
                    await tick;
                    tick = timer!.WaitForNextTickAsync(cancel).AsTask();
                    if (subscription.TryGetProgress(out var version))
                        events.Bookmark(version, initialEventsEnd: false);
                    await output.FlushAsync(cancel);
                }

                // What a definition's schema was must not be what its watchers see for ever: they begin again, as they do with a real server.
                if (!await more || !registry.Catalog.Serves(definition, ref revision))
                    return;
                while (subscription.Changes.TryRead(out var change))
                    events.Object(change.Kind, change.Object);
                await output.FlushAsync(cancel);
            }
        }
        catch (ApiException expired)
        {
            events.Error(expired);
            await output.FlushAsync(cancel);
        }
    }

    /// <summary>Whether the watch begins with what there is.</summary>
    private static bool IsFromNow(ListQuery query) => query.SendInitialEvents == true || (query.SendInitialEvents is null && query.Version == 0);

    private Subscription Subscribe(Target target, ListQuery query, Func<StoredObject, bool>? filter)
    {
        var resource = target.Definition.StoredIn;
        if (IsFromNow(query))
            return registry.Store.Subscribe(resource, target.Scope, filter, MostWaiting);
        // As long as all look where the store is now, nobody shall wait for a version that he has read in another history.
        if (hold.IsHeld && registry.Store.ResourceVersion is var now && query.Version > now)
            throw ApiException.TooLarge(query.ResourceVersion, now);
        if (query.Version > 0)
            return registry.Store.SubscribeSince(resource, target.Scope, filter, query.Version, MostWaiting);
        return registry.Store.SubscribeSince(resource, target.Scope, filter, registry.Store.ResourceVersion, MostWaiting);
    }

    private sealed class EventWriter(HttpContext context, ResourceDefinition definition, Negotiated negotiated, TimeProvider time)
    {
        private readonly PipeWriter _output = context.Response.BodyWriter;
        private readonly bool? _includeObject = ReadEndpoint.IncludeObject(context);
        private bool _columnsSent;

        public void Object(ChangeKind kind, StoredObject stored) =>
            Object(kind switch { ChangeKind.Added => "ADDED"u8, ChangeKind.Modified => "MODIFIED"u8, _ => "DELETED"u8 }, stored);

        private void Object(ReadOnlySpan<byte> type, StoredObject stored)
        {
            Open(type);
            switch (negotiated.Form)
            {
                case Form.Table:
                    _output.Write(TableWriter.Write(
                        definition, [stored], negotiated.MetaVersion, _includeObject, time.GetUtcNow(), stored.ResourceVersion, null, null, !_columnsSent).Span);
                    _columnsSent = true;
                    break;
                case Form.Metadata:
                    _output.Write(Answer.Bytes(TableWriter.Metadata(stored, negotiated.MetaVersion)));
                    break;
                default:
                    _output.Write(ReadEndpoint.Shown(definition, stored).Span);
                    break;
            }

            _output.Write("}\n"u8);
        }

        public void Bookmark(long version, bool initialEventsEnd)
        {
            var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) };
            if (initialEventsEnd)
                metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
            Object("BOOKMARK"u8, StoredObject.Unstored(
                new StoreKey(definition.StoredIn, "", ""), new JsonObject { ["kind"] = definition.Kind, ["apiVersion"] = definition.ApiVersion, ["metadata"] = metadata }));
        }

        public void Error(ApiException refusal)
        {
            Open("ERROR"u8);
            _output.Write(Answer.Bytes(refusal.ToStatus()));
            _output.Write("}\n"u8);
        }

        private void Open(ReadOnlySpan<byte> type)
        {
            _output.Write("{\"type\":\""u8);
            _output.Write(type);
            _output.Write("\",\"object\":"u8);
        }
    }
}
