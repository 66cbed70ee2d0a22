using System.Buffers.Binary;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Tracing;

namespace Plumb.Diagnosis.Observe;

/// <summary>
/// By what a probe and its answers are known through every rewrite: TCP's sequence number, a token in what all else carries, and either of them where
/// an ICMP error quotes the probe.
/// </summary>
/// <param name="Probe">On the probe itself. An answer of UDP may have the same: an echo does.</param>
/// <param name="Answers">On whatever answers it, errors included.</param>
public sealed record ProbeSigns(PacketSign Probe, IReadOnlyList<PacketSign> Answers)
{
    private const int IcmpHeaderBytes = 8;
    private const int UdpHeaderBytes = 8;
    private const int DnsHeaderBytes = 12;

    // UDP, VXLAN and Ethernet, before the inner IP header.
    private const int VxlanBytes = 8 + 8 + 14;

    private const byte Syn = 2;
    private const byte SynOrReset = 2 | 4;
    private const ushort DnsPort = 53;

    /// <param name="packet">As it is asked for.</param>
    /// <param name="token">Nobody else's: its low half is the sequence number.</param>
    public static ProbeSigns Of(Packet packet, ReadOnlySpan<byte> token)
    {
        ArgumentNullException.ThrowIfNull(packet);
        var (isV4, protocol) = (packet.Family == IpFamily.V4, packet.Protocol);
        var number = Sequence(token);
        var (at, value) = protocol switch
        {
            Packet.Tcp => (4, Octets.From(number, 4, ByteOrder.Big)),
            Packet.Udp => (UdpHeaderBytes + (IsDns(packet) ? DnsHeaderBytes : 0), new Octets(token)),
            _ => (IcmpHeaderBytes, new Octets(token)),
        };
        var test = new HeaderTest(at, value);
        // Type of the message; protocol of the quoted packet.
        var quoted = new PacketSign(
            isV4 ? Packet.Icmp : Packet.IcmpV6,
            [new HeaderTest(IcmpHeaderBytes + (isV4 ? 9 : 6), Octets.From(protocol, 1, ByteOrder.Big)), test with { OffsetBytes = IcmpHeaderBytes + (isV4 ? 20 : 40) + at }]);
        return protocol switch
        {
            Packet.Tcp => new ProbeSigns(
                new PacketSign(protocol, [test, new HeaderTest(13, default, Syn)]),
                [new PacketSign(protocol, [new HeaderTest(8, Octets.From(unchecked(number + 1), 4, ByteOrder.Big)), new HeaderTest(13, default, SynOrReset)]), quoted]),
            Packet.Udp => new ProbeSigns(new PacketSign(protocol, [test]), [quoted]),
            _ => new ProbeSigns(
                new PacketSign(protocol, [Type(isV4 ? (byte)8 : (byte)128), test]),
                [new PacketSign(protocol, [Type(isV4 ? (byte)0 : (byte)129), test]), quoted]),
        };
    }

    /// <summary>A datagram to the port of DNS is a question, so that it is answered.</summary>
    public static bool IsDns(Packet packet) => packet is { Protocol: Packet.Udp, DestinationPort: DnsPort };

    /// <summary>TCP's sequence number of a probe with this token; never 0.</summary>
    public static uint Sequence(ReadOnlySpan<byte> token) => BinaryPrimitives.ReadUInt32BigEndian(token) | 1;

    /// <param name="transport">From the transport header on; perhaps cut.</param>
    public bool IsOnAnswer(byte protocol, ReadOnlySpan<byte> transport)
    {
        foreach (var sign in Answers)
        {
            if (sign.IsOn(protocol, transport))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>All of them, and all within a tunnel.</summary>
    /// <param name="vxlanPort">UDP port of the tunnel.</param>
    /// <param name="family">Of what it carries.</param>
    public IReadOnlyList<PacketSign> WithTunneled(ushort vxlanPort, IpFamily family)
    {
        var (protocolAt, headerBytes) = family == IpFamily.V4 ? (9, 20) : (6, 40);
        List<PacketSign> all = [Probe, .. Answers];
        return
        [
            .. all,
            .. all.Select(sign => new PacketSign(
                Packet.Udp,
                [
                    new HeaderTest(2, Octets.From(vxlanPort, 2, ByteOrder.Big)),
                    new HeaderTest(VxlanBytes + protocolAt, Octets.From(sign.Protocol, 1, ByteOrder.Big)),
                    .. sign.Tests.Select(test => test with { OffsetBytes = VxlanBytes + headerBytes + test.OffsetBytes }),
                ])),
        ];
    }

    private static HeaderTest Type(byte type) => new(0, Octets.From(type, 1, ByteOrder.Big));
}
