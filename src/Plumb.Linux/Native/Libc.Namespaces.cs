using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

internal static partial class Libc
{
    public const int CLONE_FS = 0x200;
    public const int CLONE_NEWNS = 0x2_0000;
    public const int CLONE_NEWCGROUP = 0x200_0000;
    public const int CLONE_NEWUTS = 0x400_0000;
    public const int CLONE_NEWIPC = 0x800_0000;
    public const int CLONE_NEWUSER = 0x1000_0000;
    public const int CLONE_NEWPID = 0x2000_0000;
    public const int CLONE_NEWNET = 0x4000_0000;

    [LibraryImport(Name, EntryPoint = "unshare", SetLastError = true)]
    public static partial int Unshare(int flags);

    [LibraryImport(Name, EntryPoint = "setns", SetLastError = true)]
    public static partial int SetNamespace(int descriptor, int type);
}
