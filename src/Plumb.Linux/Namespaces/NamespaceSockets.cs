using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Native;

namespace Plumb.Linux.Namespaces;

/// <summary>
/// Sockets inside a namespace, for use anywhere: only <c>socket(2)</c> itself runs inside. A socket stays in the namespace in which it
/// was made, so that it can be bound, connected and awaited at home like any other.
/// </summary>
public static class NamespaceSockets
{
    private const int AF_INET = 2;
    private const int AF_INET6 = 10;
    private const int AF_PACKET = 17;
    private const int SOCK_STREAM = 1;
    private const int SOCK_DGRAM = 2;
    private const int SOCK_RAW = 3;
    private const int IPPROTO_TCP = 6;
    private const int IPPROTO_UDP = 17;
    private const int IPPROTO_SCTP = 132;

    /// <summary>A TCP socket, neither bound nor connected.</summary>
    public static Socket OpenTcp(this NetworkNamespace inside, AddressFamily family) => Open(inside, Domain(family), SOCK_STREAM, IPPROTO_TCP);

    /// <summary>A UDP socket, neither bound nor connected.</summary>
    public static Socket OpenUdp(this NetworkNamespace inside, AddressFamily family) => Open(inside, Domain(family), SOCK_DGRAM, IPPROTO_UDP);

    /// <summary>A one-to-one SCTP socket (RFC 6458, section 4), neither bound nor connected.</summary>
    /// <exception cref="SystemCallException">EPROTONOSUPPORT: the kernel has none.</exception>
    public static Socket OpenSctp(this NetworkNamespace inside, AddressFamily family) => Open(inside, Domain(family), SOCK_STREAM, IPPROTO_SCTP);

    /// <summary>A raw socket (<c>raw(7)</c>) of an IP protocol: sends payloads of it, and receives its packets, those of IPv4 with their header.</summary>
    public static Socket OpenRaw(this NetworkNamespace inside, AddressFamily family, Nftables.Language.IpProtocol protocol) =>
        Open(inside, Domain(family), SOCK_RAW, (int)protocol);

    /// <summary>A packet socket (<c>packet(7)</c>) that sees frames with their link-layer header; unbound: of every link.</summary>
    /// <param name="etherType">ETH_P_* in host order; 3 (ETH_P_ALL): every frame; 0: none until bound.</param>
    public static Socket OpenPacket(this NetworkNamespace inside, ushort etherType) =>
        Open(inside, AF_PACKET, SOCK_RAW, (ushort)IPAddress.HostToNetworkOrder((short)etherType));

    /// <summary>A listening TCP socket. An IPv6 socket on the unspecified address takes IPv4 connections too.</summary>
    /// <exception cref="SocketException">The address is in use or not the namespace's own.</exception>
    public static Socket ListenTcp(this NetworkNamespace inside, IPEndPoint at, int backlog = 512)
    {
        ArgumentNullException.ThrowIfNull(at);
        var socket = inside.OpenTcp(at.AddressFamily);
        try
        {
            if (at.AddressFamily == AddressFamily.InterNetworkV6 && at.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }
            // .NET sets SO_REUSEADDR of a TCP socket by itself; asked for it by name, it sets SO_REUSEPORT too, and two listeners would share the port.
            socket.Bind(at);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A connected TCP socket.</summary>
    public static async ValueTask<Socket> ConnectTcpAsync(this NetworkNamespace inside, IPEndPoint to, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(to);
        var socket = inside.OpenTcp(to.AddressFamily);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(to, cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static int Domain(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET;

    private static Socket Open(NetworkNamespace inside, int domain, int type, int protocol)
    {
        ArgumentNullException.ThrowIfNull(inside);
        var descriptor = inside.Run(() =>
        {
            var made = Libc.Socket(domain, type | Libc.SOCK_CLOEXEC, protocol);
            return made >= 0 ? made : throw SystemCallException.Last("socket", $"domain {domain}, type {type}, protocol {protocol}");
        });
        return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }
}
