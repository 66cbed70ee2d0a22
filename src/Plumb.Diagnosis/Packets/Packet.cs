using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Packets;

/// <summary>An IP packet at one place on its way. A value: each rewrite is another packet.</summary>
/// <param name="Protocol">IPPROTO_* (RFC 5237).</param>
public sealed record Packet(IpAddress Source, IpAddress Destination, byte Protocol)
{
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte IcmpV6 = 58;
    public const byte Sctp = 132;

    /// <summary>Host order; 0 for protocols without ports.</summary>
    public ushort SourcePort { get; init; }

    /// <inheritdoc cref="SourcePort"/>
    public ushort DestinationPort { get; init; }

    /// <summary>Of a TCP segment.</summary>
    public TcpFlags Flags { get; init; }

    /// <summary>Type and code of an ICMP message (RFC 792, RFC 4443); null for all else.</summary>
    public IcmpKind? Message { get; init; }

    /// <summary>Identifier of an echo.</summary>
    public ushort EchoId { get; init; }

    /// <summary>TTL, or hop limit.</summary>
    public byte TimeToLive { get; init; } = 64;

    /// <summary>Octets, with the IP header.</summary>
    public int Length { get; init; } = 60;

    /// <summary>Octets of the longest fragment that it is cut into; 0: it is whole.</summary>
    public int FragmentLength { get; init; }

    /// <summary>Octets of the longest piece that a link has to carry.</summary>
    public int LengthOnLink => FragmentLength != 0 ? Math.Min(Length, FragmentLength) : Length;

    /// <summary>RFC 791's DF. Of IPv6 it is always so.</summary>
    public bool DontFragment { get; init; } = true;

    /// <summary>DSCP and ECN together.</summary>
    public byte TrafficClass { get; init; }

    /// <summary>skb->mark: of this kernel, in this namespace; it does not leave with the packet.</summary>
    public uint Mark { get; init; }

    /// <summary>skb->priority; as <see cref="Mark"/>.</summary>
    public uint Priority { get; init; }

    /// <summary>What a tunnel's packet carries, or an ICMP error quotes; null for all else.</summary>
    public Encapsulated? Inner { get; init; }

    /// <summary>It is a tunnel's, and <see cref="Inner"/> what it carries.</summary>
    public bool IsTunnel => Inner is not null && Message is null;

    public IpFamily Family => Source.Family;
}

/// <summary>Type and code of an ICMP message.</summary>
public readonly record struct IcmpKind(byte Type, byte Code);

/// <summary>What a VXLAN, IPIP or other tunnel packet carries.</summary>
/// <param name="NetworkId">VNI; null for tunnels without one.</param>
/// <param name="Source">Of the inner frame; null where the tunnel carries IP alone.</param>
/// <param name="Destination">As <paramref name="Source"/>.</param>
public sealed record Encapsulated(Packet Packet, uint? NetworkId = null, MacAddress? Source = null, MacAddress? Destination = null)
{
    /// <summary>Public keys of WireGuard: who has encrypted it, and for whom; null for tunnels in the clear.</summary>
    public (string From, string To)? Keys { get; init; }

    /// <summary>Of GRE (RFC 2890); null for tunnels without one.</summary>
    public uint? Key { get; init; }
}

/// <summary>RFC 9293, 3.1.</summary>
[Flags]
public enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
    Urg = 32,
    Ece = 64,
    Cwr = 128,
}
