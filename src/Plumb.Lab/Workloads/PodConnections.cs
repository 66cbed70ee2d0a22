using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Plumb.Lab.Workloads;

/// <summary>
/// Where Kestrel's connections come from: a queue for each of the two ways in which workloads speak HTTP, fed by the listening sockets of all pods. Kestrel sees two
/// endpoints, however many namespaces the sockets are in.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "Kestrel disposes of what it has bound.")]
internal sealed class PodConnections : IConnectionListenerFactory
{
    private readonly PodQueue _http = new("HTTP/1.1 of all pods");
    private readonly PodQueue _http2 = new("HTTP/2 of all pods");

    public EndPoint Http => _http.EndPoint;

    /// <summary>Without TLS: nobody there could choose.</summary>
    public EndPoint Http2 => _http2.EndPoint;

    public void Add(Socket connection, Workload workload, bool http2) => (http2 ? _http2 : _http).Add(connection, workload);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(endpoint == Http2 ? _http2 : _http);
}

/// <param name="name">For whoever debugs Kestrel.</param>
internal sealed class PodQueue(string name) : IConnectionListener
{
    private readonly Channel<(Socket Socket, Workload Workload)> _accepted =
        Channel.CreateUnbounded<(Socket, Workload)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly SocketConnectionContextFactory _contexts = new(new SocketConnectionFactoryOptions(), NullLogger.Instance);

    public EndPoint EndPoint { get; } = new AllPods(name);

    public void Add(Socket connection, Workload workload)
    {
        if (!_accepted.Writer.TryWrite((connection, workload)))
        {
            connection.Dispose();
        }
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_accepted.Reader.TryRead(out var next))
            {
                try
                {
                    var connection = _contexts.Create(next.Socket);
                    if (next.Workload.TryAdopt(connection))
                    {
                        return connection;
                    }

                    next.Workload.Heard();
                    await connection.DisposeAsync();
                }
                catch (SocketException)
                {
                    // Reset between accept(2) and here: a client that is gone already.
                    next.Workload.Heard();
                    next.Socket.Dispose();
                }
            }
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _accepted.Writer.TryComplete();
        while (_accepted.Reader.TryRead(out var left))
        {
            left.Socket.Dispose();
        }

        _contexts.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class AllPods(string name) : EndPoint
    {
        public override string ToString() => name;
    }
}
