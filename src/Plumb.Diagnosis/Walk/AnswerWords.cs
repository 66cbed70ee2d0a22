using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Tracking;

namespace Plumb.Diagnosis.Walk;

/// <summary>Packets in a sentence.</summary>
public static class AnswerWords
{
    /// <summary>What is sent back, as people call it.</summary>
    public static string Of(Packet packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return packet switch
        {
            { Protocol: Packet.Tcp, Flags: var flags } when (flags & TcpFlags.Rst) != 0 => "a reset (RST)",
            { Protocol: Packet.Tcp } => "SYN/ACK",
            { Protocol: Packet.Icmp, Message: { } kind } => kind switch
            {
                { Type: 0 } => "an echo reply",
                { Type: 3, Code: 0 } => "ICMP network unreachable",
                { Type: 3, Code: 1 } => "ICMP host unreachable",
                { Type: 3, Code: 3 } => "ICMP port unreachable",
                { Type: 3, Code: 4 } => "ICMP fragmentation needed",
                { Type: 3, Code: 13 } => "ICMP administratively prohibited",
                { Type: 11 } => "ICMP time exceeded",
                _ => $"ICMP type {kind.Type} code {kind.Code}",
            },
            { Protocol: Packet.IcmpV6, Message: { } kind } => kind switch
            {
                { Type: 129 } => "an echo reply",
                { Type: 1, Code: 0 } => "ICMPv6 no route",
                { Type: 1, Code: 1 } => "ICMPv6 administratively prohibited",
                { Type: 1, Code: 3 } => "ICMPv6 address unreachable",
                { Type: 1, Code: 4 } => "ICMPv6 port unreachable",
                { Type: 2 } => "ICMPv6 packet too big",
                { Type: 3 } => "ICMPv6 time exceeded",
                _ => $"ICMPv6 type {kind.Type} code {kind.Code}",
            },
            _ => "a datagram",
        };
    }

    /// <summary>Source, with its port where there are any.</summary>
    public static string Place(Packet packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return WithPort(packet.Source, packet.SourcePort, packet.Protocol);
    }

    /// <inheritdoc cref="Place"/>
    public static string Destination(Packet packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return WithPort(packet.Destination, packet.DestinationPort, packet.Protocol);
    }

    private static string WithPort(Linux.Addresses.IpAddress address, ushort port, byte protocol) =>
        !Tuples.HasPorts(protocol) ? address.ToString()
        : address.Family == Linux.Addresses.IpFamily.V6 ? $"[{address}]:{port}"
        : $"{address}:{port}";
}
