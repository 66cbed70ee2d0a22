using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>What makes two descriptors the same file: device and inode. For a namespace: whether it is the same namespace.</summary>
public readonly record struct FileIdentity(ulong Device, ulong Inode)
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_INO = 0x100;

    // struct statx (linux/stat.h) has one layout on every architecture.
    private const int SizeOfStatX = 256;
    private const int InodeOffset = 32;
    private const int DeviceMajorOffset = 136;

    public static unsafe FileIdentity Of(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var buffer = stackalloc byte[SizeOfStatX];
        if (Libc.StatX(file.Number, "", AT_EMPTY_PATH, STATX_INO, buffer) < 0)
        {
            throw SystemCallException.Last("statx");
        }
        var bytes = new ReadOnlySpan<byte>(buffer, SizeOfStatX);
        return new FileIdentity(MemoryMarshal.Read<ulong>(bytes[DeviceMajorOffset..]), MemoryMarshal.Read<ulong>(bytes[InodeOffset..]));
    }
}
