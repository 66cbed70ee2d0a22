using System.Buffers.Binary;
using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Capture;

/// <summary>
/// Writes a capture file as Wireshark reads it (draft-ietf-opsawg-pcapng): one section, an interface block for each place, and each frame with
/// its place, time in nanoseconds, direction and comments.
/// </summary>
public sealed class PcapngWriter(Stream to)
{
    /// <summary>LINKTYPE_* of the pcap registry.</summary>
    public const ushort Ethernet = 1;

    /// <inheritdoc cref="Ethernet"/>
    public const ushort RawIp = 101;

    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint InterfaceDescription = 1;
    private const uint NameResolution = 4;
    private const uint InterfaceStatistics = 5;
    private const uint EnhancedPacket = 6;

    private const ushort OptEnd = 0;
    private const ushort OptComment = 1;

    private byte[] _block = new byte[4096];
    private int _used;
    private int _interfaces;

    /// <summary>The section's header; before all else.</summary>
    public void WriteHeader(string application)
    {
        Begin(SectionHeader);
        Number32(0x1A2B3C4D);
        Number16(1);
        Number16(0);
        // Its length is not known yet.
        Number32(0xffff_ffff);
        Number32(0xffff_ffff);
        const ushort userApplication = 4;
        Option(userApplication, application);
        End();
    }

    /// <summary>A place where frames are caught. Returns its number.</summary>
    /// <param name="snapLength">How many bytes of a frame are kept at most; 0: all.</param>
    public int WriteInterface(string name, string description, ushort linkType, int snapLength)
    {
        Begin(InterfaceDescription);
        Number16(linkType);
        Number16(0);
        Number32((uint)snapLength);
        const ushort interfaceName = 2;
        const ushort interfaceDescription = 3;
        const ushort timeResolution = 9;
        Option(interfaceName, name);
        Option(interfaceDescription, description);
        // Times are in units of 10^-9 seconds.
        Option(timeResolution, [9]);
        End();
        return _interfaces++;
    }

    /// <summary>Names of addresses; Wireshark shows them with "resolve network addresses".</summary>
    public void WriteNames(IEnumerable<(IpAddress Address, string Name)> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        const ushort recordV4 = 1;
        const ushort recordV6 = 2;
        Begin(NameResolution);
        Span<byte> record = stackalloc byte[16 + 256];
        foreach (var (address, name) in names)
        {
            address.WriteBytes(record);
            var bytes = address.ByteLength + Encoding.UTF8.GetBytes(name.Length > 80 ? name[..80] : name, record[address.ByteLength..]);
            record[bytes] = 0;
            Option(address.Family == IpFamily.V4 ? recordV4 : recordV6, record[..(bytes + 1)]);
        }
        // nrb_record_end; no options follow.
        Number32(0);
        End(hasOptions: false);
    }

    /// <param name="place">Of <see cref="WriteInterface"/>.</param>
    /// <param name="nanoseconds">Since 1970.</param>
    /// <param name="isOutgoing">As the device sees it.</param>
    public void WriteFrame(int place, long nanoseconds, ReadOnlySpan<byte> bytes, int length, bool isOutgoing, params ReadOnlySpan<string> comments)
    {
        Begin(EnhancedPacket);
        Number32((uint)place);
        Number32((uint)((ulong)nanoseconds >> 32));
        Number32((uint)nanoseconds);
        Number32((uint)bytes.Length);
        Number32((uint)length);
        Bytes(bytes);
        const ushort flags = 2;
        Option(flags, [(byte)(isOutgoing ? 2 : 1), 0, 0, 0]);
        foreach (var comment in comments)
        {
            Option(OptComment, comment);
        }
        End();
    }

    /// <summary>At the end: how many frames a place had, and how many there was no room for.</summary>
    public void WriteStatistics(int place, long nanoseconds, long received, long dropped)
    {
        Begin(InterfaceStatistics);
        Number32((uint)place);
        Number32((uint)((ulong)nanoseconds >> 32));
        Number32((uint)nanoseconds);
        const ushort framesReceived = 4;
        const ushort framesDropped = 5;
        Option(framesReceived, received);
        Option(framesDropped, dropped);
        End();
    }

    public void Flush() => to.Flush();

    private void Begin(uint type)
    {
        _used = 0;
        Number32(type);
        // Its length, when it is known.
        Number32(0);
    }

    private void End(bool hasOptions = true)
    {
        if (hasOptions)
        {
            Number16(OptEnd);
            Number16(0);
        }
        var total = (uint)(_used + 4);
        Number32(total);
        BinaryPrimitives.WriteUInt32LittleEndian(_block.AsSpan(4), total);
        to.Write(_block, 0, _used);
    }

    private void Option(ushort code, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Option(code, bytes.AsSpan(0, Math.Min(bytes.Length, ushort.MaxValue)));
    }

    private void Option(ushort code, long number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        Option(code, bytes);
    }

    private void Option(ushort code, ReadOnlySpan<byte> value)
    {
        Number16(code);
        Number16((ushort)value.Length);
        Bytes(value);
    }

    // Padded to four bytes.
    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        var padded = (bytes.Length + 3) & ~3;
        var room = Room(padded);
        bytes.CopyTo(room);
        room[bytes.Length..].Clear();
    }

    private void Number16(ushort number) => BinaryPrimitives.WriteUInt16LittleEndian(Room(2), number);

    private void Number32(uint number) => BinaryPrimitives.WriteUInt32LittleEndian(Room(4), number);

    private Span<byte> Room(int bytes)
    {
        if (_block.Length < _used + bytes)
        {
            Array.Resize(ref _block, Math.Max(_block.Length * 2, _used + bytes));
        }
        _used += bytes;
        return _block.AsSpan(_used - bytes, bytes);
    }
}
