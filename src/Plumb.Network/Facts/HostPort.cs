using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;

namespace Plumb.Network.Facts;

/// <summary>A port of the node that leads to one of a pod's (<c>hostPort</c>; capability <c>portMappings</c> of CNI).</summary>
/// <param name="HostAddress">The one of the node's addresses at which it is open; null: all of them, of both families.</param>
/// <param name="Number">The node's, host order.</param>
/// <param name="PodPort">The pod's, host order.</param>
public readonly record struct HostPort(IpProtocol Protocol, ushort Number, ushort PodPort, IpAddress? HostAddress)
{
    private static readonly IpPrefix _loopback = IpPrefix.Parse("127.0.0.0/8");

    /// <summary>Whether two pods of one node cannot both have theirs.</summary>
    public bool ConflictsWith(HostPort other) =>
        Protocol == other.Protocol && Number == other.Number && (HostAddress is null || other.HostAddress is null || HostAddress == other.HostAddress);

    public bool IsOpenIn(IpFamily family) => HostAddress is not { } address || address.Family == family;

    /// <summary>Whether somebody on the node may reach it at 127.0.0.1.</summary>
    public bool IsOnLoopback => HostAddress is not { } address || (address.Family == IpFamily.V4 && _loopback.Contains(address));

    public override string ToString() => $"{(HostAddress is { } address ? $"{address} " : "")}{Protocol.ToString().ToUpperInvariant()} {Number}";
}
