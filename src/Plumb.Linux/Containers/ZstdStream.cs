using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>Reads what is compressed by Zstandard (RFC 8878), with the machine's libzstd. One frame or several.</summary>
public sealed class ZstdStream : Stream
{
    private readonly Stream _compressed;
    private readonly byte[] _input = new byte[1 << 17];
    private nint _state;
    private int _start;
    private int _end;
    private bool _isWhole = true;

    /// <param name="compressed">Disposed of with this one.</param>
    /// <exception cref="NotSupportedException">The machine has no libzstd.</exception>
    public ZstdStream(Stream compressed)
    {
        ArgumentNullException.ThrowIfNull(compressed);
        _compressed = compressed;
        try
        {
            _state = Zstd.Create();
        }
        catch (DllNotFoundException missing)
        {
            throw new NotSupportedException("it is compressed by zstd, and this machine has no libzstd.so.1: install libzstd1", missing);
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="EndOfStreamException">It ends within a frame.</exception>
    public override unsafe int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_state == 0, this);
        while (buffer.Length > 0)
        {
            if (_start == _end)
            {
                (_start, _end) = (0, _compressed.Read(_input));
                if (_end == 0)
                {
                    return _isWhole ? 0 : throw new EndOfStreamException("it ends within a frame of zstd");
                }
            }
            fixed (byte* source = _input, destination = buffer)
            {
                var input = new Zstd.InBuffer { Source = source, Size = (nuint)_end, Position = (nuint)_start };
                var output = new Zstd.OutBuffer { Destination = destination, Size = (nuint)buffer.Length };
                var result = Zstd.Decompress(_state, &output, &input);
                if (Zstd.IsError(result) != 0)
                {
                    throw new InvalidDataException($"zstd: {Marshal.PtrToStringUTF8((nint)Zstd.ErrorName(result))}");
                }
                _start = (int)input.Position;
                _isWhole = result == 0;
                if (output.Position > 0)
                {
                    return (int)output.Position;
                }
            }
        }
        return 0;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (_state != 0)
        {
            _ = Zstd.Free(_state);
            _state = 0;
        }
        if (disposing)
        {
            _compressed.Dispose();
        }
        base.Dispose(disposing);
    }
}
