using System.Buffers.Binary;

namespace Plumb.Linux.Capture;

/// <summary>pcap: a header of 24 bytes, and before each frame 16 with its time and lengths.</summary>
internal sealed class PcapReader
{
    private const uint Microseconds = 0xa1b2c3d4;
    private const uint Nanoseconds = 0xa1b23c4d;
    private const int FileHeaderBytes = 24;
    private const int FrameHeaderBytes = 16;

    private readonly Stream _from;
    private readonly bool _isBig;
    private readonly int _nanosecondsOfUnit;

    private PcapReader(Stream from, bool isBig, int nanosecondsOfUnit) => (_from, _isBig, _nanosecondsOfUnit) = (from, isBig, nanosecondsOfUnit);

    /// <summary>Null: it does not begin as pcap.</summary>
    public static PcapReader? Open(Stream from, ReadOnlySpan<byte> magic)
    {
        foreach (var isBig in (ReadOnlySpan<bool>)[false, true])
        {
            switch (isBig ? BinaryPrimitives.ReadUInt32BigEndian(magic) : BinaryPrimitives.ReadUInt32LittleEndian(magic))
            {
                case Microseconds:
                    return new PcapReader(from, isBig, 1000);
                case Nanoseconds:
                    return new PcapReader(from, isBig, 1);
                default:
                    break;
            }
        }
        return null;
    }

    public IEnumerable<RecordedFrame> Read()
    {
        var header = CaptureFile.Take(_from, FileHeaderBytes - sizeof(uint)) ?? throw CaptureFile.Cut();
        // The upper bits say how long a checksum behind each frame is.
        var linkType = (ushort)Number(header.AsSpan(16));
        for (var number = 1; CaptureFile.Take(_from, FrameHeaderBytes) is { } head; number++)
        {
            var (seconds, fraction, kept, length) = (Number(head), Number(head.AsSpan(4)), Number(head.AsSpan(8)), Number(head.AsSpan(12)));
            if (kept > CaptureFile.MostBytes || length > int.MaxValue)
            {
                throw new CaptureFileException($"its frame {number} says that it has {kept} bytes");
            }
            var bytes = kept == 0 ? [] : CaptureFile.Take(_from, (int)kept) ?? throw CaptureFile.Cut();
            yield return new RecordedFrame(number, "", "", linkType, bytes, (int)length) { Nanoseconds = (seconds * 1_000_000_000L) + ((long)fraction * _nanosecondsOfUnit) };
        }
    }

    private uint Number(ReadOnlySpan<byte> bytes) => _isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
