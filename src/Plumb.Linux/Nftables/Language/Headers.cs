namespace Plumb.Linux.Nftables.Language;

/// <summary>RFC 791.</summary>
public static class Ip
{
    public static HeaderField Dscp { get; } = new(Header.Ip, 3, "ip dscp", 8, 6, DataType.Dscp);
    public static HeaderField Ecn { get; } = new(Header.Ip, 4, "ip ecn", 14, 2, DataType.Ecn);
    public static HeaderField Length { get; } = new(Header.Ip, 5, "ip length", 16, 16, DataType.Integer);
    public static HeaderField Id { get; } = new(Header.Ip, 6, "ip id", 32, 16, DataType.Integer);
    public static HeaderField FragmentOffset { get; } = new(Header.Ip, 7, "ip frag-off", 48, 16, DataType.Integer);
    public static HeaderField TimeToLive { get; } = new(Header.Ip, 8, "ip ttl", 64, 8, DataType.Integer);
    public static HeaderField Protocol { get; } = new(Header.Ip, 9, "ip protocol", 72, 8, DataType.IpProtocol);
    public static HeaderField Checksum { get; } = new(Header.Ip, 10, "ip checksum", 80, 16, DataType.Integer);
    public static HeaderField Source { get; } = new(Header.Ip, 11, "ip saddr", 96, 32, DataType.Ipv4Address);
    public static HeaderField Destination { get; } = new(Header.Ip, 12, "ip daddr", 128, 32, DataType.Ipv4Address);
    public static HeaderField Version { get; } = new(Header.Ip, 1, "ip version", 0, 4, DataType.Integer);
    public static HeaderField HeaderLength { get; } = new(Header.Ip, 2, "ip hdrlength", 4, 4, DataType.Integer);
}

/// <summary>RFC 8200.</summary>
public static class Ip6
{
    public static HeaderField Dscp { get; } = new(Header.Ip6, 2, "ip6 dscp", 4, 6, DataType.Dscp);
    public static HeaderField Ecn { get; } = new(Header.Ip6, 3, "ip6 ecn", 10, 2, DataType.Ecn);
    public static HeaderField FlowLabel { get; } = new(Header.Ip6, 4, "ip6 flowlabel", 12, 20, DataType.Integer);
    public static HeaderField Length { get; } = new(Header.Ip6, 5, "ip6 length", 32, 16, DataType.Integer);
    public static HeaderField NextHeader { get; } = new(Header.Ip6, 6, "ip6 nexthdr", 48, 8, DataType.IpProtocol);
    public static HeaderField HopLimit { get; } = new(Header.Ip6, 7, "ip6 hoplimit", 56, 8, DataType.Integer);
    public static HeaderField Source { get; } = new(Header.Ip6, 8, "ip6 saddr", 64, 128, DataType.Ipv6Address);
    public static HeaderField Destination { get; } = new(Header.Ip6, 9, "ip6 daddr", 192, 128, DataType.Ipv6Address);
    public static HeaderField Version { get; } = new(Header.Ip6, 1, "ip6 version", 0, 4, DataType.Integer);
}

/// <summary>The two ports, which every transport with ports has in one place.</summary>
public static class Th
{
    public static HeaderField SourcePort { get; } = new(Header.Transport, 1, "th sport", 0, 16, DataType.Port);
    public static HeaderField DestinationPort { get; } = new(Header.Transport, 2, "th dport", 16, 16, DataType.Port);
}

/// <summary>RFC 9293. Using a field states <c>meta l4proto tcp</c> first.</summary>
public static class Tcp
{
    public static HeaderField SourcePort { get; } = new(Header.Tcp, 1, "tcp sport", 0, 16, DataType.Port);
    public static HeaderField DestinationPort { get; } = new(Header.Tcp, 2, "tcp dport", 16, 16, DataType.Port);
    public static HeaderField Sequence { get; } = new(Header.Tcp, 3, "tcp sequence", 32, 32, DataType.Integer);
    public static HeaderField AcknowledgedSequence { get; } = new(Header.Tcp, 4, "tcp ackseq", 64, 32, DataType.Integer);
    public static HeaderField DataOffset { get; } = new(Header.Tcp, 5, "tcp doff", 96, 4, DataType.Integer);
    public static HeaderField Flags { get; } = new(Header.Tcp, 7, "tcp flags", 104, 8, DataType.TcpFlag);
    public static HeaderField Window { get; } = new(Header.Tcp, 8, "tcp window", 112, 16, DataType.Integer);
    public static HeaderField Checksum { get; } = new(Header.Tcp, 9, "tcp checksum", 128, 16, DataType.Integer);
    public static HeaderField UrgentPointer { get; } = new(Header.Tcp, 10, "tcp urgptr", 144, 16, DataType.Integer);
}

