using System.Buffers.Binary;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Rules;

/// <summary>
/// A packet's headers as they stand on the wire, as far as a <see cref="Packet"/> says what is in them. What it does not say (sequence numbers,
/// checksums, data) is there and not known, which is something else than not being there.
/// </summary>
internal sealed class HeaderBytes
{
    private const int Ipv4Bytes = 20;
    private const int Ipv6Bytes = 40;

    private readonly Part _network;
    private readonly Part _transport;

    public HeaderBytes(Packet packet)
    {
        var length = packet.Family == IpFamily.V4 ? Ipv4Bytes : Ipv6Bytes;
        // Offsets may count on beyond a header: data follow it.
        _network = new Part(length, Math.Max(length, packet.Length));
        _transport = new Part(TransportBytes(packet), Math.Max(0, packet.Length - length));
        if (packet.Family == IpFamily.V4)
        {
            WriteIpv4(packet);
        }
        else
        {
            WriteIpv6(packet);
        }
        WriteTransport(packet);
    }

    /// <summary>Copies bytes and, beside them, which of their bits are not known.</summary>
    /// <returns>Whether the packet is that long.</returns>
    public bool TryReadNetwork(int offset, Span<byte> bytes, Span<byte> unknown) => _network.TryRead(offset, bytes, unknown);

    /// <inheritdoc cref="TryReadNetwork"/>
    public bool TryReadTransport(int offset, Span<byte> bytes, Span<byte> unknown) => _transport.TryRead(offset, bytes, unknown);

    /// <summary>The packet with other bytes in its network header.</summary>
    public Packet WithNetwork(Packet packet, int offset, ReadOnlySpan<byte> bytes)
    {
        _network.Write(offset, bytes);
        var header = _network.Bytes;
        if (packet.Family == IpFamily.V4)
        {
            return packet with
            {
                TrafficClass = header[1],
                DontFragment = (header[6] & 0x40) != 0,
                TimeToLive = header[8],
                Protocol = header[9],
                Source = Address(header.AsSpan(12, 4)),
                Destination = Address(header.AsSpan(16, 4)),
            };
        }
        return packet with
        {
            TrafficClass = (byte)((header[0] << 4) | (header[1] >> 4)),
            Protocol = header[6],
            TimeToLive = header[7],
            Source = Address(header.AsSpan(8, 16)),
            Destination = Address(header.AsSpan(24, 16)),
        };
    }

    /// <summary>The packet with other bytes in its transport header.</summary>
    public Packet WithTransport(Packet packet, int offset, ReadOnlySpan<byte> bytes)
    {
        _transport.Write(offset, bytes);
        var header = _transport.Bytes;
        return packet.Protocol switch
        {
            Packet.Tcp or Packet.Udp or Packet.Sctp => packet with
            {
                SourcePort = BinaryPrimitives.ReadUInt16BigEndian(header),
                DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(2)),
                Flags = packet.Protocol == Packet.Tcp ? (TcpFlags)header[13] : packet.Flags,
            },
            Packet.Icmp or Packet.IcmpV6 => packet with
            {
                Message = new IcmpKind(header[0], header[1]),
                EchoId = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4)),
            },
            _ => packet,
        };
    }

    private static IpAddress Address(ReadOnlySpan<byte> bytes) => IpAddress.TryRead(bytes, out var address) ? address : default;

    private static int TransportBytes(Packet packet) => packet.Protocol switch
    {
        Packet.Tcp => 20,
        Packet.Udp or Packet.Icmp or Packet.IcmpV6 => 8,
        Packet.Sctp => 12,
        _ => 0,
    };

    private void WriteIpv4(Packet packet)
    {
        Span<byte> header = stackalloc byte[Ipv4Bytes];
        header[0] = 0x45;
        header[1] = packet.TrafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)packet.Length);
        header[6] = packet.DontFragment ? (byte)0x40 : (byte)0;
        header[8] = packet.TimeToLive;
        header[9] = packet.Protocol;
        packet.Source.WriteBytes(header[12..]);
        packet.Destination.WriteBytes(header[16..]);
        _network.Set(0, header);
        _network.Forget(4, 2); // identification
        _network.Forget(10, 2); // checksum
    }

    private void WriteIpv6(Packet packet)
    {
        Span<byte> header = stackalloc byte[Ipv6Bytes];
        header[0] = (byte)(0x60 | (packet.TrafficClass >> 4));
        header[1] = (byte)(packet.TrafficClass << 4);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)Math.Max(0, packet.Length - Ipv6Bytes));
        header[6] = packet.Protocol;
        header[7] = packet.TimeToLive;
        packet.Source.WriteBytes(header[8..]);
        packet.Destination.WriteBytes(header[24..]);
        _network.Set(0, header);
        _network.ForgetBits(1, 0x0f); // flow label
        _network.Forget(2, 2);
    }

    private void WriteTransport(Packet packet)
    {
        Span<byte> ports = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, packet.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(ports[2..], packet.DestinationPort);
        switch (packet.Protocol)
        {
            case Packet.Tcp:
                _transport.Set(0, ports);
                _transport.Set(13, [(byte)packet.Flags]);
                break;
            case Packet.Udp:
                _transport.Set(0, ports);
                BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)_transport.Length);
                _transport.Set(4, ports[..2]);
                break;
            case Packet.Sctp:
                _transport.Set(0, ports);
                break;
            case Packet.Icmp or Packet.IcmpV6 when packet.Message is { } message:
                BinaryPrimitives.WriteUInt16BigEndian(ports, packet.EchoId);
                _transport.Set(0, [message.Type, message.Code]);
                _transport.Set(4, ports[..2]);
                break;
            default:
                break;
        }
    }

    /// <param name="header">Bytes of which something may be known.</param>
    /// <param name="length">Bytes to the packet's end.</param>
    private sealed class Part(int header, int length)
    {
        private readonly byte[] _unknown = AllUnknown(header);

        public byte[] Bytes { get; } = new byte[header];

        public int Length => length;

        private static byte[] AllUnknown(int count)
        {
            var bits = new byte[count];
            bits.AsSpan().Fill(0xff);
            return bits;
        }

        public void Set(int offset, ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(Bytes.AsSpan(offset));
            _unknown.AsSpan(offset, bytes.Length).Clear();
        }

        public void Forget(int offset, int count) => _unknown.AsSpan(offset, count).Fill(0xff);

        public void ForgetBits(int offset, byte bits) => _unknown[offset] |= bits;

        public void Write(int offset, ReadOnlySpan<byte> bytes)
        {
            if (offset < Bytes.Length)
            {
                Set(offset, bytes[..Math.Min(bytes.Length, Bytes.Length - offset)]);
            }
        }

        public bool TryRead(int offset, Span<byte> bytes, Span<byte> unknown)
        {
            if (offset < 0 || offset + bytes.Length > length)
            {
                return false;
            }
            for (var i = 0; i < bytes.Length; i++)
            {
                var isHeader = offset + i < Bytes.Length;
                bytes[i] = isHeader ? Bytes[offset + i] : (byte)0;
                unknown[i] = isHeader ? _unknown[offset + i] : (byte)0xff;
            }
            return true;
        }
    }
}
