using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

internal static partial class Libc
{
    public const short POSIX_SPAWN_SETSIGDEF = 0x04;
    public const short POSIX_SPAWN_SETSIGMASK = 0x08;
    public const short POSIX_SPAWN_SETSID = 0x80;

    public const nint SIG_DFL = 0;
    public const nint SIG_ERR = -1;

    public const int P_ALL = 0;
    public const int P_PID = 1;
    public const int WNOHANG = 1;
    public const int WEXITED = 4;
    public const int WNOWAIT = 0x0100_0000;

    public const int MS_RDONLY = 0x1;
    public const int MS_NOSUID = 0x2;
    public const int MS_NODEV = 0x4;
    public const int MS_NOEXEC = 0x8;
    public const int MS_REMOUNT = 0x20;
    public const int MS_BIND = 0x1000;
    public const int MS_REC = 0x4000;
    public const int MS_SLAVE = 0x8_0000;

    public const int MNT_DETACH = 2;
    public const int AT_FDCWD = -100;
    public const uint AT_RECURSIVE = 0x8000;
    public const ulong MOUNT_ATTR_RDONLY = 1;
    public const ulong MOUNT_ATTR_NOSUID = 2;
    public const ulong MOUNT_ATTR_NODEV = 4;
    public const ulong MOUNT_ATTR_NOEXEC = 8;

    public const int F_GETFL = 3;
    public const int F_SETFL = 4;
    public const int F_DUPFD_CLOEXEC = 1030;
    public const int O_NONBLOCK = 0x800;

    public const int X_OK = 1;
    public const int W_OK = 2;

    // System calls since 424 have one number on every architecture.
    private const nint SYS_pidfd_send_signal = 424;
    private const nint SYS_openat2 = 437;
    private const nint SYS_pidfd_open = 434;
    private const nint SYS_fsopen = 430;
    private const nint SYS_fsconfig = 431;
    private const nint SYS_fsmount = 432;
    private const nint SYS_close_range = 436;
    private const nint SYS_mount_setattr = 442;
    private const nint CLOSE_RANGE_CLOEXEC = 4;

    // linux/mount.h
    private const nint FSOPEN_CLOEXEC = 1;
    private const nint FSMOUNT_CLOEXEC = 1;
    private const nint FSCONFIG_CMD_CREATE = 6;

    [LibraryImport(Name, EntryPoint = "geteuid")]
    public static partial uint EffectiveUserId();

    [LibraryImport(Name, EntryPoint = "execve", SetLastError = true)]
    public static unsafe partial int Execute(byte* path, byte** arguments, byte** environment);

