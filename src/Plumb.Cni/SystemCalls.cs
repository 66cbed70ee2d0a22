using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Nothing is converted on the way: what is called is compiled ahead as a plain call.
[assembly: DisableRuntimeMarshalling]

namespace Plumb.Cni;

/// <summary>The C library's wrappers of system calls, by their manual's names. −1: refused.</summary>
internal static unsafe class SystemCalls
{
    public const int AF_UNIX = 1;
    public const int SOCK_STREAM = 1;
    public const int SOCK_CLOEXEC = 0x8_0000;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int EINTR = 4;
    public const int AF_INET = 2;
    public const int SOCK_DGRAM = 2;
    public const int O_CLOEXEC = 0x8_0000;
    public const int CLONE_NEWNET = 0x4000_0000;
    public const nuint SIOCGIFFLAGS = 0x8913;
    public const nuint SIOCSIFFLAGS = 0x8914;

    private const string C = "libc";

    /// <summary>The calling thread's, of the last call that was refused.</summary>
    public static int LastErrno => *ErrnoLocation();

    [DllImport(C, EntryPoint = "getenv")]
    public static extern byte* Variable(byte* name);

    [DllImport(C, EntryPoint = "read")]
    public static extern nint Read(int descriptor, byte* into, nuint length);

    [DllImport(C, EntryPoint = "write")]
    public static extern nint Write(int descriptor, byte* bytes, nuint length);

    [DllImport(C, EntryPoint = "socket")]
    public static extern int Socket(int family, int type, int protocol);

    [DllImport(C, EntryPoint = "connect")]
    public static extern int Connect(int descriptor, byte* address, uint length);

    [DllImport(C, EntryPoint = "send")]
    public static extern nint Send(int descriptor, byte* bytes, nuint length, int flags);

    [DllImport(C, EntryPoint = "open")]
    public static extern int Open(byte* path, int flags);

    [DllImport(C, EntryPoint = "setns")]
    public static extern int SetNamespace(int descriptor, int kind);

    [DllImport(C, EntryPoint = "ioctl")]
    public static extern int Control(int descriptor, nuint request, void* argument);

    [DllImport(C, EntryPoint = "__errno_location")]
    private static extern int* ErrnoLocation();
}
