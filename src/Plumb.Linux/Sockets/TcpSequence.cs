using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Plumb.Linux.Sockets;

/// <summary>The number at which a TCP connection's own bytes begin: normally the kernel's secret until the SYN is out.</summary>
public static class TcpSequence
{
    // linux/tcp.h; linux/net/ipv4/tcp.c, do_tcp_setsockopt: allowed to CAP_NET_ADMIN of the socket's namespace, while it is closed.
    private const int IPPROTO_TCP = 6;
    private const int TCP_REPAIR = 19;
    private const int TCP_REPAIR_QUEUE = 20;
    private const int TCP_QUEUE_SEQ = 21;
    private const int TCP_SEND_QUEUE = 2;

    /// <summary>Makes the next connect begin with a SYN of this sequence number; the connection is a real one in all else.</summary>
    /// <param name="socket">Neither connected nor listening.</param>
    /// <param name="number">Not 0, which stands for a number of the kernel's choice.</param>
    /// <exception cref="SocketException">EPERM without CAP_NET_ADMIN.</exception>
    public static void Choose(Socket socket, uint number)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentOutOfRangeException.ThrowIfZero(number);
        Set(socket, TCP_REPAIR, 1);
        try
        {
            Set(socket, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
            Set(socket, TCP_QUEUE_SEQ, number);
        }
        finally
        {
            Set(socket, TCP_REPAIR, 0);
        }
    }

    private static void Set(Socket socket, int option, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        MemoryMarshal.Write(bytes, value);
        socket.SetRawSocketOption(IPPROTO_TCP, option, bytes);
    }
}
