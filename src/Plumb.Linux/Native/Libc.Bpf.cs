using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

internal static partial class Libc
{
    /// <summary><c>__NR_bpf</c>: libc has no wrapper of it.</summary>
    public static readonly nint SYS_bpf = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321;

    [LibraryImport(Name, EntryPoint = "syscall", SetLastError = true)]
    public static unsafe partial nint Bpf(nint number, nint command, void* attribute, nint length);
}
