using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

internal static partial class Libc
{
    public const int SHUT_RD = 0;
    public const int MSG_WAITFORONE = 0x1_0000;
    public const int IPPROTO_IP = 0;
    public const int IPPROTO_IPV6 = 41;
    public const int IP_FREEBIND = 15;
    public const int IPV6_V6ONLY = 26;
    public const int IPV6_FREEBIND = 78;

    /// <summary>Blocks until there is one datagram (MSG_WAITFORONE), then takes what is there.</summary>
    [LibraryImport(Name, EntryPoint = "recvmmsg", SetLastError = true)]
    public static unsafe partial int ReceiveMany(int socket, MessageHeader* messages, uint count, int flags, void* timeout);

    [LibraryImport(Name, EntryPoint = "sendmmsg", SetLastError = true)]
    public static unsafe partial int SendMany(int socket, MessageHeader* messages, uint count, int flags);

    [LibraryImport(Name, EntryPoint = "sendto", SetLastError = true)]
    public static unsafe partial nint SendTo(int socket, byte* buffer, nuint length, int flags, void* to, uint toLength);

    [LibraryImport(Name, EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int socket, int how);
}

/// <summary><c>struct mmsghdr</c> (<c>socket.h</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Peer;
    public uint PeerLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
    private readonly uint _endOfMessageHeader; // struct msghdr is padded to the size of a pointer
    public uint Length;
    private readonly uint _end;
}

/// <summary><c>struct iovec</c> (<c>uio.h</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}
