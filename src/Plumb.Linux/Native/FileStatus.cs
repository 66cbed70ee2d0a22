using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>What the kernel knows about a file (<c>statx(2)</c>), so far as .NET does not tell: its owner, and which file it is.</summary>
/// <param name="OwnerId">User id as this process's user namespace maps it; 65534 for one that it does not map.</param>
public readonly record struct FileStatus(FileType Type, UnixFileMode Mode, uint OwnerId, FileIdentity Identity)
{
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC_STATS = 0x7ff;

    // struct statx (linux/stat.h) has one layout on every architecture.
    private const int SizeOfStatX = 256;
    private const int OwnerOffset = 20;
    private const int ModeOffset = 28;
    private const int InodeOffset = 32;
    private const int DeviceMajorOffset = 136;
    private const int TypeMask = 0xf000; // S_IFMT
    private const int PermissionMask = 0xfff;

    /// <summary>Of the path itself: a symbolic link is not followed. Null when nothing is there.</summary>
    /// <exception cref="SystemCallException">The kernel refuses for another reason.</exception>
    public static unsafe FileStatus? TryOfLink(string path)
    {
        var buffer = stackalloc byte[SizeOfStatX];
        if (Libc.StatX(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, buffer) >= 0)
        {
            return Read(new ReadOnlySpan<byte>(buffer, SizeOfStatX));
        }
        return (Errno)Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ENOTDIR ? null : throw SystemCallException.Last("statx", path);
    }

    public static unsafe FileStatus Of(SafeHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var buffer = stackalloc byte[SizeOfStatX];
        var kept = false;
        try
        {
            file.DangerousAddRef(ref kept);
            return Libc.StatX((int)file.DangerousGetHandle(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, buffer) >= 0
                ? Read(new ReadOnlySpan<byte>(buffer, SizeOfStatX))
                : throw SystemCallException.Last("statx");
        }
        finally
        {
            if (kept)
            {
                file.DangerousRelease();
            }
        }
    }

    private static FileStatus Read(ReadOnlySpan<byte> statx)
    {
        var mode = MemoryMarshal.Read<ushort>(statx[ModeOffset..]);
        return new FileStatus(
            (FileType)(mode & TypeMask),
            (UnixFileMode)(mode & PermissionMask),
            MemoryMarshal.Read<uint>(statx[OwnerOffset..]),
            new FileIdentity(MemoryMarshal.Read<ulong>(statx[DeviceMajorOffset..]), MemoryMarshal.Read<ulong>(statx[InodeOffset..])));
    }
}

/// <summary>S_IF* of <c>linux/stat.h</c>.</summary>
public enum FileType
{
    Pipe = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    SymbolicLink = 0xa000,
    Socket = 0xc000,
}
