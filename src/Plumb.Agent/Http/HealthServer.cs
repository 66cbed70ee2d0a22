using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Plumb.Agent.Metrics;

namespace Plumb.Agent.Http;

/// <summary>One thing that must be well for a node to be.</summary>
/// <param name="Trouble">In one line; null: it is well.</param>
internal readonly record struct HealthCheckResult(string Name, string? Trouble);

/// <summary>
/// For those who look after the agent, by plain HTTP: <c>/healthz</c> (whether it lives: else it is to be started again), <c>/readyz</c> (whether pods can be
/// served) and <c>/metrics</c>. A line for each check, as kube-apiserver prints them; 503 when one fails.
/// </summary>
internal sealed class HealthServer : IHttpApplication<IFeatureCollection>, IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly Func<bool, Task<IReadOnlyList<HealthCheckResult>>> _checks;
    private readonly MetricsExport _metrics;
    private readonly IPEndPoint _address;

    /// <param name="checks">Looks; asked for what <c>/readyz</c> says when true, else for <c>/healthz</c>.</param>
    public HealthServer(IPEndPoint address, Func<bool, Task<IReadOnlyList<HealthCheckResult>>> checks, MetricsExport metrics)
    {
        _checks = checks;
        _metrics = metrics;
        _address = address;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(address);
        // Whoever scans the node's ports gets no more than this of the agent.
        options.Limits.MaxConcurrentConnections = 64;
        options.Limits.MaxRequestBodySize = 0;
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
    }

    /// <summary>Where it answers; with another port than it was told if that was 0.</summary>
    public IPEndPoint EndPoint => IPEndPoint.Parse(new Uri(_server.Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority);

    /// <exception cref="AgentException">The port is in use.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        try
        {
            await _server.StartAsync(this, cancel);
        }
        catch (IOException taken)
        {
            throw new AgentException($"{_address} cannot be had for health and metrics: {taken.InnerException?.Message ?? taken.Message}; choose another by --health-address", taken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        _server.Dispose();
    }

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        var http = new DefaultHttpContext(context);
        switch (http.Request.Path.Value)
        {
            case "/healthz" or "/livez":
                await WriteChecksAsync(http, ready: false);
                break;
            case "/readyz":
                await WriteChecksAsync(http, ready: true);
                break;
            case "/metrics":
                await WriteAsync(http, HttpStatusCode.OK, PrometheusText.ContentType, await _metrics.TextAsync(http.RequestAborted));
                break;
            default:
                await WriteAsync(http, HttpStatusCode.NotFound, "text/plain", "there is /healthz, /readyz and /metrics\n");
                break;
        }
    }

    private async Task WriteChecksAsync(DefaultHttpContext http, bool ready)
    {
        var results = await _checks(ready);
        var text = new StringBuilder();
        foreach (var result in results)
        {
            text.Append(result.Trouble is null ? "[+]" : "[-]").Append(result.Name).Append(result.Trouble is { } trouble ? $" failed: {trouble}" : " ok").Append('\n');
        }
        var isWell = results.All(static result => result.Trouble is null);
        text.Append(ready ? "readyz" : "healthz").Append(isWell ? " check passed\n" : " check failed\n");
        await WriteAsync(http, isWell ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, "text/plain; charset=utf-8", text.ToString());
    }

    private static async Task WriteAsync(HttpContext http, HttpStatusCode status, string type, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        http.Response.StatusCode = (int)status;
        http.Response.ContentType = type;
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
        }
    }
}
