using System.Globalization;
using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Api.Streaming;

namespace Plumb.Api.Http.Endpoints;

/// <summary>
/// `…/services/[SCHEME:]NAME[:PORT]/proxy/PATH` and the same of pods and nodes: the request goes on to the pod, one of the Service's, or the node, and its answer comes back.
/// Links in pages are left as they are; what changes its protocol (WebSocket) goes both ways until one side ends.
/// </summary>
internal sealed class ProxyEndpoint(Registry registry)
{
    /// <summary>What is said of one connection and not of what it carries (RFC 9110, 7.6.1), and who asks, in whose name.</summary>
    private static readonly HashSet<string> NotPassed = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Authorization", "Host", "Content-Length",
    };

    private readonly NodeAnswers _nodes = new(registry.Store);

    public async Task ServeAsync(HttpContext context, Target target, IPodRuntime runtime)
    {
        var steps = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].Split('/');
        var proxy = Array.IndexOf(steps, "proxy", target.Definition.Namespaced ? 7 : 5);
        if (proxy < 0)
            throw ApiException.BadRequest("the path is written in a way that does not show where it goes on in the pod");
        // Links of a page are relative to a directory; what is no page goes on as it came.
        if (proxy == steps.Length - 1 && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            context.Response.StatusCode = StatusCodes.Status301MovedPermanently;
            context.Response.Headers.Location = context.Request.Path.ToUriComponent() + "/" + context.Request.QueryString;
            return;
        }

        if (target.Definition.Resource == GroupResource.Nodes && Split(target.Name, "node") is var (_, name, at) && at is "" or NodeAnswers.Port)
        {
            await _nodes.ServeAsync(context, KnownNode(target, name, runtime).Name, string.Join('/', steps[(proxy + 1)..]));
            return;
        }

        var (scheme, host, connect) = target.Definition.Resource == GroupResource.Nodes ? OfNode(target, runtime)
            : Behind(target.Definition.Resource == GroupResource.Pods ? OfPod(target) : OfService(target), runtime);
        var upgrade = context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } wanted ? wanted : null;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectCallback = (_, cancel) => connect(cancel),
            // Nobody has told the server whom the certificate should be from; a real one looks at none either.
#pragma warning disable CA5359
            SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
