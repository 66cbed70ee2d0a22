using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

internal static partial class Libc
{
    public const int AF_UNIX = 1;
    public const int AF_NETLINK = 16;
    public const int SOCK_RAW = 3;
    public const int SOCK_CLOEXEC = 0x8_0000;
    public const int SOCK_NONBLOCK = 0x800;

    public const int SOL_SOCKET = 1;
    public const int SO_SNDBUF = 7;
    public const int SO_RCVBUF = 8;
    public const int SO_SNDBUFFORCE = 32;
    public const int SO_RCVBUFFORCE = 33;

    public const int SOL_NETLINK = 270;
    public const int NETLINK_ADD_MEMBERSHIP = 1;
    public const int NETLINK_CAP_ACK = 10;
    public const int NETLINK_EXT_ACK = 11;
    public const int NETLINK_GET_STRICT_CHK = 12;

    public const int MSG_TRUNC = 0x20;
    public const int MSG_DONTWAIT = 0x40;

    [LibraryImport(Name, EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int domain, int type, int protocol);

    [LibraryImport(Name, EntryPoint = "bind", SetLastError = true)]
    public static unsafe partial int Bind(int socket, void* address, uint length);

    [LibraryImport(Name, EntryPoint = "connect", SetLastError = true)]
    public static unsafe partial int Connect(int socket, void* address, uint length);

    [LibraryImport(Name, EntryPoint = "getsockname", SetLastError = true)]
    public static unsafe partial int GetSocketName(int socket, void* address, uint* length);

    [LibraryImport(Name, EntryPoint = "setsockopt", SetLastError = true)]
    public static unsafe partial int SetSocketOption(int socket, int level, int option, int* value, uint length);

    [LibraryImport(Name, EntryPoint = "getsockopt", SetLastError = true)]
    public static unsafe partial int GetSocketOption(int socket, int level, int option, int* value, uint* length);

    [LibraryImport(Name, EntryPoint = "send", SetLastError = true)]
    public static unsafe partial nint Send(int socket, byte* buffer, nuint length, int flags);

    /// <summary>With MSG_TRUNC the result is the datagram's true length, which may exceed the buffer's.</summary>
    [LibraryImport(Name, EntryPoint = "recv", SetLastError = true)]
    public static unsafe partial nint Receive(int socket, byte* buffer, nuint length, int flags);

    public static unsafe bool TrySetSocketOption(int socket, int level, int option, int value) =>
        SetSocketOption(socket, level, option, &value, sizeof(int)) == 0;

    public static unsafe int GetSocketOption(int socket, int level, int option)
    {
        int value;
        uint length = sizeof(int);
        return GetSocketOption(socket, level, option, &value, &length) == 0 ? value : throw SystemCallException.Last("getsockopt");
    }
}

/// <summary><c>struct sockaddr_nl</c> (<c>linux/netlink.h</c>), host byte order</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NetlinkAddress
{
    public ushort Family;
    public ushort Padding;
    public uint PortId;
    public uint Groups;
}
