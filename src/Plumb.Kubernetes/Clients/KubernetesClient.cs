using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Kubernetes.Clients;

/// <summary>
/// The API over HTTP. Objects are read as records and written as JSON: <c>create</c> and <c>update</c> take a whole tree, for all else there is <c>patch</c>.
/// Thread-safe; one instance serves a whole process.
/// </summary>
/// <remarks>
/// Every method throws <see cref="ApiException"/> for a refusal and <see cref="HttpRequestException"/> or <see cref="IOException"/> when the server cannot be
/// reached or the connection breaks.
/// </remarks>
public sealed class KubernetesClient : IDisposable
{
    // Beyond what a clock that is kept right strays, and within what signed tokens are allowed.
    private static readonly TimeSpan LargestSkew = TimeSpan.FromMinutes(1);

    private readonly HttpClient http;
    private readonly TokenSource tokens;

    public KubernetesClient(ClusterConnection connection, TimeProvider time, string userAgent = "plumb")
    {
        Connection = connection;
        Time = time;
        tokens = new TokenSource(connection, time);
        http = new HttpClient(connection.CreateHandler(time)) { BaseAddress = connection.Server, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd(userAgent);
        http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    public ClusterConnection Connection { get; }

    internal TimeProvider Time { get; }

    /// <summary>How long any request but a watch may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public void Dispose() => http.Dispose();

    public Task<T> GetAsync<T>(string? @namespace, string name, CancellationToken cancel = default) where T : IResource<T> =>
        ReadAsync<T>(HttpMethod.Get, T.Type.Resource.Path(@namespace, name), null, cancel);

    /// <summary>Null where there is none.</summary>
    public async Task<T?> FindAsync<T>(string? @namespace, string name, CancellationToken cancel = default) where T : class, IResource<T>
    {
        try
        {
            return await GetAsync<T>(@namespace, name, cancel).ConfigureAwait(false);
        }
        catch (ApiException refused) when (refused.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>All pages of a collection, joined; the metadata are those of the last page, so that a watch can begin there.</summary>
    /// <exception cref="ApiException">410 when the list took so long that its pages expired.</exception>
    public async Task<ResourceList<T>> ListAsync<T>(ListOptions? options = null, CancellationToken cancel = default) where T : IResource<T>
    {
        options ??= ListOptions.All;
        var page = await ListPageAsync<T>(options, null, cancel).ConfigureAwait(false);
        if (string.IsNullOrEmpty(page.Metadata.Continue))
            return page;
        var items = new List<T>(page.Items);
        while (!string.IsNullOrEmpty(page.Metadata.Continue))
        {
            page = await ListPageAsync<T>(options, page.Metadata.Continue, cancel).ConfigureAwait(false);
            items.AddRange(page.Items);
        }
        return page with { Items = items };
    }

    /// <exception cref="IOException">What came is no list: somebody else may have answered. Nothing that is missing from it is gone.</exception>
    public async Task<ResourceList<T>> ListPageAsync<T>(ListOptions options, string? continueToken, CancellationToken cancel = default) where T : IResource<T>
    {
        var query = new QueryText(T.Type.Resource.Path(options.Namespace));
        AddSelection(query, options);
        if (options.PageSize > 0)
            query.Add("limit", options.PageSize.ToString(CultureInfo.InvariantCulture));
        if (continueToken is not null)
            query.Add("continue", continueToken);
        else if (options.ResourceVersion is not null)
            query.Add("resourceVersion", options.ResourceVersion);
        var page = await ReadAsync<ResourceList<T>>(HttpMethod.Get, query.ToString(), null, cancel).ConfigureAwait(false);
        return string.IsNullOrEmpty(page.Metadata.ResourceVersion)
            ? throw new IOException($"the API server's answer to GET {T.Type.Resource.Path(options.Namespace)} is no list: it has no metadata.resourceVersion")
            : page;
    }

    /// <summary>
    /// Changes after <paramref name="resourceVersion"/>. The stream ends when the server ends it, after <paramref name="timeout"/> at the latest: then begin
    /// again at the last resourceVersion seen, bookmarks included.
    /// </summary>
    /// <param name="begun">Called when the server has taken the watch on.</param>
    public async IAsyncEnumerable<WatchedChange<T>> WatchAsync<T>(
        ListOptions options, string resourceVersion, TimeSpan timeout, Action? begun = null, [EnumeratorCancellation] CancellationToken cancel = default) where T : IResource<T>
    {
        var query = new QueryText(T.Type.Resource.Path(options.Namespace));
        query.Add("watch", "1");
        query.Add("allowWatchBookmarks", "true");
        query.Add("resourceVersion", resourceVersion);
        query.Add("timeoutSeconds", ((long)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        AddSelection(query, options);
        using var request = Request(HttpMethod.Get, query.ToString(), null);
        using var answer = await ExchangeAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
            throw await RefusalAsync(answer, cancel).ConfigureAwait(false);
        var body = await answer.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        begun?.Invoke();
        await foreach (var change in WatchStream.ReadAsync<T>(body, cancel).ConfigureAwait(false))
            yield return change;
    }

    public Task<T> CreateAsync<T>(string? @namespace, T subject, CancellationToken cancel = default) where T : IResource<T> =>
        CreateAsync<T>(@namespace, Named<T>(KubernetesJson.WriteNode(subject).AsObject()), cancel);

    public Task<T> CreateAsync<T>(string? @namespace, JsonObject subject, CancellationToken cancel = default) where T : IResource<T> =>
        ReadAsync<T>(HttpMethod.Post, T.Type.Resource.Path(@namespace), Json(subject), cancel);

    /// <summary>Replaces the object whole; with its resourceVersion in place, only if nobody else has written since.</summary>
    public Task<T> UpdateAsync<T>(string? @namespace, string name, JsonObject subject, string? subresource = null, CancellationToken cancel = default) where T : IResource<T> =>
        ReadAsync<T>(HttpMethod.Put, T.Type.Resource.Path(@namespace, name, subresource), Json(subject), cancel);

    /// <param name="subresource">`status`, `scale` …; null for the object itself.</param>
    public Task<T> PatchAsync<T>(string? @namespace, string name, Patch patch, string? subresource = null, CancellationToken cancel = default) where T : IResource<T> =>
        ReadAsync<T>(HttpMethod.Patch, T.Type.Resource.Path(@namespace, name, subresource), Json(patch.ToNode(), Patch.MediaTypeOf(patch.Kind)), cancel);

    /// <summary>Server-side apply.</summary>
    /// <param name="fieldManager">Who owns the fields that are set.</param>
    /// <param name="force">Take fields from other owners rather than be refused with 409.</param>
    public Task<T> ApplyAsync<T>(string? @namespace, string name, JsonObject subject, string fieldManager, bool force, CancellationToken cancel = default) where T : IResource<T>
    {
        var query = new QueryText(T.Type.Resource.Path(@namespace, name));
        query.Add("fieldManager", fieldManager);
        query.Add("force", force ? "true" : "false");
        return ReadAsync<T>(HttpMethod.Patch, query.ToString(), Json(subject, Patch.ApplyMediaType), cancel);
    }

    /// <returns>False when there was no such object.</returns>
    public async Task<bool> DeleteAsync<T>(string? @namespace, string name, DeleteOptions? options = null, CancellationToken cancel = default) where T : IResource<T>
    {
        var body = new JsonObject { ["kind"] = "DeleteOptions", ["apiVersion"] = "v1" };
        if (options?.GracePeriodSeconds is { } grace)
            body["gracePeriodSeconds"] = grace;
        if (options?.Propagation is { } propagation)
            body["propagationPolicy"] = propagation.ToString();
        if (options?.Uid is { } uid)
            body["preconditions"] = new JsonObject { ["uid"] = uid };
        try
        {
            await SendAsync(HttpMethod.Delete, T.Type.Resource.Path(@namespace, name), Json(body), cancel).ConfigureAwait(false);
            return true;
        }
        catch (ApiException refused) when (refused.IsNotFound)
        {
            return false;
        }
    }

    /// <summary>Any request, for what has no record: discovery, `/readyz`, kinds that Plumb does not know.</summary>
    /// <returns>The body.</returns>
    public async Task<byte[]> SendAsync(HttpMethod method, string path, HttpContent? content = null, CancellationToken cancel = default)
    {
        using var timeout = new CancellationTokenSource(RequestTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        try
        {
            using var request = Request(method, path, content);
            using var answer = await ExchangeAsync(request, HttpCompletionOption.ResponseContentRead, either.Token).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
                throw await RefusalAsync(answer, either.Token).ConfigureAwait(false);
            return await answer.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new IOException($"the API server at {Connection.Server} did not answer within {RequestTimeout.TotalSeconds:0} s");
        }
    }

    public static HttpContent Json(JsonNode node, string mediaType = "application/json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(node.ToJsonString(KubernetesJson.Options)));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    private async Task<TResult> ReadAsync<TResult>(HttpMethod method, string path, HttpContent? content, CancellationToken cancel)
    {
        byte[] body = await SendAsync(method, path, content, cancel).ConfigureAwait(false);
        try
        {
            return KubernetesJson.Read<TResult>(body);
        }
        catch (JsonException error)
        {
            throw new IOException($"the API server's answer to {method} {path} cannot be read: {error.Message}", error);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, HttpContent? content)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        if (tokens.Current is { } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    private async Task<HttpResponseMessage> ExchangeAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancel)
    {
        try
        {
            return await http.SendAsync(request, completion, cancel).ConfigureAwait(false);
        }
        catch (HttpRequestException failed) when (failed.InnerException is AuthenticationException { Message: var why })
        {
            throw new HttpRequestException(failed.HttpRequestError, why, failed.InnerException);
        }
    }

    private async Task<ApiException> RefusalAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        int code = (int)answer.StatusCode;
        if (code == 401)
            tokens.Forget();
        byte[] body = await answer.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false);
        Status? status = null;
        try
        {
            status = KubernetesJson.Read<Status>(body);
        }
        catch (JsonException)
        {
            // A proxy in between, or a path that does not exist, answers in plain text or a page.
        }
        if (status is not { Kind: "Status" })
            status = new Status { Message = Line(answer, body) };
        if (code == 401)
            status = status with { Message = (status.Message ?? "Unauthorized") + Credentials(answer) };
        var asked = answer.Headers.RetryAfter;
        return new(status.Code == 0 ? status with { Code = code } : status, asked?.Delta ?? (asked?.Date - Time.GetUtcNow()));
    }

    /// <summary>The first line of a text; of a page for people only that it is one.</summary>
    private static string Line(HttpResponseMessage answer, byte[] body)
    {
        string text = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 500))).Trim();
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        bool isPage = text.StartsWith('<');
        return text.Length > 0 && !isPage ? (end < 0 ? text : text[..end])
            : $"the API server answered {(int)answer.StatusCode} {answer.ReasonPhrase}{(isPage ? " with a page for people: a proxy may have answered in its place" : "")}";
    }

    /// <summary>What was shown and not believed, never its content; and whose clock may be why.</summary>
    private string Credentials(HttpResponseMessage answer)
    {
        string shown = Connection.TokenFile is { } file ? $": the server does not take the token in {file}, which is read again"
            : Connection.Token is not null ? ": the server does not take the token of the kubeconfig"
            : Connection.ClientCertificate is not null ? ": the server does not take the client certificate of the kubeconfig"
            : ": no token or client certificate was shown";
        var now = Time.GetUtcNow();
        return answer.Headers.Date is { } theirs && (theirs - now).Duration() > LargestSkew
            ? $"{shown}; its clock says {theirs:u} and this machine's {now:u}: set the one that is wrong"
            : shown;
    }

    private static void AddSelection(QueryText query, ListOptions options)
    {
        if (options.Labels is { IsEverything: false } labels)
            query.Add("labelSelector", labels.ToString());
        if (options.Fields is { IsEverything: false } fields)
            query.Add("fieldSelector", fields.ToString());
    }

    private static JsonObject Named<T>(JsonObject subject) where T : IResource<T>
    {
        subject["apiVersion"] ??= T.Type.Kind.ApiVersion;
        subject["kind"] ??= T.Type.Kind.Kind;
        return subject;
    }

    private sealed class QueryText(string path)
    {
        private readonly StringBuilder text = new(path);
        private bool any;

        public void Add(string name, string value)
        {
            text.Append(any ? '&' : '?').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            any = true;
        }

        public override string ToString() => text.ToString();
    }
}
