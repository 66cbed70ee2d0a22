using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Plumb.Api.Http.Transport;
using Plumb.Lab.Containers;
using Plumb.Lab.Containers.Roots;

namespace Plumb.Lab.Workloads;

/// <summary>All built-in workloads of a lab: one HTTP server behind the sockets of every pod. A pod costs its sockets, no thread and no server.</summary>
internal sealed class WorkloadServer : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly PodConnections _connections = new();
    private readonly KestrelServer _kestrel;
    private readonly Lazy<Task> _started;

    public WorkloadServer(TimeProvider time)
    {
        _time = time;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(_connections.Http, static how => how.Use(static next => TlsTermination.Wrap(
            next, static connection => connection.Features.GetRequiredFeature<Workload>().CertificateFor((connection.LocalEndPoint as System.Net.IPEndPoint)?.Port ?? 0))));
        options.Listen(_connections.Http2, static how => how.Protocols = HttpProtocols.Http2);
        _kestrel = new KestrelServer(Options.Create(options), _connections, NullLoggerFactory.Instance);
        _started = new Lazy<Task>(() => _kestrel.StartAsync(new Application(_time), CancellationToken.None));
    }

    /// <summary>Opens a workload's sockets inside its pod and begins to serve. The first one starts the server.</summary>
    /// <param name="commands">Where those run that its clients send; null: nowhere.</param>
    /// <exception cref="WorkloadException">A port or a certificate cannot be had.</exception>
    public async Task<Workload> StartAsync(PodFacts pod, WorkloadPlan plan, ContainerLog log, ConfinedCommands? commands = null)
    {
        await _started.Value;
        return new Workload(pod, plan, log, _connections, _time) { Commands = commands };
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _kestrel.StopAsync(now.Token);
        _kestrel.Dispose();
    }

    /// <summary>The whole HTTP pipeline: find the workload by its connection, answer, log.</summary>
    private sealed class Application(TimeProvider time) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public async Task ProcessRequestAsync(HttpContext context)
        {
            // The connection's own features lie under the request's.
            var workload = context.Features.GetRequiredFeature<Workload>();
            context.Features.GetRequiredFeature<Visit>().Begin();
            var startedAt = time.GetUtcNow();
            workload.Program.Prepare(context);
            try
            {
                await ((workload.Program.AnswersAll ? null : CommonPages.TryAnswer(context, workload)) ?? workload.Program.AnswerAsync(context, workload));
            }
            finally
            {
                workload.Log(workload.Program.LogLine(context, startedAt));
            }
        }

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}

/// <summary>A workload cannot serve; the text is the container's last words.</summary>
internal sealed class WorkloadException(string message, Exception inner) : Exception(message, inner);
