using System.Buffers;
using System.IO.Pipelines;

namespace Plumb.Api.Http.Transport;

/// <summary>A stream over a pair of pipes, as a socket's would be: reads end when the other side has closed, and writes then fail with an
/// <see cref="IOException"/>. Disposing ends the reads and writes that wait, on both sides; on this side with an <see cref="IOException"/>, as later ones do.</summary>
internal sealed class DuplexPipeStream(DuplexPipe pipes) : Stream
{
    private readonly Lock _gate = new();
    private bool _reading;
    private bool _disposed;

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
        lock (_gate)
        {
            // As for a read that waits: whoever reads cannot know which it is, and only this is a broken connection to all readers.
            if (_disposed)
                throw Closed();
            _reading = true;
        }

        try
        {
            return await ReadInputAsync(buffer, cancellationToken);
        }
        finally
        {
            // A pipe may not be completed under a read: who disposes meanwhile leaves that to the read.
            bool complete;
            lock (_gate)
            {
                _reading = false;
                complete = _disposed;
            }

            if (complete)
                await pipes.Input.CompleteAsync();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        FlushResult result;
        try
        {
            if (Volatile.Read(ref _disposed))
                throw Closed();
            result = await pipes.Output.WriteAsync(buffer, cancellationToken);
        }
        catch (InvalidOperationException disposed) when (Volatile.Read(ref _disposed))
        {
            throw Closed(disposed);
        }

        if (Volatile.Read(ref _disposed))
            throw Closed();
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
            End();
        base.Dispose(disposing);
    }

    private void End()
    {
        bool reading;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            reading = _reading;
        }

        if (reading)
            pipes.Input.CancelPendingRead();
        else
            pipes.Input.Complete();
        pipes.Output.CancelPendingFlush();
        pipes.Output.Complete();
    }

    private async ValueTask<int> ReadInputAsync(Memory<byte> buffer, CancellationToken cancellationToken)
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
            if (Volatile.Read(ref _disposed))
                throw Closed();
            if (result.IsCompleted || result.IsCanceled)
                return 0;
        }
    }

    private static IOException Closed(Exception? cause = null) => new("this side of the in-process connection was closed meanwhile", cause);
}