/// <summary>RFC 768.</summary>
public static class Udp
{
    public static HeaderField SourcePort { get; } = new(Header.Udp, 1, "udp sport", 0, 16, DataType.Port);
    public static HeaderField DestinationPort { get; } = new(Header.Udp, 2, "udp dport", 16, 16, DataType.Port);
    public static HeaderField Length { get; } = new(Header.Udp, 3, "udp length", 32, 16, DataType.Integer);
    public static HeaderField Checksum { get; } = new(Header.Udp, 4, "udp checksum", 48, 16, DataType.Integer);
}

/// <summary>RFC 9260.</summary>
public static class Sctp
{
    public static HeaderField SourcePort { get; } = new(Header.Sctp, 1, "sctp sport", 0, 16, DataType.Port);
    public static HeaderField DestinationPort { get; } = new(Header.Sctp, 2, "sctp dport", 16, 16, DataType.Port);
    public static HeaderField VerificationTag { get; } = new(Header.Sctp, 3, "sctp vtag", 32, 32, DataType.Integer);
}

/// <summary>RFC 792.</summary>
public static class Icmp
{
    public static HeaderField MessageType { get; } = new(Header.Icmp, 1, "icmp type", 0, 8, DataType.IcmpType);
    public static HeaderField Code { get; } = new(Header.Icmp, 2, "icmp code", 8, 8, DataType.IcmpCode);
}

/// <summary>RFC 4443.</summary>
public static class Icmp6
{
    public static HeaderField MessageType { get; } = new(Header.Icmpv6, 1, "icmpv6 type", 0, 8, DataType.Icmpv6Type);
    public static HeaderField Code { get; } = new(Header.Icmpv6, 2, "icmpv6 code", 8, 8, DataType.Icmpv6Code);
}

/// <summary>IEEE 802.3, and 802.1Q's tag behind it.</summary>
public static class Ethernet
{
    public static HeaderField Destination { get; } = new(Header.Ethernet, 1, "ether daddr", 0, 48, DataType.EthernetAddress);
    public static HeaderField Source { get; } = new(Header.Ethernet, 2, "ether saddr", 48, 48, DataType.EthernetAddress);
    public static HeaderField FrameType { get; } = new(Header.Ethernet, 3, "ether type", 96, 16, DataType.EthernetType);
    public static HeaderField VlanId { get; } = new(Header.Vlan, 3, "vlan id", 116, 12, DataType.Integer);
}

/// <summary>RFC 826.</summary>
public static class Arp
{
    public static HeaderField Operation { get; } = new(Header.Arp, 5, "arp operation", 48, 16, DataType.ArpOperation);
    public static HeaderField SenderMac { get; } = new(Header.Arp, 6, "arp saddr ether", 64, 48, DataType.EthernetAddress);
    public static HeaderField TargetMac { get; } = new(Header.Arp, 7, "arp daddr ether", 144, 48, DataType.EthernetAddress);
    public static HeaderField SenderAddress { get; } = new(Header.Arp, 8, "arp saddr ip", 112, 32, DataType.Ipv4Address);
    public static HeaderField TargetAddress { get; } = new(Header.Arp, 9, "arp daddr ip", 192, 32, DataType.Ipv4Address);
}

/// <summary>All fields that have a name, to find the one that an offset means.</summary>
internal static class HeaderFields
{
    public static HeaderField[] All { get; } =
    [
        Ip.Dscp, Ip.Ecn, Ip.Length, Ip.Id, Ip.FragmentOffset, Ip.TimeToLive, Ip.Protocol, Ip.Checksum, Ip.Source, Ip.Destination, Ip.Version,
        Ip.HeaderLength, Ip6.Dscp, Ip6.Ecn, Ip6.FlowLabel, Ip6.Length, Ip6.NextHeader, Ip6.HopLimit, Ip6.Source, Ip6.Destination, Ip6.Version,
        Th.SourcePort, Th.DestinationPort, Tcp.SourcePort, Tcp.DestinationPort, Tcp.Sequence, Tcp.AcknowledgedSequence, Tcp.DataOffset, Tcp.Flags,
        Tcp.Window, Tcp.Checksum, Tcp.UrgentPointer, Udp.SourcePort, Udp.DestinationPort, Udp.Length, Udp.Checksum, Sctp.SourcePort,
        Sctp.DestinationPort, Sctp.VerificationTag, Icmp.MessageType, Icmp.Code, Icmp6.MessageType, Icmp6.Code, Ethernet.Destination,
        Ethernet.Source, Ethernet.FrameType, Ethernet.VlanId, Arp.Operation, Arp.SenderMac, Arp.TargetMac, Arp.SenderAddress, Arp.TargetAddress,
    ];

    public static HeaderField? ByTemplate(Header header, uint template) =>
        Array.Find(All, field => field.Header == header && field.Template == template);

    public static HeaderField? At(Header header, int offsetBits, int bits) =>
        Array.Find(All, field => field.Header == header && field.OffsetBits == offsetBits && field.WidthBits == bits);

    /// <summary>The field that begins there and is at least so long: a prefix's load is shorter than its field.</summary>
    public static HeaderField? Beginning(Header header, int offsetBits) =>
        Array.Find(All, field => field.Header == header && field.OffsetBits == offsetBits && field.IsWholeBytes);
}
