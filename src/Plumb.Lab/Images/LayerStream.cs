using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Images;

/// <summary>One layer of an image, unpacked while its digest is reckoned: a layer that was cut off or changed is found out.</summary>
internal static class LayerStream
{
    private const uint Zstandard = 0xFD2FB528;

    /// <param name="digest">Of the tar archive within; null: not known.</param>
    /// <exception cref="ImageException">It is not what it should be.</exception>
    public static void Unpack(Stream layer, string? digest, RootTree into, string where)
    {
        try
        {
            using var plain = Open(layer);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var counted = new Hashed(plain, hash);
            into.BeginLayer();
            using (var tar = new TarReader(counted, leaveOpen: true))
            {
                while (tar.GetNextEntry() is { } entry)
                {
                    into.Add(entry);
                }
            }
            // What follows the last entry belongs to the digest, too.
            counted.CopyTo(Stream.Null);
            var found = "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
            if (digest is not null && digest != found)
            {
                throw new ImageException($"{where} is damaged: its digest is {found}, and should be {digest}");
            }
        }
        catch (NotSupportedException lacking)
        {
            throw new ImageException($"{where}: {lacking.Message}", lacking);
        }
        catch (Exception broken) when (broken is EndOfStreamException or InvalidDataException or FormatException or ArgumentException)
        {
            throw new ImageException($"{where} is cut off or damaged: {broken.Message}", broken);
        }
    }

    private static Stream Open(Stream layer)
    {
        Span<byte> head = stackalloc byte[4];
        var read = layer.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        layer.Seek(0, SeekOrigin.Begin);
        return read >= 2 && head[0] == 0x1f && head[1] == 0x8b ? new GZipStream(layer, CompressionMode.Decompress)
            : read == 4 && BinaryPrimitives.ReadUInt32LittleEndian(head) == Zstandard ? new ZstdStream(layer)
            : layer;
    }

    /// <summary>Read once, from the first byte to the last.</summary>
    private sealed class Hashed(Stream inner, IncrementalHash hash) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            hash.AppendData(buffer[..read]);
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
