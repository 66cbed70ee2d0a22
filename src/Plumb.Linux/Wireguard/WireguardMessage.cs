using System.Buffers.Binary;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Wireguard;

/// <summary>
/// Messages of the generic family <c>wireguard</c> (<c>linux/wireguard.h</c>): a device with its peers. The private key and preshared keys come along, and are
/// passed over.
/// </summary>
internal static class WireguardMessage
{
    public const string Family = "wireguard";
    private const byte Version = 1;

    private const byte WG_CMD_GET_DEVICE = 0;
    private const ushort WGDEVICE_A_IFINDEX = 1;
    private const ushort WGDEVICE_A_PUBLIC_KEY = 4;
    private const ushort WGDEVICE_A_LISTEN_PORT = 6;
    private const ushort WGDEVICE_A_FWMARK = 7;
    private const ushort WGDEVICE_A_PEERS = 8;
    private const ushort WGPEER_A_PUBLIC_KEY = 1;
    private const ushort WGPEER_A_ENDPOINT = 4;
    private const ushort WGPEER_A_ALLOWEDIPS = 9;
    private const ushort WGALLOWEDIP_A_FAMILY = 1;
    private const ushort WGALLOWEDIP_A_IPADDR = 2;
    private const ushort WGALLOWEDIP_A_CIDR_MASK = 3;

    public static void WriteGet(NetlinkWriter wire, ushort family, int index)
    {
        using (wire.Message(family, NetlinkFlags.Dump))
        {
            wire.Structure(new GenericHeader(WG_CMD_GET_DEVICE, Version));
            wire.U32(WGDEVICE_A_IFINDEX, (uint)index);
        }
    }

    /// <summary>A device, or more of its peers: a long list comes in several messages, the last peer of one going on in the next.</summary>
    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static LinkType.Wireguard Read(NetlinkMessage message)
    {
        var device = new LinkType.Wireguard();
        var peers = new List<WireguardPeer>();
        foreach (var a in GenericFamily.Attributes(message, "WG_CMD_GET_DEVICE"))
        {
            switch (a.Type)
            {
                case WGDEVICE_A_PUBLIC_KEY:
                    device = device with { PublicKey = Convert.ToBase64String(a.Value) };
                    break;
                case WGDEVICE_A_LISTEN_PORT:
                    device = device with { ListenPort = a.U16(nameof(WGDEVICE_A_LISTEN_PORT)) };
                    break;
                case WGDEVICE_A_FWMARK:
                    device = device with { Mark = a.U32(nameof(WGDEVICE_A_FWMARK)) };
                    break;
                case WGDEVICE_A_PEERS:
                    foreach (var peer in a.Nested(nameof(WGDEVICE_A_PEERS)))
                    {
                        peers.Add(Peer(peer));
                    }
                    break;
                default:
                    break;
            }
        }
        return device with { Peers = [.. peers] };
    }

    private static WireguardPeer Peer(NetlinkAttribute nest)
    {
        var (key, endpoint, port) = ("", (IpAddress?)null, (ushort)0);
        var allowed = new List<IpPrefix>();
        foreach (var a in nest.Nested("WGDEVICE_A_PEERS"))
        {
            switch (a.Type)
            {
                case WGPEER_A_PUBLIC_KEY:
                    key = Convert.ToBase64String(a.Value);
                    break;
                case WGPEER_A_ENDPOINT:
                    (endpoint, port) = Endpoint(a);
                    break;
                case WGPEER_A_ALLOWEDIPS:
                    foreach (var one in a.Nested(nameof(WGPEER_A_ALLOWEDIPS)))
                    {
                        allowed.Add(Allowed(one));
                    }
                    break;
                default:
                    break;
            }
        }
        return new WireguardPeer(key, endpoint, port, [.. allowed]);
    }

    // struct sockaddr_in: family, port, address; struct sockaddr_in6: family, port, flow, address.
    private static (IpAddress?, ushort) Endpoint(NetlinkAttribute a)
    {
        var name = a.Structure(nameof(WGPEER_A_ENDPOINT), 16);
        var isSixth = BinaryPrimitives.ReadUInt16LittleEndian(name) == (ushort)IpFamily.V6;
        var address = isSixth ? a.Structure(nameof(WGPEER_A_ENDPOINT), 28).Slice(8, 16) : name.Slice(4, 4);
        return (IpAddress.TryRead(address, out var read) ? read : null, BinaryPrimitives.ReadUInt16BigEndian(name[2..]));
    }

    private static IpPrefix Allowed(NetlinkAttribute nest)
    {
        var (address, length) = (default(IpAddress?), (byte)0);
        foreach (var a in nest.Nested(nameof(WGPEER_A_ALLOWEDIPS)))
        {
            switch (a.Type)
            {
                case WGALLOWEDIP_A_IPADDR:
                    address = a.Ip(nameof(WGALLOWEDIP_A_IPADDR));
                    break;
                case WGALLOWEDIP_A_CIDR_MASK:
                    length = a.U8(nameof(WGALLOWEDIP_A_CIDR_MASK));
                    break;
                case WGALLOWEDIP_A_FAMILY:
                default:
                    break;
            }
        }
        return address is { } network && length <= network.BitLength
            ? new IpPrefix(network, length)
            : throw new NetlinkDecodeException(nameof(WGALLOWEDIP_A_CIDR_MASK), $"{length} bits are no prefix of that address", nest.Value);
    }
}