    /// <summary>Returns the error number; <c>errno</c> is not set. The child has the namespaces and the root of the calling thread.</summary>
    [LibraryImport(Name, EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    public static int ProcessControl(int option, nuint second, nuint third) => ProcessControl(option, second, third, 0, 0);

    [LibraryImport(Name, EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int PosixSpawn(int* pid, string path, byte* fileActions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_init")]
    public static unsafe partial int SpawnFileActionsInit(byte* fileActions);

    [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_destroy")]
    public static unsafe partial int SpawnFileActionsDestroy(byte* fileActions);

    [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static unsafe partial int SpawnFileActionsAddDup2(byte* fileActions, int descriptor, int inChild);

    [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int SpawnFileActionsAddOpen(byte* fileActions, int inChild, string path, int flags, uint mode);

    [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int SpawnFileActionsAddChangeDirectory(byte* fileActions, string path);

    [LibraryImport(Name, EntryPoint = "posix_spawnattr_init")]
    public static unsafe partial int SpawnAttributesInit(byte* attributes);

    [LibraryImport(Name, EntryPoint = "posix_spawnattr_destroy")]
    public static unsafe partial int SpawnAttributesDestroy(byte* attributes);

    [LibraryImport(Name, EntryPoint = "posix_spawnattr_setflags")]
    public static unsafe partial int SpawnAttributesSetFlags(byte* attributes, short flags);

    [LibraryImport(Name, EntryPoint = "posix_spawnattr_setsigdefault")]
    public static unsafe partial int SpawnAttributesSetDefaultSignals(byte* attributes, byte* signalSet);

    [LibraryImport(Name, EntryPoint = "posix_spawnattr_setsigmask")]
    public static unsafe partial int SpawnAttributesSetSignalMask(byte* attributes, byte* signalSet);

    /// <summary>Returns the disposition before, or <see cref="SIG_ERR"/>.</summary>
    [LibraryImport(Name, EntryPoint = "signal", SetLastError = true)]
    public static partial nint SetSignalDisposition(int signal, nint disposition);

    [LibraryImport(Name, EntryPoint = "sigfillset")]
    public static unsafe partial int SignalSetFill(byte* signalSet);

    [LibraryImport(Name, EntryPoint = "waitid", SetLastError = true)]
    public static unsafe partial int WaitId(int idType, uint id, byte* signalInfo, int options);

    [LibraryImport(Name, EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    /// <param name="group">uint.MaxValue: stays.</param>
    [LibraryImport(Name, EntryPoint = "fchown", SetLastError = true)]
    public static partial int ChangeOwner(int file, uint user, uint group);

    /// <summary>Of a link itself, not of what it leads to.</summary>
    [LibraryImport(Name, EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport(Name, EntryPoint = "pipe2", SetLastError = true)]
    public static unsafe partial int Pipe(int* descriptors, int flags);

    [LibraryImport(Name, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(int descriptor, int command, nint argument);

    [LibraryImport(Name, EntryPoint = "posix_openpt", SetLastError = true)]
    public static partial int OpenPseudoTerminal(int flags);

    [LibraryImport(Name, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string? source, string target, string? fileSystem, nuint flags, string? data);

    [LibraryImport(Name, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport(Name, EntryPoint = "sethostname", SetLastError = true)]
    public static unsafe partial int SetHostName(byte* name, nuint length);

    [LibraryImport(Name, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport(Name, EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Link(string file, string name);

    /// <summary>The C library of Debian 12 has none (Linux 5.6).</summary>
    public static unsafe int OpenAt2(int directory, string path, nint how, nint size)
    {
        using var name = new StringVector([path]);
        return (int)SystemCall(SYS_openat2, directory, (nint)name.Pointers[0], how, size);
    }

    public static int OpenProcessDescriptor(int pid) => (int)SystemCall(SYS_pidfd_open, pid, 0, 0, 0);

    public static int SendSignal(int processDescriptor, int signal) => (int)SystemCall(SYS_pidfd_send_signal, processDescriptor, signal, 0, 0);

    /// <summary>Makes every open descriptor from this one on close-on-exec (Linux 5.11); fails on older kernels.</summary>
    public static int CloseOnExecFrom(int first) => (int)SystemCall(SYS_close_range, first, unchecked((nint)(long)uint.MaxValue), CLOSE_RANGE_CLOEXEC, 0);

    /// <summary>Sets attributes of a mount and of all below it, and leaves those alone that are not named: others may not be the caller's to clear (Linux 5.12).</summary>
    public static unsafe int SetMountAttributes(string path, ulong attributes)
    {
        using var name = new StringVector([path]);
        // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
        var wanted = stackalloc ulong[4] { attributes, 0, 0, 0 };
        return (int)SystemCall(SYS_mount_setattr, AT_FDCWD, (nint)name.Pointers[0], (nint)AT_RECURSIVE, (nint)wanted, 4 * sizeof(ulong));
    }

    /// <summary>A file system of a type that is yet to be configured (Linux 5.2); closed on exec.</summary>
    public static unsafe int OpenFileSystem(string type)
    {
        using var name = new StringVector([type]);
        return (int)SystemCall(SYS_fsopen, (nint)name.Pointers[0], FSOPEN_CLOEXEC, 0, 0);
    }

    public static int CreateFileSystem(int context) => (int)SystemCall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);

    /// <summary>The root of a mount of it that is attached nowhere; closed on exec.</summary>
    public static int MountFileSystem(int context) => (int)SystemCall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0, 0);

    /// <summary>The C library has none. On x86-64 it is older than the numbers that all architectures share.</summary>
    public static unsafe int PivotRoot(string newRoot, string putOld)
    {
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 155 : 41;
        using var names = new StringVector([newRoot, putOld]);
        return (int)SystemCall(number, (nint)names.Pointers[0], (nint)names.Pointers[1], 0, 0);
    }

    /// <summary>Back to root, for a thread that has kept it as its saved user: with the user come the rights by which the rest is set.</summary>
    public static unsafe int ResetThreadIds()
    {
        var (setGroups, setGroupIds, setUserIds) = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? ((nint)116, (nint)119, (nint)117) : (159, 149, 147);
        return SystemCall(setUserIds, 0, 0, 0, 0) < 0 || SystemCall(setGroupIds, 0, 0, 0, 0) < 0 ? -1 : (int)SystemCall(setGroups, 0, 0, 0, 0);
    }

    /// <summary>
    /// User, group and supplementary groups of the calling thread alone: the C library's functions of these names change all threads'. <c>-1</c> leaves an id.
    /// </summary>
    public static unsafe int SetThreadIds(uint user, uint group, ReadOnlySpan<uint> groups, uint savedUser)
    {
        var (setGroups, setGroupIds, setUserIds) = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? ((nint)116, (nint)119, (nint)117) : (159, 149, 147);
        fixed (uint* list = groups)
        {
            if (SystemCall(setGroups, groups.Length, (nint)list, 0, 0) < 0)
            {
                return -1;
            }
        }
        return SystemCall(setGroupIds, (nint)group, (nint)group, (nint)group, 0) < 0 ? -1 : (int)SystemCall(setUserIds, (nint)user, (nint)user, (nint)savedUser, 0);
    }

    /// <summary>The calling thread's capabilities, effective and permitted; none is inheritable (capset(2), which the C library lacks).</summary>
    public static unsafe int SetCapabilities(ulong capabilities)
    {
        var (low, high) = ((uint)capabilities, (uint)(capabilities >> 32));
        // struct __user_cap_header_struct: version 3, this thread; two of struct __user_cap_data_struct: effective, permitted, inheritable
        var header = stackalloc uint[2] { 0x2008_0522, 0 };
        var data = stackalloc uint[6] { low, low, 0, high, high, 0 };
        return (int)SystemCall(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 126 : 91, (nint)header, (nint)data, 0, 0);
    }

    /// <summary>Leaves the calling thread's effective and permitted capabilities as they are, and makes none inheritable (capget(2), capset(2)).</summary>
    public static unsafe int ClearInheritableCapabilities()
    {
        var (get, set) = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? ((nint)125, (nint)126) : (90, 91);
        var header = stackalloc uint[2] { 0x2008_0522, 0 };
        var data = stackalloc uint[6];
        if (SystemCall(get, (nint)header, (nint)data, 0, 0) < 0)
        {
            return -1;
        }
        data[2] = data[5] = 0;
        return (int)SystemCall(set, (nint)header, (nint)data, 0, 0);
    }

    /// <summary>A session keyring of the caller's own, with nothing in it (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING).</summary>
    public static int JoinNewSessionKeyring() => (int)SystemCall(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 250 : 219, 1, 0, 0, 0);

    /// <summary>Sets both limits of this process (prlimit(2)) where they are not lower already.</summary>
    public static unsafe int LowerLimit(int resource, ulong most)
    {
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 302 : 261;
        // struct rlimit64: soft, hard
        var limit = stackalloc ulong[2];
        if (SystemCall(number, 0, resource, 0, (nint)limit) < 0)
        {
            return -1;
        }
        (limit[0], limit[1]) = (Math.Min(limit[0], most), Math.Min(limit[1], most));
        return (int)SystemCall(number, 0, resource, (nint)limit, 0);
    }

    [LibraryImport(Name, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth);

    [LibraryImport(Name, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth, nint fifth);

    /// <summary>The copy is not closed on exec.</summary>
    [LibraryImport(Name, EntryPoint = "dup2", SetLastError = true)]
    public static partial int Duplicate(int descriptor, int asDescriptor);

    /// <param name="process">Negative: all processes of this group.</param>
    [LibraryImport(Name, EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);
}
