using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Plumb.Network.Facts;

namespace Plumb.Lab.Running;

/// <summary>What a lab answers on its socket.</summary>
internal interface ILabDesk
{
    LabStatus Status();

    /// <summary>The status once the lab's start is complete.</summary>
    /// <exception cref="LabException">The lab ends before.</exception>
    Task<LabStatus> ReadyAsync(CancellationToken cancel);

    /// <summary>Has every node go over to another way of serving Services; the status when all have.</summary>
    /// <exception cref="LabException">One cannot; all are as they were.</exception>
    Task<LabStatus> SetAsync(ServicesKind services, CancellationToken cancel);

    /// <summary>A copy of all that the API stores.</summary>
    /// <exception cref="LabException">The lab ends before it has started.</exception>
    Task<byte[]> SaveStoreAsync(CancellationToken cancel);

    /// <summary>Puts such a copy in the place of what the API stores.</summary>
    /// <exception cref="LabException">It cannot be; all is as it was.</exception>
    Task<StoreRestored> RestoreStoreAsync(ReadOnlyMemory<byte> copy, CancellationToken cancel);

    /// <summary>Begins to end the lab; returns at once.</summary>
    void Stop();

    /// <exception cref="LabException">This lab runs no commands.</exception>
    Task<LabCommandAnswer> RunAsync(LabCommand command);

    /// <summary>How a pod's containers find names.</summary>
    /// <exception cref="LabException">There is no such pod on any node.</exception>
    PodResolver ResolverOf(string scope, string name);
}

/// <summary>The lab's side of <see cref="LabClient"/>: HTTP on a unix socket that only the lab's user can reach.</summary>
internal sealed class LabSocket : IAsyncDisposable
{
    private readonly KestrelServer _server;

    private LabSocket(KestrelServer server) => _server = server;

    public static async Task<LabSocket> OpenAsync(string path, ILabDesk desk, CancellationToken cancel)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        // Whoever gets here is the lab's user, and a store is as large as it is.
        options.Limits.MaxRequestBodySize = null;
        options.ListenUnixSocket(path, static listen => listen.Protocols = HttpProtocols.Http1);
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
        await server.StartAsync(new Application(desk), cancel);
        return new LabSocket(server);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        _server.Dispose();
    }

    private sealed class Application(ILabDesk desk) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            var path = context.Request.Path.Value ?? "/";
            try
            {
                switch (path)
                {
                    case "/status":
                        await WriteAsync(context, desk.Status());
                        break;
                    case "/ready":
                        await WriteAsync(context, await desk.ReadyAsync(context.RequestAborted));
                        break;
                    case "/set" when HttpMethods.IsPost(context.Request.Method):
                        await WriteAsync(context, await desk.SetAsync(ServicesOf(context.Request), context.RequestAborted));
                        break;
                    case "/run":
                        await (await desk.RunAsync(LabCommand.Of(context.Request.Query))).WriteAsync(context.Response, context.RequestAborted);
                        break;
                    case "/store" when HttpMethods.IsPost(context.Request.Method):
                        await RestoreAsync(context);
                        break;
                    case "/store":
                        await WriteAsync(context, StatusCodes.Status200OK, await desk.SaveStoreAsync(context.RequestAborted));
                        break;
                    case "/stop" when HttpMethods.IsPost(context.Request.Method):
                        await StopAsync(context);
                        break;
                    default:
                        await RouteAsync(context, path);
                        break;
                }
            }
            catch (LabException refused) when (!context.Response.HasStarted)
            {
                await WriteAsync(context, StatusCodes.Status400BadRequest, LabJson.Failure(refused.Message));
            }
            catch (Exception gone) when (gone is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
            {
                // The command was interrupted.
            }
        }

        private Task RouteAsync(HttpContext context, string path)
        {
            var steps = path.Split('/', 4, StringSplitOptions.RemoveEmptyEntries);
            return steps is ["pods", var scope, var pod, "resolver"]
                ? WriteAsync(context, StatusCodes.Status200OK, LabJson.ToUtf8(json => LabJson.Write(json, desk.ResolverOf(scope, pod))))
                : WriteAsync(context, StatusCodes.Status404NotFound, LabJson.Failure($"the lab has nothing at {path}"));
        }

        private static ServicesKind ServicesOf(HttpRequest request) =>
            Enum.TryParse<ServicesKind>(request.Query["services"], ignoreCase: true, out var kind) && Enum.IsDefined(kind)
                ? kind
                : throw new LabException($"there is no way '{request.Query["services"]}' to serve Services");

        private async Task RestoreAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var restored = await desk.RestoreStoreAsync(body.GetBuffer().AsMemory(0, (int)body.Length), context.RequestAborted);
            await WriteAsync(context, StatusCodes.Status200OK, LabJson.ToUtf8(json => LabJson.Write(json, restored)));
        }

        // The answer stays open: it ends when the process does.
        private async Task StopAsync(HttpContext context)
        {
            await context.Response.StartAsync(context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            desk.Stop();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        }

        private static Task WriteAsync(HttpContext context, LabStatus status) =>
            WriteAsync(context, StatusCodes.Status200OK, LabJson.ToUtf8(json => LabJson.Write(json, status)));

        private static async Task WriteAsync(HttpContext context, int code, byte[] body)
        {
            context.Response.StatusCode = code;
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
