using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Plumb.Lab.Workloads;

/// <summary>
/// Where Kestrel's connections come from: one queue, fed by the listening sockets of all pods. Kestrel sees one endpoint, however many namespaces
/// the sockets are in.
/// </summary>
internal sealed class PodConnections : IConnectionListenerFactory, IConnectionListener
{
    private readonly Channel<(Socket Socket, Workload Workload)> _accepted =
        Channel.CreateUnbounded<(Socket, Workload)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly SocketConnectionContextFactory _contexts = new(new SocketConnectionFactoryOptions(), NullLogger.Instance);

    public EndPoint EndPoint { get; } = new AllPods();

    public void Add(Socket connection, Workload workload)
    {
        if (!_accepted.Writer.TryWrite((connection, workload)))
        {
            connection.Dispose();
        }
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

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

    private sealed class AllPods : EndPoint
    {
        public override string ToString() => "all pods";
    }
}
