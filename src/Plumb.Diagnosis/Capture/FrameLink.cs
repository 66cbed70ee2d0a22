using System.Buffers.Binary;

namespace Plumb.Diagnosis.Capture;

/// <summary>What stands before a packet in captures of each link type (LINKTYPE_* of the pcap registry).</summary>
public static class FrameLink
{
    /// <summary>ARPHRD_ETHER</summary>
    public const ushort Ethernet = 1;

    /// <summary>ARPHRD_NONE: bare IP.</summary>
    public const ushort Bare = 0xfffe;

    private const int CookedBytes = 16;
    private const int Cooked2Bytes = 20;

    /// <returns>What begins with an Ethernet header, or with IP; hardware type 0: not known, or no IP.</returns>
    public static FramePart Strip(ReadOnlySpan<byte> frame, ushort linkType) => linkType switch
    {
        1 => new FramePart(frame, Ethernet),
        // RAW by three numbers, IPV4, IPV6
        101 or 12 or 14 or 228 or 229 => new FramePart(frame, Bare),
        // NULL and LOOP: the address family, in whichever byte order.
        0 or 108 when frame.Length >= 4 => new FramePart(frame[4..], Bare),
        // LINUX_SLL, LINUX_SLL2: of "any" device.
        113 when frame.Length >= CookedBytes && IsIp(frame[14..]) => new FramePart(frame[CookedBytes..], Bare),
        276 when frame.Length >= Cooked2Bytes && IsIp(frame) => new FramePart(frame[Cooked2Bytes..], Bare),
        _ => default,
    };

    private static bool IsIp(ReadOnlySpan<byte> type) => BinaryPrimitives.ReadUInt16BigEndian(type) is 0x0800 or 0x86dd;
}

/// <param name="bytes">Of the frame, from where its hardware type applies.</param>
public readonly ref struct FramePart(ReadOnlySpan<byte> bytes, ushort hardware)
{
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public ushort Hardware { get; } = hardware;

    public void Deconstruct(out ReadOnlySpan<byte> all, out ushort type)
    {
        all = Bytes;
        type = Hardware;
    }
}
