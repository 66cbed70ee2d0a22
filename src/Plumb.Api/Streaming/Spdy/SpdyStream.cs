using System.IO.Pipelines;

namespace Plumb.Api.Streaming.Spdy;

/// <summary>One stream of a <see cref="SpdyConnection"/>: both directions, closed one by one. Reading after the peer's reset or disappearance throws IOException.</summary>
internal sealed class SpdyStream : Stream
{
    // More than a window, so that a peer that keeps windows never fills it; one that does not is held back by TCP when it does.
    private const int BufferBytes = 4 * SendWindows.DefaultBytes;
    private const int CreditAtBytes = SendWindows.DefaultBytes / 2;

    private readonly SpdyConnection connection;
    private readonly Pipe incoming = new(new PipeOptions(
        pauseWriterThreshold: BufferBytes, resumeWriterThreshold: BufferBytes / 2, useSynchronizationContext: false));
    private int consumedBytes;
    private int localEnded;
    private int remoteEnded;
    private int readerDone;

    internal SpdyStream(SpdyConnection connection, uint id, IReadOnlyDictionary<string, string> headers)
    {
        this.connection = connection;
        Id = id;
        Headers = headers;
    }

    public uint Id { get; }

    public IReadOnlyDictionary<string, string> Headers { get; }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    private bool IsFinished => Volatile.Read(ref localEnded) != 0 && Volatile.Read(ref remoteEnded) != 0;

    /// <summary>Takes a piece of a data frame; waits while the reader is far behind.</summary>
    internal async ValueTask ReceiveAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (Volatile.Read(ref remoteEnded) != 0)
            return;
        var flushed = await incoming.Writer.WriteAsync(bytes, cancel);
        if (flushed.IsCompleted)
            await CreditAsync(bytes.Length);
    }

    /// <param name="why">Null for an orderly end.</param>
    internal void EndRemote(Exception? why)
    {
        if (Interlocked.Exchange(ref remoteEnded, 1) == 0)
            incoming.Writer.Complete(why);
        if (why is not null)
            Interlocked.Exchange(ref localEnded, 1);
        if (IsFinished)
            connection.Forget(this);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref readerDone) != 0, this);
        var read = await incoming.Reader.ReadAsync(cancellationToken);
        var available = read.Buffer;
        var count = (int)Math.Min(available.Length, buffer.Length);
        var slice = available.Slice(0, count);
        var written = buffer.Span;
        foreach (var segment in slice)
        {
            segment.Span.CopyTo(written);
            written = written[segment.Length..];
        }

        incoming.Reader.AdvanceTo(slice.End);
        if (count > 0)
            await CreditAsync(count);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            if (Volatile.Read(ref localEnded) != 0)
                throw new IOException($"stream {Id} is closed for writing");
            var count = await connection.SendDataAsync(Id, buffer, cancellationToken);
            buffer = buffer[count..];
        }
    }

    /// <summary>Ends our direction; the peer reads an end of file.</summary>
    public async ValueTask EndAsync()
    {
        if (Interlocked.Exchange(ref localEnded, 1) != 0)
            return;
        await connection.SendFinAsync(Id);
        if (IsFinished)
            connection.Forget(this);
    }

    /// <summary>Throws away what is unread and what is still to come, so that the rest of the connection is not held up.</summary>
    public void DiscardInput()
    {
        if (Interlocked.Exchange(ref readerDone, 1) == 0)
            incoming.Reader.Complete();
    }

    /// <summary>Ends both directions at once; the caller reads and writes no more.</summary>
    public async ValueTask ResetAsync(SpdyReset why)
    {
        DiscardInput();
        Interlocked.Exchange(ref localEnded, 1);
        connection.Forget(this);
        await connection.SendAsync(SpdyFrames.Pair(SpdyType.RstStream, Id, (uint)why));
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask CreditAsync(int bytes)
    {
        var consumed = Interlocked.Add(ref consumedBytes, bytes);
        if (consumed < CreditAtBytes || Interlocked.CompareExchange(ref consumedBytes, 0, consumed) != consumed)
            return;
        await connection.SendCreditAsync(Volatile.Read(ref remoteEnded) == 0 ? Id : 0, consumed);
    }
}