#pragma warning restore CA5359
        };
        using var client = new HttpMessageInvoker(handler);
        using var request = Request(context, new Uri($"{scheme}://{host}/{string.Join('/', steps[(proxy + 1)..])}{context.Request.QueryString}"));
        if (upgrade is not null)
        {
            request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", context.Request.Headers.Upgrade.AsEnumerable());
        }

        HttpResponseMessage answer;
        try
        {
            answer = await client.SendAsync(request, context.RequestAborted);
        }
        catch (Exception failed) when (failed is HttpRequestException or PodStreamException or IOException)
        {
            throw new ApiException(503, "ServiceUnavailable", $"error trying to reach service: {(failed.InnerException ?? failed).Message}");
        }

        using var _ = answer;
        if (answer.StatusCode == HttpStatusCode.SwitchingProtocols && upgrade is not null)
            await CarryAsync(context, upgrade, answer);
        else
            await AnswerAsync(context, answer, host, string.Join('/', steps[..(proxy + 1)]));
    }

    /// <summary>From here on it is no HTTP. As with a real server the end of one direction ends both.</summary>
    private static async Task CarryAsync(HttpContext context, IHttpUpgradeFeature upgrade, HttpResponseMessage answer)
    {
        CopyHeaders(context, answer);
        context.Response.Headers.Upgrade = answer.Headers.Upgrade.ToString();
        await using var client = await upgrade.UpgradeAsync();
        await using var server = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Task[] directions = [PassAsync(client, server, over.Token), PassAsync(server, client, over.Token)];
        await Task.WhenAny(directions);
        await over.CancelAsync();
        await Task.WhenAll(directions);
    }

    private static async Task PassAsync(Stream from, Stream to, CancellationToken cancel)
    {
        try
        {
            await from.CopyToAsync(to, cancel);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One side has gone without a word; the other one's connection is closed next.
        }
    }

    private static void CopyHeaders(HttpContext context, HttpResponseMessage answer)
    {
        var named = NamedBy(answer.Headers.Connection);
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!NotPassed.Contains(name) && !named.Contains(name))
                context.Response.Headers[name] = values.ToArray();
        }
    }

    /// <summary>Headers that the sender wants nobody behind this connection to see.</summary>
    private static HashSet<string> NamedBy(IEnumerable<string?> connection) =>
        connection.SelectMany(static value => (value ?? "").Split(',', StringSplitOptions.TrimEntries)).ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static HttpRequestMessage Request(HttpContext context, Uri uri)
    {
        var asked = context.Request;
        var request = new HttpRequestMessage(new HttpMethod(asked.Method), uri) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (asked.ContentLength > 0 || asked.Headers.TransferEncoding.Count > 0)
            request.Content = new StreamContent(asked.Body);
        var named = NamedBy(asked.Headers.Connection);
        foreach (var (name, values) in asked.Headers)
        {
            if (NotPassed.Contains(name) || named.Contains(name) || name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase))
                continue;
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }

        if (request.Content is not null && asked.ContentLength is { } length)
            request.Content.Headers.ContentLength = length;
        request.Headers.TryAddWithoutValidation("X-Forwarded-Uri", asked.Path.ToUriComponent());
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", asked.Host.Value);
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", asked.Scheme);
        return request;
    }

    private static async Task AnswerAsync(HttpContext context, HttpResponseMessage answer, string host, string prefix)
    {
        context.Response.StatusCode = (int)answer.StatusCode;
        CopyHeaders(context, answer);
        context.Response.ContentLength = answer.Content.Headers.ContentLength;
        if (answer.Headers.Location is { } location && (!location.IsAbsoluteUri || location.Authority == host))
            context.Response.Headers.Location = (location.IsAbsoluteUri ? location.PathAndQuery : location.OriginalString) is ['/', ..] path ? prefix + path : location.OriginalString;
        if (HttpMethods.IsHead(context.Request.Method) || answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent or HttpStatusCode.NotModified)
            return;
        await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        if (!string.Equals(answer.Content.Headers.ContentType?.MediaType, "text/html", StringComparison.OrdinalIgnoreCase) || Plain(body, answer) is not { } page)
        {
            await body.CopyToAsync(context.Response.Body, context.RequestAborted);
            return;
        }

        context.Response.ContentLength = null;
        context.Response.Headers.ContentEncoding = default;
        await using (page)
            await new PageLinks(prefix, host).CopyAsync(page, context.Response.Body, context.RequestAborted);
    }

    /// <returns>The body as it was before it was compressed; null: in a way that is not known here.</returns>
    private static Stream? Plain(Stream body, HttpResponseMessage answer) => answer.Content.Headers.ContentEncoding.ToArray() switch
    {
        [] => body,
        ["gzip"] => new GZipStream(body, CompressionMode.Decompress),
        ["deflate"] => new ZLibStream(body, CompressionMode.Decompress),
        ["br"] => new BrotliStream(body, CompressionMode.Decompress),
        _ => null,
    };

    /// <summary>Where a request goes on.</summary>
    /// <param name="Host">As its first line and its header name it.</param>
    private readonly record struct Destination(string Scheme, string Host, Func<CancellationToken, ValueTask<Stream>> Connect);

    private static Destination Behind((StoredObject Pod, int Port, string Scheme) chosen, IPodRuntime runtime)
    {
        var (pod, port, scheme) = chosen;
        var address = Fields.Text(Fields.Find(pod.ToNode(), "status"), "podIP") is { Length: > 0 } known ? known : IPAddress.Loopback.ToString();
        return new Destination(scheme, Authority(address, port), cancel => runtime.ConnectAsync(SubresourceEndpoints.Identity(pod), port, cancel));
    }

    private Destination OfNode(Target target, IPodRuntime runtime)
    {
        var (scheme, name, text) = Split(target.Name, "node");
        var node = KnownNode(target, name, runtime);
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            throw ApiException.BadRequest($"invalid node request \"{target.Name}\"");
        var own = Fields.Objects(Fields.Find(node.ToNode(), "status"), "addresses").FirstOrDefault(static one => Fields.Text(one, "type") == "InternalIP");
        if (!IPAddress.TryParse(Fields.Text(own, "address"), out var address))
            throw Unavailable($"no preferred addresses found for node \"{name}\"");
        // Whoever may write a Node's status may not lead elsewhere by it.
        if (!AddressValidation.IsGlobalUnicast(address) || !runtime.AddressesOf(name)!.Contains(address))
            throw ApiException.BadRequest("address not allowed");
        return new Destination(scheme, Authority(address.ToString(), port), cancel => runtime.ConnectToNodeAsync(name, new IPEndPoint(address, port), cancel));
    }

    private StoredObject KnownNode(Target target, string name, IPodRuntime runtime)
    {
        var key = target.Key with { Name = name };
        var node = registry.Store.Find(key) ?? throw ApiException.NotFound(key);
        return runtime.AddressesOf(name) is not null ? node : throw Unavailable($"error trying to reach service: nobody runs node \"{name}\"");
    }

    private static string Authority(string address, int port) => address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";

    private (StoredObject Pod, int Port, string Scheme) OfPod(Target target)
    {
        var (scheme, name, text) = Split(target.Name, "pod");
        var key = target.Key with { Name = name };
        var pod = registry.Store.Find(key) ?? throw ApiException.NotFound(key);
        if (text.Length == 0)
        {
            var first = Fields.Objects(Fields.Find(pod.ToNode(), "spec"), "containers").SelectMany(static container => Fields.Objects(container, "ports")).FirstOrDefault();
            text = (Fields.Number(first, "containerPort") ?? (scheme == "https" ? 443 : 80)).ToString(CultureInfo.InvariantCulture);
        }

        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            throw ApiException.BadRequest($"invalid pod request \"{target.Name}\"");
        return pod.NodeName.Length > 0 ? (pod, port, scheme) : throw ApiException.BadRequest($"pod {name} does not have a host assigned");
    }

    private (StoredObject Pod, int Port, string Scheme) OfService(Target target)
    {
        var (scheme, name, port) = Split(target.Name, "service");
        var key = target.Key with { Name = name };
        if (long.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            var service = registry.Store.Find(key) ?? throw ApiException.NotFound(key);
            var named = Fields.Objects(Fields.Find(service.ToNode(), "spec"), "ports").FirstOrDefault(candidate => Fields.Number(candidate, "port") == number)
                ?? throw Unavailable($"no service port {number} found for service \"{name}\"");
            port = Fields.Text(named, "name");
        }

        var endpoints = registry.Store.Find(key with { Resource = GroupResource.Endpoints }) ?? throw ApiException.NotFound(key);
        var ready = new List<(StoredObject Pod, int Port)>();
        foreach (var subset in Fields.Objects(endpoints.ToNode(), "subsets"))
        {
            var found = Fields.Objects(subset, "ports").FirstOrDefault(candidate => Fields.Text(candidate, "name") == port);
            foreach (var address in found is null ? [] : Fields.Objects(subset, "addresses"))
            {
                var behind = Fields.Find(address, "targetRef");
                if (registry.Store.Find(new StoreKey(GroupResource.Pods, target.Namespace, Fields.Text(behind, "name"))) is { } pod && pod.Uid == Fields.Text(behind, "uid"))
                    ready.Add((pod, (int)(Fields.Number(found, "port") ?? 0)));
            }
        }

        if (ready.Count == 0)
            throw Unavailable($"no endpoints available for service \"{(port.Length > 0 ? target.Name : name)}\"");
        var chosen = ready[registry.Names.Next(ready.Count)];
        return (chosen.Pod, chosen.Port, scheme);
    }

    private static ApiException Unavailable(string why) => new(503, "ServiceUnavailable", why);

    /// <summary>`NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.</summary>
    private static (string Scheme, string Name, string Port) Split(string id, string what) => id.Split(':') switch
    {
        [{ Length: > 0 } name] => ("http", name, ""),
        [{ Length: > 0 } name, var port] => ("http", name, port),
        ["http" or "", { Length: > 0 } name, var port] => ("http", name, port),
        ["https", { Length: > 0 } name, var port] => ("https", name, port),
        _ => throw ApiException.BadRequest($"invalid {what} request \"{id}\""),
    };
}
