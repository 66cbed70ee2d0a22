using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Wireguard;

/// <summary>The WireGuard devices of one network namespace.</summary>
internal static class WireguardKernel
{
    /// <param name="socket">Of <see cref="NetlinkFamily.Generic"/>, opened in that namespace.</param>
    /// <param name="index">ifindex.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell (CAP_NET_ADMIN).</exception>
    public static LinkType.Wireguard Read(NetlinkSocket socket, int index)
    {
        using var wire = new NetlinkWriter(64);
        WireguardMessage.WriteGet(wire, GenericFamily.Find(socket, WireguardMessage.Family), index);
        return Joined(socket.Dump(wire, static message => WireguardMessage.Read(message)));
    }

    /// <summary>The first part says what the device is; a peer of the same key as the one before goes on with that one's addresses.</summary>
    internal static LinkType.Wireguard Joined(IReadOnlyList<LinkType.Wireguard> parts)
    {
        var peers = new List<WireguardPeer>();
        foreach (var peer in parts.SelectMany(static part => part.Peers ?? []))
        {
            if (peers.Count > 0 && peers[^1].PublicKey == peer.PublicKey)
            {
                peers[^1] = peers[^1] with { AllowedIps = [.. peers[^1].AllowedIps, .. peer.AllowedIps] };
            }
            else
            {
                peers.Add(peer);
            }
        }
        return (parts.Count > 0 ? parts[0] : new LinkType.Wireguard()) with { Peers = [.. peers] };
    }
}
