using System.Buffers.Binary;
using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;

namespace Plumb.Diagnosis.Capture;

/// <summary>A frame in words, from the outside in: a line for each layer. Whatever the bytes are, lines are the answer.</summary>
/// <param name="nameOf">Whose an address is; null: nobody's that is known.</param>
/// <param name="stationOf">Which interface has a hardware address; null: none that is known.</param>
/// <param name="vxlanPort">UDP port of tunnels, beside the one that IANA gave them.</param>
public sealed class FrameLayers(Func<IpAddress, string?> nameOf, Func<MacAddress, string?> stationOf, ushort vxlanPort)
{
    private const ushort StandardVxlanPort = 4789;
    private const ushort DnsPort = 53;
    private const ushort ArpHrdNone = 0xfffe;
    private const byte IpInIp = 4;
    private const byte V6InIp = 41;

    // Tunnels in tunnels: nobody has more.
    private const int MostNested = 6;

    private readonly List<FrameLayer> _layers = [];

    /// <param name="linkType">LINKTYPE_* of the pcap registry.</param>
    public IReadOnlyList<FrameLayer> Read(ReadOnlySpan<byte> frame, ushort linkType)
    {
        _layers.Clear();
        var (packet, hardware) = FrameLink.Strip(frame, linkType);
        if (hardware == FrameLink.Ethernet)
        {
            Ethernet(packet, 0);
        }
        else if (hardware == ArpHrdNone)
        {
            Ip(packet, 0);
        }
        else
        {
            Add("frame", $"{frame.Length} bytes of link type {linkType}, which is not read");
        }
        return [.. _layers];
    }

