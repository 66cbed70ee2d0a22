using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Plumb.Api.Tests.Streaming;

/// <summary>A client's frames, written by hand, and a transport whose two ends a test holds.</summary>
internal static class SpdyWire
{
    // import zlib; c = zlib.compressobj(9, zlib.DEFLATED, 15, 9, 0, dictionary); c.compress(block) + c.flush(zlib.Z_SYNC_FLUSH), for
    // {streamtype: stdin, content-length: 12} and, from the same object, {streamtype: error, port: 8080, requestid: 0}.
    public static readonly byte[] FirstHeaders = Convert.FromHexString("78f9e3c6a7c202e50e703a2b294a4dcc851625acc525c03c81b5a462323402000000ffff");
    public static readonly byte[] SecondHeaders = Convert.FromHexString("02a5534c2da9a0b88194e445e04c6361606100a4398b20319f09ca118c0600000000ffff");

    public static byte[] SynStream(uint id, byte[] headers, byte flags = 0) => Control(1, flags, [.. Number(id), .. Number(0), 0, 0, .. headers]);

    public static byte[] Pair(ushort type, uint id, uint value) => Control(type, 0, [.. Number(id), .. Number(value)]);

    public static byte[] Ping(uint id) => Control(6, 0, Number(id));

    /// <summary>SETTINGS with an initial window and nothing else.</summary>
    public static byte[] InitialWindow(uint bytes) => Control(4, 0, [.. Number(1), .. Number(7), .. Number(bytes)]);

    public static byte[] Data(uint id, ReadOnlySpan<byte> bytes, bool fin = false) => [.. Number(id), .. Number((fin ? 0x0100_0000u : 0) | (uint)bytes.Length), .. bytes];

    public static byte[] Control(ushort type, byte flags, byte[] payload) =>
        [0x80, 3, (byte)(type >> 8), (byte)type, .. Number(((uint)flags << 24) | (uint)payload.Length), .. payload];

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}

/// <summary>The server's side of a connection; the test writes to <see cref="Client"/> and reads frames from it.</summary>
internal sealed class DuplexTransport : Stream
{
    private readonly Pipe _toServer = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _toClient = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Stream _read;
    private readonly Stream _write;

    public DuplexTransport()
    {
        _read = _toServer.Reader.AsStream();
        _write = _toClient.Writer.AsStream();
        Frames = _toClient.Reader.AsStream();
    }

    /// <summary>What the server sends.</summary>
    public Stream Frames { get; }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public async Task SendAsync(params byte[][] frames)
    {
        foreach (var frame in frames)
            await _toServer.Writer.WriteAsync(frame);
    }

    public void Hangup() => _toServer.Writer.Complete();

    /// <summary>The server's next frame: its type (0: data), the stream id or first number of the payload, and the rest.</summary>
    public async Task<(int Type, uint Id, byte[] Payload)> FrameAsync()
    {
        var header = new byte[8];
        await Frames.ReadExactlyAsync(header, TestContext.Current.CancellationToken);
        var payload = new byte[(int)(BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4)) & 0xffffff)];
        await Frames.ReadExactlyAsync(payload, TestContext.Current.CancellationToken);
        return (header[0] & 0x80) == 0
            ? (0, BinaryPrimitives.ReadUInt32BigEndian(header), payload)
            : (header[3], BinaryPrimitives.ReadUInt32BigEndian(payload), payload[4..]);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _read.ReadAsync(buffer, cancellationToken);
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => _read.ReadAsync(buffer, offset, count, cancellationToken);
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _write.WriteAsync(buffer, cancellationToken);
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => _write.WriteAsync(buffer, offset, count, cancellationToken);
    public override int Read(byte[] buffer, int offset, int count) => _read.Read(buffer, offset, count);
    public override void Write(byte[] buffer, int offset, int count) => _write.Write(buffer, offset, count);
    public override Task FlushAsync(CancellationToken cancellationToken) => _write.FlushAsync(cancellationToken);
    public override void Flush() => _write.Flush();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _toClient.Writer.Complete();
        base.Dispose(disposing);
    }
}
