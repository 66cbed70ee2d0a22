using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Http.Requests;

/// <summary>ListOptions of meta/v1, as a query string says them.</summary>
internal sealed class ListQuery
{
    /// <summary>A timer counts to 49 days.</summary>
    private const long MostSeconds = 4_000_000;

    public bool Watch { get; private init; }

    public Func<StoredObject, bool>? Filter { get; private init; }

    /// <summary>0: no limit.</summary>
    public long Limit { get; private init; }

    public Continuation? Continue { get; private init; }

    /// <summary>Empty, or a number.</summary>
    public string ResourceVersion { get; private init; } = "";

    /// <summary>A version beyond all that there can be is one of the future.</summary>
    public long Version => ResourceVersion.Length == 0 ? 0 : (long)Math.Min(ulong.Parse(ResourceVersion, CultureInfo.InvariantCulture), long.MaxValue);

    public string Match { get; private init; } = "";

    public bool? SendInitialEvents { get; private init; }

    public bool Bookmarks { get; private init; }

    public TimeSpan? Timeout { get; private init; }

    /// <exception cref="ApiException">400, 422, and 500 where the real server says so.</exception>
    public static ListQuery Parse(IQueryCollection query, ResourceDefinition definition, bool watch)
    {
        watch |= Flag(query, "watch");
        var query2 = new ListQuery
        {
            Watch = watch,
            Filter = Selection.Parse(query["labelSelector"].ToString(), query["fieldSelector"].ToString(), definition),
            Limit = Number(query, "limit") ?? 0,
            ResourceVersion = query["resourceVersion"].ToString(),
            Match = query["resourceVersionMatch"].ToString(),
            SendInitialEvents = query.ContainsKey("sendInitialEvents") ? Flag(query, "sendInitialEvents") : null,
            Bookmarks = Flag(query, "allowWatchBookmarks"),
            Timeout = Number(query, "timeoutSeconds") is { } seconds and > 0 ? TimeSpan.FromSeconds(Math.Min(seconds, MostSeconds)) : null,
            Continue = query["continue"].ToString() is { Length: > 0 } token ? Continuation.Parse(token) : null,
        };
        query2.Check(watch);
        return query2;
    }

    private void Check(bool watch)
    {
        if (ResourceVersion.Length > 0 && !ulong.TryParse(ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            var what = $"resourceVersion: Invalid value: \"{ResourceVersion}\": strconv.ParseUint: parsing \"{ResourceVersion}\": invalid syntax";
            throw watch ? new ApiException(500, "", what) : ApiException.BadRequest($"invalid resource version: {what}");
        }

        var errors = new FieldErrors();
        if (watch)
        {
            if (SendInitialEvents is not null && Match.Length == 0)
                errors.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
            else if (SendInitialEvents is null && Match.Length > 0)
                errors.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            else if (SendInitialEvents is not null && Match != "NotOlderThan")
                errors.NotSupported("resourceVersionMatch", Match, "NotOlderThan");
        }
        else
        {
            if (SendInitialEvents is not null)
                errors.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
            if (Match.Length > 0 && ResourceVersion.Length == 0)
                errors.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
            else if (Match is not ("" or "Exact" or "NotOlderThan"))
                errors.NotSupported("resourceVersionMatch", Match, "Exact", "NotOlderThan", "");
            else if (Match == "Exact" && ResourceVersion == "0")
                errors.Forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }

        if (errors.Count > 0)
            throw errors.ToException("meta.k8s.io", "ListOptions", "");
    }

    internal static bool Flag(IQueryCollection query, string name) =>
        query.TryGetValue(name, out var values) && values.ToString() is not ("false" or "False" or "FALSE" or "0" or "f" or "F");

    internal static long? Number(IQueryCollection query, string name)
    {
        var text = query[name].ToString();
        if (text.Length == 0)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ApiException.BadRequest($"strconv.ParseInt: parsing \"{text}\": {(text.AsSpan().TrimStart("+-").ContainsAnyExceptInRange('0', '9') ? "invalid syntax" : "value out of range")}");
    }
}

/// <summary>Where the next page of a list begins: the version that all pages show, and the last key that was sent.</summary>
/// <param name="Version">-1: whatever is there now.</param>
internal sealed record Continuation(long Version, string Namespace, string Name)
{
    public string Token
    {
        get
        {
            var buffer = new System.Buffers.ArrayBufferWriter<byte>(96);
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                json.WriteString("v", "meta.k8s.io/v1");
                json.WriteNumber("rv", Version);
                json.WriteString("start", $"{Namespace}/{Name}\0");
                json.WriteEndObject();
            }

            return Convert.ToBase64String(buffer.WrittenSpan).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }
    }

    /// <exception cref="ApiException">400.</exception>
    public static Continuation Parse(string token)
    {
        byte[] decoded = [];
        try
        {
            var base64 = token.Replace('-', '+').Replace('_', '/');
            decoded = Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='));
            using var json = JsonDocument.Parse(decoded);
            var start = (json.RootElement.GetProperty("start").GetString() ?? "").TrimEnd('\0');
            var slash = start.IndexOf('/', StringComparison.Ordinal);
            return new Continuation(json.RootElement.GetProperty("rv").GetInt64(), start[..Math.Max(slash, 0)], start[(slash + 1)..]);
        }
        catch (Exception broken) when (broken is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw ApiException.BadRequest($"invalid continue token: continue key is not valid: {(broken is JsonException ? GoJson.SyntaxError(decoded) : broken.Message)}");
        }
    }
}
