using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Plumb.Api.Streaming.Spdy;

/// <summary>Reads the header blocks of one direction of one connection: they are one zlib stream, flushed after each block.</summary>
internal sealed class SpdyHeaderReader : IDisposable
{
    private const int MaxBlockBytes = 64 * 1024;
    private const int MaxHeaders = 256;

    private readonly Feed feed = new();
    private readonly DeflateStream inflate;
    private readonly byte[] number = new byte[4];
    private bool started;

    public SpdyHeaderReader() => inflate = new DeflateStream(feed, CompressionMode.Decompress);

    /// <summary>Names are lower case; several values of one name are separated by NUL, as on the wire.</summary>
    /// <exception cref="SpdyException">The block cannot be read; nor can any later one of this connection.</exception>
    public Dictionary<string, string> Read(ReadOnlyMemory<byte> block)
    {
        try
        {
            if (!started)
            {
                block = Start(block);
                started = true;
            }

            feed.Next = block;
            var budgetBytes = MaxBlockBytes;
            var count = ReadNumber();
            if (count is < 0 or > MaxHeaders)
                throw new SpdyException($"header block: {(uint)count} headers, at most {MaxHeaders} are accepted");
            var headers = new Dictionary<string, string>(count, StringComparer.Ordinal);
            for (var i = 0; i < count; i++)
            {
                var name = ReadText(ref budgetBytes);
                if (!headers.TryAdd(name, ReadText(ref budgetBytes)))
                    throw new SpdyException($"header block: `{name}` stands twice");
            }

            return headers;
        }
        catch (Exception broken) when (broken is InvalidDataException or EndOfStreamException)
        {
            throw new SpdyException("header block: not a zlib stream: " + broken.Message);
        }
    }

    public void Dispose() => inflate.Dispose();

    /// <summary>
    /// DeflateStream takes no preset dictionary. A stored block that holds it, inflated and thrown away, leaves the window in the same state.
    /// </summary>
    private ReadOnlyMemory<byte> Start(ReadOnlyMemory<byte> block)
    {
        // RFC 1950: CMF and FLG, and with FDICT the dictionary's Adler-32.
        var zlib = block.Span;
        if (zlib.Length < 2 || (zlib[0] & 0x0f) != 8 || BinaryPrimitives.ReadUInt16BigEndian(zlib) % 31 != 0)
            throw new SpdyException("header block: no zlib header");
        var hasDictionary = (zlib[1] & 0x20) != 0;
        if (!hasDictionary)
            return block[2..];
        if (zlib.Length < 6 || BinaryPrimitives.ReadUInt32BigEndian(zlib[2..]) != SpdyDictionary.Adler32)
            throw new SpdyException("header block: compressed with another dictionary than SPDY/3's");

        var dictionary = SpdyDictionary.Bytes;
        var stored = new byte[StoredBlock.OverheadBytes + dictionary.Length];
        StoredBlock.Write(stored, dictionary);
        feed.Next = stored;
        inflate.ReadExactly(new byte[dictionary.Length]);
        return block[6..];
    }

    private int ReadNumber()
    {
        inflate.ReadExactly(number);
        return BinaryPrimitives.ReadInt32BigEndian(number);
    }

    private string ReadText(ref int budgetBytes)
    {
        var length = ReadNumber();
        if (length < 0 || length > budgetBytes)
            throw new SpdyException($"header block: larger than {MaxBlockBytes} bytes");
        budgetBytes -= length;
        var text = new byte[length];
        inflate.ReadExactly(text);
        return Encoding.UTF8.GetString(text);
    }

    /// <summary>What the inflater reads from: the blocks as they come. It never asks beyond a block, unless that one is cut.</summary>
    private sealed class Feed : Stream
    {
        public ReadOnlyMemory<byte> Next { get; set; }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            if (Next.IsEmpty)
                throw new SpdyException("header block: cut short");
            var count = Math.Min(buffer.Length, Next.Length);
            Next.Span[..count].CopyTo(buffer);
            Next = Next[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <summary>Writes header blocks uncompressed, as stored blocks of one zlib stream: the few replies of a server are not worth a window.</summary>
internal sealed class SpdyHeaderWriter
{
    private bool started;

    public byte[] Write(IReadOnlyDictionary<string, string> headers)
    {
        var plain = new MemoryStream();
        Span<byte> number = stackalloc byte[4];
        WriteNumber(plain, number, headers.Count);
        foreach (var (name, value) in headers)
        {
            WriteText(plain, number, name);
            WriteText(plain, number, value);
        }

        var prefix = started ? 0 : 6;
        var length = (int)plain.Length;
        // The empty block is zlib's sync flush: some inflaters hand out nothing before they have seen it.
        var block = new byte[prefix + StoredBlock.OverheadBytes + length + StoredBlock.OverheadBytes];
        if (!started)
        {
            // RFC 1950: deflate with a 32 KiB window, FDICT, and a check that makes the pair a multiple of 31.
            BinaryPrimitives.WriteUInt16BigEndian(block, 0x78bb);
            BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(2), SpdyDictionary.Adler32);
            started = true;
        }

        StoredBlock.Write(block.AsSpan(prefix), plain.GetBuffer().AsSpan(0, length));
        StoredBlock.Write(block.AsSpan(prefix + StoredBlock.OverheadBytes + length), []);
        return block;
    }

    private static void WriteText(MemoryStream to, Span<byte> number, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteNumber(to, number, bytes.Length);
        to.Write(bytes);
    }

    private static void WriteNumber(MemoryStream to, Span<byte> number, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(number, value);
        to.Write(number);
    }
}

/// <summary>A deflate block that is not compressed (RFC 1951 section 3.2.4): kind, length, its complement, the bytes.</summary>
internal static class StoredBlock
{
    public const int OverheadBytes = 5;

    public static void Write(Span<byte> to, ReadOnlySpan<byte> content)
    {
        to[0] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(to[1..], checked((ushort)content.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(to[3..], (ushort)~content.Length);
        content.CopyTo(to[OverheadBytes..]);
    }
}
