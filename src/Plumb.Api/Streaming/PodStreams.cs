using Microsoft.AspNetCore.Http;
using Plumb.Api.Streaming.Commands;
using Plumb.Api.Streaming.Forwarding;

namespace Plumb.Api.Streaming;

/// <summary>
/// The pod subresources that are conversations: `log`, `exec`, `attach`, `portforward`. The router resolves the pod and its permission and calls one of
/// these; each answers the request completely, refusals included.
/// </summary>
public sealed class PodStreams(IPodRuntime runtime, TimeProvider time)
{
    internal IPodRuntime Runtime => runtime;

    public Task LogAsync(HttpContext http, PodIdentity pod) => LogEndpoint.ServeAsync(http, pod, runtime, time);

    /// <summary>GET (WebSocket) or POST (SPDY).</summary>
    public Task ExecAsync(HttpContext http, PodIdentity pod) => CommandEndpoint.ServeAsync(http, pod, attach: false, runtime, time);

    /// <inheritdoc cref="ExecAsync"/>
    public Task AttachAsync(HttpContext http, PodIdentity pod) => CommandEndpoint.ServeAsync(http, pod, attach: true, runtime, time);

    /// <inheritdoc cref="ExecAsync"/>
    public Task PortForwardAsync(HttpContext http, PodIdentity pod) => PortForwardEndpoint.ServeAsync(http, pod, runtime, time);
}
