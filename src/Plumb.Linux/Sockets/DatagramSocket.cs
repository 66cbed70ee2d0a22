using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sockets;

/// <summary>A bound UDP socket that is read and written in batches by <see cref="DatagramBatch"/>, and written alone from any thread.</summary>
public sealed class DatagramSocket : FileDescriptor
{
    private const int AF_INET = 2;
    private const int AF_INET6 = 10;
    private const int SOCK_DGRAM = 2;
    private const int IPPROTO_UDP = 17;
    private const int ReceiveBufferBytes = 4 << 20;

    private DatagramSocket(int descriptor)
        : base(descriptor)
    {
    }

    /// <summary>The address and port that it is bound to.</summary>
    public PeerAddress Local { get; private init; }

    /// <summary>
    /// Binds inside a namespace, to an address that may not be there yet (IP_FREEBIND). To one address and not to all: an answer leaves from
    /// the address that was asked.
    /// </summary>
    /// <param name="port">0: any that is free.</param>
    /// <exception cref="SystemCallException">EADDRINUSE: another socket has it; EACCES: a port below 1024, and not root there.</exception>
    public static unsafe DatagramSocket Bind(NetworkNamespace inside, IpAddress host, ushort port)
    {
        ArgumentNullException.ThrowIfNull(inside);
        var isV4 = host.Family == IpFamily.V4;
        var descriptor = inside.Run(() =>
        {
            var made = Libc.Socket(isV4 ? AF_INET : AF_INET6, SOCK_DGRAM | Libc.SOCK_CLOEXEC, IPPROTO_UDP);
            return made >= 0 ? made : throw SystemCallException.Last("socket", "UDP");
        });
        try
        {
            _ = Libc.TrySetSocketOption(descriptor, isV4 ? Libc.IPPROTO_IP : Libc.IPPROTO_IPV6, isV4 ? Libc.IP_FREEBIND : Libc.IPV6_FREEBIND, 1);
            _ = isV4 || Libc.TrySetSocketOption(descriptor, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1);
            // The kernel gives what it may: a burst waits there while one thread works through it.
            _ = Libc.TrySetSocketOption(descriptor, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, ReceiveBufferBytes)
                || Libc.TrySetSocketOption(descriptor, Libc.SOL_SOCKET, Libc.SO_RCVBUF, ReceiveBufferBytes);
            var wanted = new PeerAddress(host, port);
            fixed (byte* bytes = wanted.Bytes)
            {
                if (Libc.Bind(descriptor, bytes, (uint)wanted.Length) < 0)
                {
                    throw SystemCallException.Last("bind", $"UDP {wanted}");
                }
            }
            return new DatagramSocket(descriptor) { Local = NameOf(descriptor) };
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    /// <summary>Sends one datagram; what cannot be sent at once is lost, as datagrams are.</summary>
    public unsafe bool TrySend(ReadOnlySpan<byte> datagram, in PeerAddress to)
    {
        fixed (byte* bytes = datagram)
        fixed (byte* peer = to.Bytes)
        {
            return Libc.SendTo(Number, bytes, (nuint)datagram.Length, Libc.MSG_DONTWAIT, peer, (uint)to.Length) >= 0;
        }
    }

    /// <summary>Makes whoever waits for datagrams return, now and from now on.</summary>
    // ENOTCONN is what an unconnected socket says to it; its readers wake all the same (inet_shutdown).
    public void EndReceiving() => _ = Libc.Shutdown(Number, Libc.SHUT_RD);

    private static unsafe PeerAddress NameOf(int descriptor)
    {
        var bytes = stackalloc byte[PeerAddress.MostBytes];
        uint length = PeerAddress.MostBytes;
        return Libc.GetSocketName(descriptor, bytes, &length) == 0
            ? new PeerAddress(new ReadOnlySpan<byte>(bytes, (int)length))
            : throw SystemCallException.Last("getsockname", "UDP");
    }
}
