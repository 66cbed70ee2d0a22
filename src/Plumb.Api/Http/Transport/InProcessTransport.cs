using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Plumb.Api.Http.Transport;

/// <summary>The address of connections that never leave the process.</summary>
internal sealed class InProcessEndPoint : EndPoint
{
    public static readonly InProcessEndPoint Instance = new();

    public override string ToString() => "in-process";
}

/// <summary>Connections made of two pipes in memory: for agents and kubelets of the same process, without TLS and without a socket.</summary>
internal sealed class InProcessTransport : IConnectionListener
{
    private static readonly PipeOptions Pipes = new(useSynchronizationContext: false);

    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>();

    public EndPoint EndPoint => InProcessEndPoint.Instance;

    /// <exception cref="IOException">The server has stopped.</exception>
    public Stream Connect()
    {
        var toServer = new Pipe(Pipes);
        var toClient = new Pipe(Pipes);
        var server = new InProcessConnection(new DuplexPipe(toServer.Reader, toClient.Writer));
        if (!_accepted.Writer.TryWrite(server))
            throw new IOException("the API server has stopped: in-process connections are refused");
        return new DuplexPipeStream(new DuplexPipe(toClient.Reader, toServer.Writer));
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_accepted.Reader.TryRead(out var connection))
                return connection;
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        while (_accepted.Reader.TryRead(out var unaccepted))
            await unaccepted.DisposeAsync();
    }

    private sealed class InProcessConnection : DefaultConnectionContext
    {
        private readonly DuplexPipe _pipes;

        // Never disposed: cancelling and closing may meet, and the base class throws from the pool when they do.
        private readonly CancellationTokenSource _closed = new();

        public InProcessConnection(DuplexPipe pipes)
            : base(Guid.NewGuid().ToString("N"))
        {
            Transport = _pipes = pipes;
            LocalEndPoint = InProcessEndPoint.Instance;
            RemoteEndPoint = InProcessEndPoint.Instance;
            ConnectionClosed = _closed.Token;
        }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
            _pipes.Input.CancelPendingRead();
            _pipes.Output.CancelPendingFlush();
        }

        public override async ValueTask DisposeAsync()
        {
            _pipes.Input.CancelPendingRead();
            _pipes.Output.CancelPendingFlush();
            await _pipes.Input.CompleteAsync();
            await _pipes.Output.CompleteAsync();
            await _closed.CancelAsync();
            await base.DisposeAsync();
        }
    }
}

internal sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
