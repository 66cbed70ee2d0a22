using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Plumb.Api.Http.Transport;

/// <summary>
/// A bare <see cref="KestrelServer"/>: no host, no service container, no configuration, which together would cost a third of the time that `plumb up`
/// may take. It listens with TLS on TCP and without on the in-process transport, and speaks HTTP/1.1: what kubectl's upgraded streams need.
/// </summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly InProcessTransport _inProcess = new();

    public Listener(IPEndPoint address, ServerCertificate certificate, ILoggerFactory? loggers)
    {
        loggers ??= NullLoggerFactory.Instance;
        var options = new KestrelServerOptions { AddServerHeader = false, RequestHeaderEncodingSelector = static name => name == "Connection" ? ConnectionText.Instance : null };
        options.Limits.MaxRequestBodySize = 3 << 20;
        options.Limits.MaxConcurrentUpgradedConnections = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(10);
        options.Listen(address, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            Tcp = listen;
            listen.Use(next => TlsTermination.Wrap(next, _ => certificate.Context));
        });
        options.Listen(InProcessEndPoint.Instance, static listen => listen.Protocols = HttpProtocols.Http1);
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers);
        _server = new KestrelServer(Options.Create(options), new Transports(sockets, _inProcess), loggers);
    }

    private ListenOptions? Tcp { get; set; }

    /// <summary>With the port that the kernel chose where 0 was asked for.</summary>
    public IPEndPoint Address => Tcp?.IPEndPoint ?? throw new InvalidOperationException("the server has not been started");

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancel)
        where TContext : notnull => _server.StartAsync(application, cancel);

    /// <inheritdoc cref="InProcessTransport.Connect"/>
    public Stream Connect() => _inProcess.Connect();

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _server.StopAsync(atOnce.Token);
        _server.Dispose();
    }

    private sealed class Transports(SocketTransportFactory sockets, InProcessTransport inProcess) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            endpoint is InProcessEndPoint ? new(inProcess) : sockets.BindAsync(endpoint, cancellationToken);
    }
}
