using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Network.Overlay;

/// <summary>
/// The largest packet that gets from a pod to a pod on another node in one piece: what the wire carries less what the overlay
/// puts around it. Pods, bridge and tunnel all have this MTU, so that a path's narrowest place is its first.
/// </summary>
public static class PathMtu
{
    /// <summary>Inner Ethernet 14, VXLAN 8, UDP 8, outer IPv4 20 (RFC 7348 section 5).</summary>
    public const int VxlanOverIPv4Bytes = 14 + 8 + 8 + 20;

    /// <summary>As above with an outer IPv6 header of 40.</summary>
    public const int VxlanOverIPv6Bytes = 14 + 8 + 8 + 40;

    /// <summary>IPv6 demands it of every link (RFC 8200 section 5); below it IPv6 addresses cannot be set.</summary>
    public const int SmallestIPv6Bytes = 1280;

    /// <summary>What pods may send, in bytes; null while the wire is not known.</summary>
    public static int? OfPods(NodeFacts node)
    {
        if (node.Options.PodMtuBytes is { } chosen)
        {
            return chosen;
        }
        return node.Underlay is { } wire ? wire.MtuBytes - OverheadBytes(node.Options.Overlay, TunnelFamily(wire)) : null;
    }

    /// <summary>Whether pods can have addresses of the family at all; true while the wire is not known.</summary>
    public static bool Carries(NodeFacts node, IpFamily family) => family == IpFamily.V4 || OfPods(node) is not < SmallestIPv6Bytes;

    /// <summary>The family of the tunnel's outer packets: IPv4 where the wire has it.</summary>
    internal static IpFamily TunnelFamily(Underlay wire) => wire.AddressOf(IpFamily.V4) is null ? IpFamily.V6 : IpFamily.V4;

    private static int OverheadBytes(OverlayKind overlay, IpFamily outer) => overlay switch
    {
        OverlayKind.Vxlan => outer == IpFamily.V4 ? VxlanOverIPv4Bytes : VxlanOverIPv6Bytes,
        _ => 0,
    };
}
