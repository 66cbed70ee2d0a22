using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Agent.Http;

/// <summary>Answers one question about the agent as a JSON document.</summary>
internal delegate Task<byte[]> AgentQuestion(CancellationToken cancel);

/// <summary>What is planned, and why: all of it, or what is asked for.</summary>
/// <param name="keys">Of the entries that are asked for.</param>
/// <param name="about">The thing that is asked about.</param>
internal delegate Task<PlanDocument> PlanQuestion(IReadOnlyList<EntryKey>? keys, PlanSearch? about);

/// <summary>Goes over to another way of serving Services; what is left of the old one, a line for each.</summary>
internal delegate Task<IReadOnlyList<string>> ServicesSwitch(ServicesKind services);

/// <summary>Completes when the node sends no new connections to some addresses any more; with false when it did not before either.</summary>
internal delegate Task<bool> DepartureQuestion(ValueList<IpAddress> addresses, CancellationToken cancel);

/// <summary>
/// The agent's unix socket: <c>POST /cni</c> for the plugin, <c>GET /state</c> (what is planned and why; <c>?about=THING</c>: what may be about that, <c>POST</c> with keys: of these entries) and <c>GET /observed</c>
/// (what the node's kernel holds), and what <see cref="InsightEndpoint"/> answers, for people's tools, <c>POST /services?kind=iptables</c>,
/// <c>GET /departed?address=A&amp;address=B</c> (an answer when no new connections go there any more), <c>/mirrors</c> (see <see cref="MirrorEndpoint"/>), <c>/bandwidth</c> (see <see cref="BandwidthEndpoint"/>). One bare Kestrel, because ten
/// agents may live in one process and a host builder for each would cost more than the agent.
/// </summary>
internal sealed partial class AgentServer : IHttpApplication<IFeatureCollection>, IAsyncDisposable
{
    private const int MostBodyBytes = 1 << 20;

    private readonly KestrelServer _server;
    private readonly CniEndpoint _cni;
    private readonly PlanQuestion _state;
    private readonly AgentQuestion _observed;
    private readonly AgentQuestion _report;
    private readonly InsightEndpoint _insight;
    private readonly ServicesSwitch _services;
    private readonly DepartureQuestion _departed;
    private readonly MirrorEndpoint _mirrors;
    private readonly BandwidthEndpoint _bandwidth;
    private readonly string _path;
    private readonly ILogger _log;

    public AgentServer(
        string socketPath,
        CniEndpoint cni,
        PlanQuestion state,
        AgentQuestion observed,
        AgentQuestion report,
        InsightEndpoint insight,
        ServicesSwitch services,
        DepartureQuestion departed,
        MirrorEndpoint mirrors,
        BandwidthEndpoint bandwidth,
        ILogger log)
    {
        _log = log;
        _path = socketPath;
        _cni = cni;
        _state = state;
        _observed = observed;
        _report = report;
        _insight = insight;
        _services = services;
        _departed = departed;
        _mirrors = mirrors;
        _bandwidth = bandwidth;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = MostBodyBytes;
        options.ListenUnixSocket(socketPath, listen => listen.Use(next => connection => IsOfUs(connection) ? next(connection) : Task.CompletedTask));
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
    }