    private void Ethernet(ReadOnlySpan<byte> frame, int depth)
    {
        if (frame.Length < 14 || depth > MostNested)
        {
            Add("ethernet", "cut short");
            return;
        }
        _ = MacAddress.TryRead(frame[..6], out var to);
        _ = MacAddress.TryRead(frame[6..12], out var from);
        var (type, at, tags) = (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]), 14, "");
        while (type is 0x8100 or 0x88a8 && frame.Length >= at + 4)
        {
            tags += $", VLAN {BinaryPrimitives.ReadUInt16BigEndian(frame[at..]) & 0xfff}";
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 2)..]);
            at += 4;
        }
        Add("ethernet", $"{Named(from)} → {Named(to)}{tags}");
        switch (type)
        {
            case 0x0800 or 0x86dd:
                Ip(frame[at..], depth);
                break;
            case 0x0806:
                Arp(frame[at..]);
                break;
            default:
                Add("payload", $"type 0x{type:x4}, {frame.Length - at} bytes");
                break;
        }
    }

    // RFC 826, of Ethernet and IPv4.
    private void Arp(ReadOnlySpan<byte> arp)
    {
        if (arp.Length < 28)
        {
            Add("arp", "cut short");
            return;
        }
        _ = MacAddress.TryRead(arp[8..14], out var mac);
        _ = IpAddress.TryRead(arp[14..18], out var own);
        _ = IpAddress.TryRead(arp[24..28], out var asked);
        var operation = BinaryPrimitives.ReadUInt16BigEndian(arp[6..]);
        Add("arp", operation switch
        {
            1 => $"who has {Named(asked)}? tell {Named(own)}",
            2 => $"{Named(own)} is at {Named(mac)}",
            _ => $"operation {operation}",
        });
    }

    private void Ip(ReadOnlySpan<byte> packet, int depth)
    {
        if (depth > MostNested || !PacketHeaders.TryRead(packet, ArpHrdNone, out var headers))
        {
            Add("ip", Quoted(packet) is { } beginning ? $"{beginning}; cut short" : "cut short");
            return;
        }
        var isV4 = headers.Source.Family == IpFamily.V4;
        Add(isV4 ? "ip" : "ipv6", $"{Named(headers.Source)} → {Named(headers.Destination)}, {(isV4 ? "TTL" : "hop limit")} {headers.TimeToLive}, {headers.Length} bytes{(isV4 ? Fragment(packet) : "")}");
        var transport = headers.TransportAt < packet.Length ? packet[headers.TransportAt..] : default;
        var payload = headers.PayloadAt < packet.Length ? packet[headers.PayloadAt..] : default;
        switch (headers.Protocol)
        {
            case PacketHeaders.Tcp when headers.SourcePort != 0 || headers.DestinationPort != 0:
                Add("tcp", $"port {headers.SourcePort} → {headers.DestinationPort}, {Flags(headers.TcpFlags)}, sequence {headers.Sequence}{((headers.TcpFlags & 16) == 0 ? "" : $", has all up to {headers.Acknowledgment}")}, {headers.PayloadLength} bytes");
                Text(payload);
                break;
            case PacketHeaders.Udp when headers.SourcePort != 0 || headers.DestinationPort != 0:
                Add("udp", $"port {headers.SourcePort} → {headers.DestinationPort}, {headers.PayloadLength} bytes");
                Datagram(headers, payload, depth);
                break;
            case PacketHeaders.Icmp or PacketHeaders.IcmpV6:
                Icmp(headers, payload);
                break;
            case IpInIp or V6InIp:
                Ip(transport, depth + 1);
                break;
            default:
                Add("payload", $"protocol {headers.Protocol}, {headers.PayloadLength} bytes");
                break;
        }
    }

    private void Datagram(in PacketHeaders headers, ReadOnlySpan<byte> payload, int depth)
    {
        const int vxlanHeaderBytes = 8;
        if ((headers.DestinationPort == vxlanPort || headers.DestinationPort == StandardVxlanPort) && payload.Length >= vxlanHeaderBytes)
        {
            Add("vxlan", $"VNI {BinaryPrimitives.ReadUInt32BigEndian(payload[4..]) >> 8}");
            Ethernet(payload[vxlanHeaderBytes..], depth + 1);
        }
        else if ((headers.SourcePort == DnsPort || headers.DestinationPort == DnsPort) && DnsQuestion(payload) is { } question)
        {
            Add("dns", question);
        }
    }

    private void Icmp(in PacketHeaders headers, ReadOnlySpan<byte> payload)
    {
        var kind = new Packets.IcmpKind(headers.Type, headers.Code);
        var packet = new Packets.Packet(headers.Source, headers.Destination, headers.Protocol) { Message = kind };
        var isEcho = headers.Protocol == PacketHeaders.Icmp ? headers.Type is 0 or 8 : headers.Type is 128 or 129;
        var words = headers is { Protocol: PacketHeaders.Icmp, Type: 8 } or { Protocol: PacketHeaders.IcmpV6, Type: 128 } ? "an echo request" : Walk.AnswerWords.Of(packet);
        Add(headers.Protocol == PacketHeaders.Icmp ? "icmp" : "icmpv6", $"{words}{(isEcho ? $", number {headers.EchoSequence}" : "")}");
        if (Walk.Tracking.Tuples.IsError(packet) && Quoted(payload) is { } quoted)
        {
            Add("about", quoted);
        }
    }

    /// <summary>Addresses and ports of a packet of which perhaps no more than the beginning is there.</summary>
    private string? Quoted(ReadOnlySpan<byte> packet)
    {
        var isV4 = packet.Length >= 20 && packet[0] >> 4 == 4;
        if (!isV4 && (packet.Length < 40 || packet[0] >> 4 != 6))
        {
            return null;
        }
        _ = IpAddress.TryRead(isV4 ? packet[12..16] : packet[8..24], out var from);
        _ = IpAddress.TryRead(isV4 ? packet[16..20] : packet[24..40], out var to);
        var (protocol, at) = isV4 ? (packet[9], (packet[0] & 15) * 4) : (packet[6], 40);
        var name = protocol switch { PacketHeaders.Tcp => "tcp", PacketHeaders.Udp => "udp", PacketHeaders.Sctp => "sctp", PacketHeaders.Icmp => "icmp", PacketHeaders.IcmpV6 => "icmpv6", _ => $"protocol {protocol}" };
        var hasPorts = protocol is PacketHeaders.Tcp or PacketHeaders.Udp or PacketHeaders.Sctp && packet.Length >= at + 4;
        return hasPorts
            ? $"{name} {Named(from)} port {BinaryPrimitives.ReadUInt16BigEndian(packet[at..])} → {Named(to)} port {BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..])}"
            : $"{name} {Named(from)} → {Named(to)}";
    }

    // The first line of HTTP and its like; the record of TLS.
    private void Text(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > 5 && payload[0] is >= 20 and <= 23 && payload[1] == 3)
        {
            Add("tls", payload[0] switch { 20 => "change of cipher", 21 => "alert", 22 => "handshake", _ => "application data" });
            return;
        }
        var end = payload.IndexOf("\r\n"u8);
        if (end is > 0 and < 200 && !payload[..end].ContainsAnyExceptInRange((byte)' ', (byte)'~') && payload[..end].IndexOf("HTTP/1."u8) >= 0)
        {
            Add("http", Encoding.ASCII.GetString(payload[..end]));
        }
    }

    // RFC 1035, 4.1: the first question; a name in one is not compressed.
    private static string? DnsQuestion(ReadOnlySpan<byte> message)
    {
        if (message.Length < 17 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 0)
        {
            return null;
        }
        var name = new StringBuilder();
        var at = 12;
        while (at < message.Length && message[at] is > 0 and < 64 and var length && at + 1 + length < message.Length)
        {
            foreach (var letter in message.Slice(at + 1, length))
            {
                name.Append(letter is > (byte)' ' and <= (byte)'~' ? (char)letter : '?');
            }
            name.Append('.');
            at += 1 + length;
        }
        var answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        var code = message[3] & 15;
        return (message[2] & 0x80) == 0 ? $"question for {name}" : $"answer about {name} {(code == 0 ? $"{answers} records" : $"code {code}")}";
    }

    private static string Fragment(ReadOnlySpan<byte> packet)
    {
        var bits = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        return ((bits & 0x4000) != 0 ? ", DF" : "") + ((bits & 0x3fff) != 0 ? $", fragment from byte {(bits & 0x1fff) * 8}{((bits & 0x2000) != 0 ? ", more follow" : "")}" : "");
    }

    private static string Flags(byte flags)
    {
        var names = new List<string>(6);
        foreach (var (bit, name) in (ReadOnlySpan<(int, string)>)[(2, "SYN"), (1, "FIN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG")])
        {
            if ((flags & bit) != 0)
            {
                names.Add(name);
            }
        }
        return names.Count == 0 ? "no flags" : string.Join(' ', names);
    }

    private string Named(IpAddress address) => nameOf(address) is { } name ? $"{address} ({name})" : address.ToString();

    private string Named(MacAddress mac) => mac.Number == 0xffff_ffff_ffff ? "all" : stationOf(mac) is { } station ? $"{mac} ({station})" : mac.ToString();

    private void Add(string name, string text) => _layers.Add(new FrameLayer(name, text));
}

/// <param name="Name">ethernet, arp, ip, tcp, vxlan …</param>
public sealed record FrameLayer(string Name, string Text);
