using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Plumb.Cni;

/// <summary>System calls by their manual's names, without a C library. A negative number is an errno (asm/unistd_64.h, asm-generic/errno-base.h).</summary>
internal static unsafe class SystemCalls
{
    public const nint ENOENT = 2;
    public const nint EINTR = 4;
    public const nint ENAMETOOLONG = 36;
    public const int AF_UNIX = 1;
    public const int AF_INET = 2;
    public const int SOCK_STREAM = 1;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_CLOEXEC = 0x8_0000;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int O_CLOEXEC = 0x8_0000;
    public const int CLONE_NEWNET = 0x4000_0000;
    public const nint SIOCGIFFLAGS = 0x8913;
    public const nint SIOCSIFFLAGS = 0x8914;

    private const int PROT_READ = 1;
    private const int PROT_WRITE = 2;
    private const int MAP_PRIVATE = 2;
    private const int MAP_ANONYMOUS = 0x20;
    private const int MREMAP_MAYMOVE = 1;
    private const nint LastErrno = 4095; // MAX_ERRNO of linux/err.h

    public static nint Read(int descriptor, byte* into, nint length) => Call(0, descriptor, (nint)into, length, 0, 0, 0);

    public static nint Write(int descriptor, byte* bytes, nint length) => Call(1, descriptor, (nint)bytes, length, 0, 0, 0);

    public static int Open(byte* path, int flags) => (int)Call(2, (nint)path, flags, 0, 0, 0, 0);

    public static nint Control(int descriptor, nint request, void* argument) => Call(16, descriptor, request, (nint)argument, 0, 0, 0);

    public static int Socket(int family, int type, int protocol) => (int)Call(41, family, type, protocol, 0, 0, 0);

    public static nint Connect(int descriptor, byte* address, nint length) => Call(42, descriptor, (nint)address, length, 0, 0, 0);

    public static nint Send(int descriptor, byte* bytes, nint length, int flags) => Call(44, descriptor, (nint)bytes, length, flags, 0, 0);

    public static nint SetNamespace(int descriptor, int kind) => Call(308, descriptor, kind, 0, 0, 0, 0);

    /// <summary>Memory that is the process's until it ends.</summary>
    public static byte* Map(nint length) => There(Call(9, 0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    /// <summary>The same bytes where there is more room.</summary>
    public static byte* Remap(byte* start, nint length, nint more) => There(Call(25, (nint)start, length, more, MREMAP_MAYMOVE, 0, 0));

    private static byte* There(nint address)
    {
        if ((nuint)address > unchecked((nuint)(-LastErrno - 1)))
        {
            // exit_group: a runtime tells it as a plugin that failed without a word, which is all that can be said without memory.
            _ = Call(231, 1, 0, 0, 0, 0, 0);
        }
        return (byte*)address;
    }

    /// <summary>The instruction <c>syscall</c>, which stands in the place of each call of this (Plumb.Cni.Compiler): its number and six arguments.</summary>
    [DllImport("linux", EntryPoint = "syscall")]
    private static extern nint Call(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);
}
