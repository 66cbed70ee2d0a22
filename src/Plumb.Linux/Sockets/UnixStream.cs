using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sockets;

/// <summary>
/// A connection to who listens on a unix socket (unix(7)), by system calls alone: a command that asks one thing and ends would take longer to
/// start <see cref="System.Net.Sockets"/> than for all the rest.
/// </summary>
public sealed class UnixStream : FileDescriptor
{
    private const int SOCK_STREAM = 1;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int PathBytes = 108; // sun_path of struct sockaddr_un, with a NUL behind the path

    private UnixStream(int descriptor)
        : base(descriptor)
    {
    }

    /// <summary>Id, in the reader's pid namespace, of the process that began to listen; 0: it is in another that cannot be seen from here.</summary>
    public int PeerProcessId => PeerCredentials.Of(Number).ProcessId;

    /// <exception cref="SystemCallException">ENOENT: no such socket; ECONNREFUSED: nobody listens; ENAMETOOLONG: a path of more than 107 bytes.</exception>
    public static unsafe UnixStream Connect(string path)
    {
        var address = stackalloc byte[sizeof(ushort) + PathBytes];
        new Span<byte>(address, sizeof(ushort) + PathBytes).Clear();
        *(ushort*)address = Libc.AF_UNIX;
        if (!Encoding.UTF8.TryGetBytes(path, new Span<byte>(address + sizeof(ushort), PathBytes - 1), out var length))
        {
            throw new SystemCallException("connect", Errno.ENAMETOOLONG, path);
        }
        var made = Libc.Socket(Libc.AF_UNIX, SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        var stream = made >= 0 ? new UnixStream(made) : throw SystemCallException.Last("socket", "AF_UNIX");
        if (Libc.Connect(made, address, (uint)(sizeof(ushort) + length + 1)) == 0)
        {
            return stream;
        }
        var refused = SystemCallException.Last("connect", path);
        stream.Dispose();
        throw refused;
    }

    /// <summary>Returns when the kernel has taken all of it.</summary>
    /// <exception cref="SystemCallException">EPIPE, ECONNRESET: the other side has gone.</exception>
    public unsafe void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            fixed (byte* start = bytes)
            {
                var sent = Libc.Send(Number, start, (nuint)bytes.Length, MSG_NOSIGNAL);
                if (sent >= 0)
                {
                    bytes = bytes[(int)sent..];
                    continue;
                }
            }
            ThrowUnlessInterrupted("send");
        }
    }

    /// <summary>Waits for some; 0: the other side has closed.</summary>
    /// <exception cref="SystemCallException">ECONNRESET: the other side has gone.</exception>
    public unsafe int Receive(Span<byte> into)
    {
        while (true)
        {
            fixed (byte* start = into)
            {
                var received = Libc.Receive(Number, start, (nuint)into.Length, 0);
                if (received >= 0)
                {
                    return (int)received;
                }
            }
            ThrowUnlessInterrupted("recv");
        }
    }

    private static void ThrowUnlessInterrupted(string call)
    {
        var failure = SystemCallException.Last(call);
        if (failure.Errno != Errno.EINTR)
        {
            throw failure;
        }
    }
}
