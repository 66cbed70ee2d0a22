using System.Buffers.Binary;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Capture;

/// <summary>What an IP packet's headers say: all that a person or a filter asks of it. Numbers in host order.</summary>
/// <param name="Protocol">IPPROTO_*; of a fragment that is not the first, too, and then it has no ports.</param>
public readonly record struct PacketHeaders(IpAddress Source, IpAddress Destination, byte Protocol)
{
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte IcmpV6 = 58;
    public const byte Sctp = 132;

    private const ushort EtherTypeIPv4 = 0x0800;
    private const ushort EtherTypeIPv6 = 0x86dd;
    private const ushort EtherTypeVlan = 0x8100;
    private const int VxlanHeaderBytes = 8;
    private const ushort ArpHrdEthernet = 1;
    private const ushort ArpHrdLoopback = 772;
    private const ushort ArpHrdNone = 0xfffe;

    public ushort SourcePort { get; init; }

    public ushort DestinationPort { get; init; }

    public byte TimeToLive { get; init; }

    /// <summary>Octets with the IP header, as the header says.</summary>
    public int Length { get; init; }

    /// <summary>FIN, SYN, RST, PSH, ACK, URG from the lowest bit (RFC 9293, 3.1).</summary>
    public byte TcpFlags { get; init; }

    public uint Sequence { get; init; }

    public uint Acknowledgment { get; init; }

    /// <summary>Of ICMP.</summary>
    public byte Type { get; init; }

    /// <inheritdoc cref="Type"/>
    public byte Code { get; init; }

    /// <summary>Of an ICMP echo: its sequence number.</summary>
    public ushort EchoSequence { get; init; }

    /// <summary>Where the transport header begins, from the start of what was read.</summary>
    public int TransportAt { get; init; }

    /// <summary>Where behind the transport header the payload begins, from the start of what was read.</summary>
    public int PayloadAt { get; init; }

    public int PayloadLength { get; init; }

    /// <summary>Reads a frame.</summary>
    /// <param name="hardwareType">ARPHRD_* of its device: Ethernet, loopback, or none (bare IP).</param>
    /// <returns>False: it carries no IP, or is cut off inside of a header.</returns>
    public static bool TryRead(ReadOnlySpan<byte> frame, ushort hardwareType, out PacketHeaders headers)
    {
        headers = default;
        var at = 0;
        ushort type;
        if (hardwareType is ArpHrdEthernet or ArpHrdLoopback)
        {
            if (frame.Length < 14)
            {
                return false;
            }
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
            at = 14;
            if (type == EtherTypeVlan && frame.Length >= 18)
            {
                type = BinaryPrimitives.ReadUInt16BigEndian(frame[16..]);
                at = 18;
            }
        }
        else if (hardwareType == ArpHrdNone && frame.Length > 0)
        {
            type = frame[0] >> 4 == 6 ? EtherTypeIPv6 : EtherTypeIPv4;
        }
        else
        {
            return false;
        }
        return type switch
        {
            EtherTypeIPv4 => TryReadV4(frame, at, out headers),
            EtherTypeIPv6 => TryReadV6(frame, at, out headers),
            _ => false,
        };
    }

    /// <summary>What this packet carries where it is VXLAN's (RFC 7348).</summary>
    /// <param name="frame">In which it was read.</param>
    /// <param name="port">UDP port of the tunnel.</param>
    /// <param name="networkId">VNI.</param>
    public bool TryReadVxlan(ReadOnlySpan<byte> frame, ushort port, out uint networkId, out PacketHeaders inner)
    {
        (networkId, inner) = (0, default);
        if (Protocol != Udp || DestinationPort != port || frame.Length < PayloadAt + VxlanHeaderBytes)
        {
            return false;
        }
        var vxlan = frame[PayloadAt..];
        networkId = BinaryPrimitives.ReadUInt32BigEndian(vxlan[4..]) >> 8;
        if (!TryRead(vxlan[VxlanHeaderBytes..], ArpHrdEthernet, out inner))
        {
            return false;
        }
        var at = PayloadAt + VxlanHeaderBytes;
        inner = inner with { TransportAt = inner.TransportAt + at, PayloadAt = inner.PayloadAt + at };
        return true;
    }

    private static bool TryReadV4(ReadOnlySpan<byte> frame, int at, out PacketHeaders headers)
    {
        headers = default;
        if (frame.Length < at + 20 || frame[at] >> 4 != 4)
        {
            return false;
        }
        var ip = frame[at..];
        var headerBytes = (ip[0] & 15) * 4;
        var length = (int)BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        // Segmentation is left to the device: a packet beyond 65,535 octets says none.
        length = length == 0 ? ip.Length : length;
        if (headerBytes < 20 || ip.Length < headerBytes || length < headerBytes)
        {
            return false;
        }
        _ = IpAddress.TryRead(ip.Slice(12, 4), out var source);
        _ = IpAddress.TryRead(ip.Slice(16, 4), out var destination);
        headers = new PacketHeaders(source, destination, ip[9]) { TimeToLive = ip[8], Length = length, TransportAt = at + headerBytes, PayloadAt = at + headerBytes, PayloadLength = length - headerBytes };
        var fragmentOffset = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x1fff;
        return fragmentOffset != 0 || headers.TryReadTransport(frame, out headers);
    }

    private static bool TryReadV6(ReadOnlySpan<byte> frame, int at, out PacketHeaders headers)
    {
        headers = default;
        if (frame.Length < at + 40 || frame[at] >> 4 != 6)
        {
            return false;
        }
        var ip = frame[at..];
        var length = 40 + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        _ = IpAddress.TryRead(ip.Slice(8, 16), out var source);
        _ = IpAddress.TryRead(ip.Slice(24, 16), out var destination);
        var next = ip[6];
        var offset = 40;
        // Hop-by-hop, routing, destination options (RFC 8200, 4): each tells the next and its own length.
        while (next is 0 or 43 or 60)
        {
            if (ip.Length < offset + 8)
            {
                return false;
            }
            (next, offset) = (ip[offset], offset + 8 + (ip[offset + 1] * 8));
        }
        var isLaterFragment = false;
        if (next == 44)
        {
            if (ip.Length < offset + 8)
            {
                return false;
            }
            isLaterFragment = BinaryPrimitives.ReadUInt16BigEndian(ip[(offset + 2)..]) >> 3 != 0;
            (next, offset) = (ip[offset], offset + 8);
        }
        if (length < offset || ip.Length < offset)
        {
            return false;
        }
        headers = new PacketHeaders(source, destination, next) { TimeToLive = ip[7], Length = length, TransportAt = at + offset, PayloadAt = at + offset, PayloadLength = length - offset };
        return isLaterFragment || headers.TryReadTransport(frame, out headers);
    }

    private bool TryReadTransport(ReadOnlySpan<byte> frame, out PacketHeaders headers)
    {
        headers = this;
        var transport = frame[PayloadAt..];
        switch (Protocol)
        {
            case Tcp when transport.Length >= 20:
                var headerBytes = (transport[12] >> 4) * 4;
                if (headerBytes < 20 || headerBytes > PayloadLength)
                {
                    return false;
                }
                headers = this with
                {
                    SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport),
                    DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]),
                    Sequence = BinaryPrimitives.ReadUInt32BigEndian(transport[4..]),
                    Acknowledgment = BinaryPrimitives.ReadUInt32BigEndian(transport[8..]),
                    TcpFlags = (byte)(transport[13] & 0x3f),
                    PayloadAt = PayloadAt + headerBytes,
                    PayloadLength = PayloadLength - headerBytes,
                };
                return true;
            case Udp or Sctp when transport.Length >= (Protocol == Udp ? 8 : 12):
                var portHeaderBytes = Protocol == Udp ? 8 : 12;
                headers = this with
                {
                    SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport),
                    DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]),
                    PayloadAt = PayloadAt + portHeaderBytes,
                    PayloadLength = Math.Max(0, PayloadLength - portHeaderBytes),
                };
                return true;
            case Icmp or IcmpV6 when transport.Length >= 8:
                headers = this with
                {
                    Type = transport[0],
                    Code = transport[1],
                    EchoSequence = BinaryPrimitives.ReadUInt16BigEndian(transport[6..]),
                    PayloadAt = PayloadAt + 8,
                    PayloadLength = Math.Max(0, PayloadLength - 8),
                };
                return true;
            default:
                return Protocol is not (Tcp or Udp or Sctp or Icmp or IcmpV6);
        }
    }
}
