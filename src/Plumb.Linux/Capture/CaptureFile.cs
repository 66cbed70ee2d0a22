using System.Buffers.Binary;

namespace Plumb.Linux.Capture;

/// <summary>
/// Reads the frames of a capture file back, whoever has written it and in whichever byte order: pcapng (draft-ietf-opsawg-pcapng) and pcap
/// (draft-ietf-opsawg-pcap). Total: whatever the bytes are, there are frames or one <see cref="CaptureFileException"/>.
/// </summary>
public static class CaptureFile
{
    /// <summary>No frame is longer: Wireshark's own limit is a quarter of it.</summary>
    internal const int MostBytes = 1 << 20;

    /// <summary>All frames, in the order of the file, which is how Wireshark numbers them.</summary>
    /// <exception cref="CaptureFileException">While they are read: it is no capture file, or damaged from here on.</exception>
    public static IEnumerable<RecordedFrame> Read(Stream from)
    {
        ArgumentNullException.ThrowIfNull(from);
        var head = new byte[4];
        if (from.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
        {
            throw new CaptureFileException("it is no capture file: it is too short for one");
        }
        return BinaryPrimitives.ReadUInt32LittleEndian(head) == PcapngReader.SectionHeader ? new PcapngReader(from).Read()
            : PcapReader.Open(from, head) is { } pcap ? pcap.Read()
            : throw new CaptureFileException("it is no capture file: it begins neither as pcapng nor as pcap");
    }

    /// <summary>So many bytes; null: the file has ended before the first of them.</summary>
    /// <exception cref="CaptureFileException">It ends within them.</exception>
    internal static byte[]? Take(Stream from, int count)
    {
        // What a file only says that it has is not made room for.
        if (from.CanSeek && from.Length - from.Position is var left && left < count)
        {
            return left == 0 ? null : throw Cut();
        }
        var bytes = new byte[count];
        var got = from.ReadAtLeast(bytes, count, throwOnEndOfStream: false);
        return got == count ? bytes : got == 0 ? null : throw Cut();
    }

    internal static CaptureFileException Cut() => new("it is cut short within a frame");
}

/// <summary>A file is no capture, or damaged; the message is for the user, and begins with "it".</summary>
public sealed class CaptureFileException(string message) : Exception(message);

/// <summary>A frame as a file keeps it.</summary>
/// <param name="Number">From 1, as Wireshark counts.</param>
/// <param name="Place">Name of the interface; empty: not said.</param>
/// <param name="Description">Of the interface; empty: none.</param>
/// <param name="LinkType">LINKTYPE_* of the pcap registry.</param>
/// <param name="Bytes">As many as were kept.</param>
/// <param name="Length">Octets of the frame as it was.</param>
public sealed record RecordedFrame(int Number, string Place, string Description, ushort LinkType, byte[] Bytes, int Length)
{
    /// <summary>Since 1970; null: not said.</summary>
    public long? Nanoseconds { get; init; }

    /// <summary>As the device sees it; null: not said.</summary>
    public bool? IsOutgoing { get; init; }

    public IReadOnlyList<string> Comments { get; init; } = [];
}
