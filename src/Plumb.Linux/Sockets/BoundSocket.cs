using Plumb.Linux.Addresses;

namespace Plumb.Linux.Sockets;

/// <summary>A socket that takes in packets of peers that it does not know yet: a TCP listener, or a bound UDP socket without a peer.</summary>
/// <param name="Address">Where it is bound; unspecified: at every address of its family.</param>
/// <param name="Port">Host order.</param>
/// <param name="Protocol">IPPROTO_*.</param>
public sealed record BoundSocket(IpAddress Address, ushort Port, byte Protocol)
{
    /// <summary>IPV6_V6ONLY: the IPv6 wildcard takes in no IPv4.</summary>
    public bool OnlyIPv6 { get; init; }

    /// <summary>ifindex of the device that it is bound to (SO_BINDTODEVICE); 0: any.</summary>
    public int Device { get; init; }

    /// <summary>Its number in sockfs, by which a process that has it open is found; 0: not known.</summary>
    public uint Inode { get; init; }

    /// <summary>Whether a packet to this address and port, come in by this device, is its to take.</summary>
    public bool Takes(IpAddress address, ushort port, byte protocol, int device) =>
        port == Port
        && protocol == Protocol
        && (Device == 0 || Device == device)
        && (Address == address || (Address.IsUnspecified && (Address.Family == address.Family || (Address.Family == IpFamily.V6 && !OnlyIPv6))));
}
