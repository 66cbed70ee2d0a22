using System.Buffers;
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

    public ValueTask DisposeAsync() => UnbindAsync();

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
            await _pipes.Input.CompleteAsync();
            await _pipes.Output.CompleteAsync();
            await _closed.CancelAsync();
            await base.DisposeAsync();
        }
    }
}

internal sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;

/// <summary>A stream over a pair of pipes. Reads end when the other side has completed; writes then fail with an <see cref="IOException"/>.</summary>
internal sealed class DuplexPipeStream(DuplexPipe pipes) : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var result = await pipes.Input.ReadAsync(cancellationToken);
            var available = result.Buffer;
            if (!available.IsEmpty)
            {
                var taken = available.Slice(0, Math.Min(buffer.Length, available.Length));
                var count = (int)taken.Length;
                taken.CopyTo(buffer.Span);
                pipes.Input.AdvanceTo(taken.End);
                return count;
            }

            pipes.Input.AdvanceTo(available.End);
            if (result.IsCompleted || result.IsCanceled)
                return 0;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await pipes.Output.WriteAsync(buffer, cancellationToken);
        if (result.IsCompleted)
            throw new IOException("the other side of the in-process connection has closed it");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            pipes.Input.Complete();
            pipes.Output.Complete();
        }

        base.Dispose(disposing);
    }
}
