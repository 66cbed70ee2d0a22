namespace Plumb.Linux.Native;

/// <summary>
/// A pipe's or terminal's end as a stream. Waiting costs no thread, unlike <see cref="FileStream"/>, which reads such descriptors on
/// a pool thread each.
/// </summary>
public sealed class DescriptorStream : Stream
{
    private readonly FileDescriptor _descriptor;
    private readonly bool _canWrite;

    /// <summary>Takes the descriptor over and makes it non-blocking; it serves one direction only.</summary>
    internal DescriptorStream(FileDescriptor descriptor, bool canWrite)
    {
        _descriptor = descriptor;
        _canWrite = canWrite;
        var flags = Libc.FileControl(descriptor.Number, Libc.F_GETFL, 0);
        if (flags < 0 || Libc.FileControl(descriptor.Number, Libc.F_SETFL, flags | Libc.O_NONBLOCK) < 0)
        {
            throw SystemCallException.Last("fcntl");
        }
    }

    public override bool CanRead => !_canWrite;

    public override bool CanSeek => false;

    public override bool CanWrite => _canWrite;

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
            cancellationToken.ThrowIfCancellationRequested();
            var length = TryRead(buffer.Span);
            if (length >= 0)
            {
                return length;
            }
            await Poller.Shared.WaitReadable(_descriptor, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = TryWrite(buffer.Span);
            if (length >= 0)
            {
                buffer = buffer[length..];
            }
            else
            {
                await Poller.Shared.WaitWritable(_descriptor, cancellationToken).ConfigureAwait(false);
            }
        }
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

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _descriptor.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>−1: nothing is there yet.</summary>
    private unsafe int TryRead(Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var length = (int)Libc.Read(_descriptor.Number, bytes, (nuint)buffer.Length);
                if (length >= 0)
                {
                    return length;
                }
                switch (Libc.LastErrno)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return -1;
                    case Errno.EIO:
                        return 0; // a terminal whose last user has closed it
                    case var errno:
                        throw new SystemCallException("read", errno);
                }
            }
        }
    }

    /// <summary>−1: there is no room yet.</summary>
    private unsafe int TryWrite(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var length = (int)Libc.Write(_descriptor.Number, bytes, (nuint)buffer.Length);
                if (length >= 0)
                {
                    return length;
                }
                switch (Libc.LastErrno)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return -1;
                    case var errno:
                        throw new SystemCallException("write", errno);
                }
            }
        }
    }
}
