using System.Globalization;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Http;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Streaming;

/// <summary>`GET …/pods/NAME/log`: text/plain, chunked, each line sent as soon as the runtime flushes it; over WebSocket, as browsers ask, in messages.</summary>
internal static class LogEndpoint
{
    public static async Task ServeAsync(HttpContext http, PodIdentity pod, IPodRuntime runtime, TimeProvider time)
    {
        try
        {
            var request = Parse(http.Request.Query, pod, time);
            if (StreamUpgrade.IsWebSocket(http))
            {
                await WebSocketOutput.ServeAsync(http, (output, cancel) => runtime.LogAsync(pod, request, output, cancel));
                return;
            }

            http.Response.ContentType = "text/plain";
            await runtime.LogAsync(pod, request, http.Response.Body, http.RequestAborted);
        }
        catch (ApiException refusal)
        {
            await Answer.StatusAsync(http, refusal);
        }
        catch (PodStreamException refusal) when (!http.Response.HasStarted)
        {
            await StatusAnswer.SendAsync(http, refusal);
        }
        catch (PodStreamException)
        {
            // The answer is under way as plain text: its cut end is the only thing left to say.
            http.Abort();
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // `kubectl logs -f` ends by going away.
        }
    }

    /// <summary>A pod that is on no node has no log yet.</summary>
    public static async Task ServeNoneAsync(HttpContext http, PodIdentity pod, TimeProvider time)
    {
        try
        {
            Parse(http.Request.Query, pod, time);
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (PodStreamException refusal)
        {
            await StatusAnswer.SendAsync(http, refusal);
        }
    }

    /// <exception cref="PodStreamException">400.</exception>
    /// <exception cref="ApiException">422 with every invalid field.</exception>
    internal static LogRequest Parse(IQueryCollection query, PodIdentity pod, TimeProvider time)
    {
        var errors = new FieldErrors();
        var tailLines = Number(query, "tailLines", least: 0, errors);
        var limitBytes = Number(query, "limitBytes", least: 1, errors);
        var sinceSeconds = Number(query, "sinceSeconds", least: 1, errors);
        DateTimeOffset? since = null;
        if (query["sinceTime"].ToString() is { Length: > 0 } text)
        {
            if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
                throw PodStreamException.BadRequest($"sinceTime: \"{text}\" is not a time as in RFC 3339, e.g. 2006-01-02T15:04:05Z");
            if (sinceSeconds is not null)
                errors.Forbidden("sinceTime", "at most one of `sinceTime` or `sinceSeconds` may be specified");
            since = at;
        }
        else if (sinceSeconds is { } seconds)
        {
            var now = time.GetUtcNow();
            since = seconds < (now - DateTimeOffset.UnixEpoch).TotalSeconds ? now.AddSeconds(-seconds) : DateTimeOffset.UnixEpoch;
        }

        var source = query["stream"].ToString() switch
        {
            "" or "All" => LogSource.All,
            "Stdout" => LogSource.Stdout,
            "Stderr" => LogSource.Stderr,
            var other => Unsupported(other, errors),
        };
        if (source != LogSource.All && tailLines is not null)
            errors.Forbidden("tailLines", "`tailLines` and specific `stream` are mutually exclusive for now");

        if (errors.Count > 0)
            throw errors.ToException("", "PodLogOptions", pod.Name);

        return new LogRequest(
            StreamQuery.Container(query, pod), StreamQuery.Flag(query, "follow"), StreamQuery.Flag(query, "previous"),
            since, tailLines, limitBytes, StreamQuery.Flag(query, "timestamps")) { Source = source };
    }

    private static LogSource Unsupported(string value, FieldErrors errors)
    {
        errors.NotSupported("stream", value, "All", "Stderr", "Stdout");
        return LogSource.All;
    }

    private static long? Number(IQueryCollection query, string name, long least, FieldErrors errors)
    {
        if (query[name].ToString() is not { Length: > 0 } text)
            return null;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            throw PodStreamException.BadRequest($"{name}: \"{text}\" is not a whole number");
        if (value < least)
            errors.Invalid(name, value.ToString(CultureInfo.InvariantCulture), $"must be greater than {(least == 0 ? "or equal to 0" : "0")}");
        return value;
    }
}