    public async Task StartAsync(CancellationToken cancel)
    {
        // Left by an agent that was killed; the state directory's lock says that none is alive.
        File.Delete(_path);
        await _server.StartAsync(this, cancel);
        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    // The socket's mode says the same, but whoever can write into its directory, or connects before the mode is set, is told by the kernel alone.
    private bool IsOfUs(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket && PeerCredentials.Of(socket) is { IsOfUs: false } stranger)
        {
            Log.Stranger(_log, stranger.UserId, stranger.ProcessId);
            return false;
        }
        return true;
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
        var (method, path) = (http.Request.Method, http.Request.Path.Value);
        switch (path)
        {
            case "/cni" when method == "POST":
                var answer = await _cni.AnswerAsync(await ReadBodyAsync(http.Request), http.RequestAborted);
                // 500: the plugin prints the same body and exits 1.
                await WriteAsync(http, answer.Succeeded ? HttpStatusCode.OK : HttpStatusCode.InternalServerError, answer.Body);
                break;
            case "/state" when method == "GET":
                await WritePlanAsync(http, await _state(null, http.Request.Query["about"].ToString() is { Length: > 0 } thing ? new PlanSearch(thing) : null));
                break;
            case "/state" when method == "POST":
                await AnswerAboutAsync(http);
                break;
            case "/observed" when method == "GET":
                await WriteAsync(http, HttpStatusCode.OK, await _observed(http.RequestAborted));
                break;
            case "/status" when method == "GET":
                await WriteAsync(http, HttpStatusCode.OK, await _report(http.RequestAborted));
                break;
            case "/places" or "/holder" or "/objects" or "/dns" when method == "GET":
                await _insight.AnswerAsync(http, path);
                break;
            case "/services" when method == "POST":
                await SwitchAsync(http);
                break;
            case "/departed" when method == "GET":
                await WaitForDepartureAsync(http);
                break;
            case "/mirrors" when method is "GET" or "POST" or "DELETE":
                await _mirrors.AnswerAsync(http, method);
                break;
            case "/bandwidth" when method == "PUT":
                await _bandwidth.AnswerAsync(http, await ReadBodyAsync(http.Request));
                break;
            case "/bandwidth" or "/mirrors" or "/cni" or "/state" or "/observed" or "/status" or "/places" or "/holder" or "/objects" or "/dns" or "/services" or "/departed":
                await WriteAsync(http, HttpStatusCode.MethodNotAllowed, []);
                break;
            default:
                await WriteAsync(http, HttpStatusCode.NotFound, []);
                break;
        }
    }

    private async Task AnswerAboutAsync(DefaultHttpContext http)
    {
        IReadOnlyList<EntryKey> keys;
        try
        {
            keys = PlannedKeys.FromJson((await ReadBodyAsync(http.Request)).Span);
        }
        catch (JsonException wrong)
        {
            await WriteAsync(http, HttpStatusCode.BadRequest, Encoding.UTF8.GetBytes($"these are no keys: {wrong.Message}"));
            return;
        }
        await WritePlanAsync(http, await _state(keys, null));
    }

    private static async Task WritePlanAsync(DefaultHttpContext http, PlanDocument plan)
    {
        http.Response.ContentType = "application/json";
        await plan.WriteAsync(http.Response.Body, http.RequestAborted);
    }

    // 200 with what is left of the old way, a line for each; or with the reason as text 400 where all is as it was, and 500 where the agent ends of it.
    private async Task SwitchAsync(DefaultHttpContext http)
    {
        var kind = http.Request.Query["kind"].ToString();
        if (!Enum.TryParse<ServicesKind>(kind, ignoreCase: true, out var services) || !Enum.IsDefined(services))
        {
            await WriteAsync(http, HttpStatusCode.BadRequest, Encoding.UTF8.GetBytes($"there is no way '{kind}' to serve Services"));
            return;
        }
        try
        {
            await WriteAsync(http, HttpStatusCode.OK, Encoding.UTF8.GetBytes(string.Join('\n', await _services(services))));
        }
        catch (Exception refused)
        {
            var status = refused is AgentException ? HttpStatusCode.BadRequest : HttpStatusCode.InternalServerError;
            await WriteAsync(http, status, Encoding.UTF8.GetBytes(refused.Message));
        }
    }

    private async Task WaitForDepartureAsync(DefaultHttpContext http)
    {
        var addresses = new List<IpAddress>();
        foreach (var text in http.Request.Query["address"])
        {
            if (!IpAddress.TryParse(text, out var address))
            {
                await WriteAsync(http, HttpStatusCode.BadRequest, Encoding.UTF8.GetBytes($"'{text}' is no address"));
                return;
            }
            addresses.Add(address);
        }
        await WriteAsync(http, HttpStatusCode.OK, await _departed([.. addresses], http.RequestAborted) ? "true"u8.ToArray() : "false"u8.ToArray());
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpRequest request)
    {
        var body = new MemoryStream((int)(request.ContentLength ?? 4096));
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    internal static async Task WriteAsync(HttpContext http, HttpStatusCode status, byte[] body)
    {
        http.Response.StatusCode = (int)status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static partial class Log
    {
        [LoggerMessage(1015, LogLevel.Warning, "user {UserId} (process {ProcessId}) asked something at the agent's socket and was not answered: it is root's")]
        public static partial void Stranger(ILogger log, uint userId, int processId);
    }
}
