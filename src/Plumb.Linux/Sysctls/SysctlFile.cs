using System.Text;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sysctls;

/// <summary>
/// Files below <c>/proc/sys/net</c>. Which namespace such a file speaks of is decided when it is opened, by where the thread is
/// that opens it; it can be read and written from anywhere.
/// </summary>
internal static class SysctlFile
{
    /// <summary>Opens all of them in one visit; null where a path does not exist (its device is gone, or the kernel lacks the parameter).</summary>
    /// <param name="paths">Below <c>/proc/sys</c>: <c>net/ipv4/ip_forward</c>.</param>
    public static (FileDescriptor? File, Errno Errno)[] Open(NetworkNamespace inside, IReadOnlyList<string> paths, OpenFlags flags)
    {
        var files = new (FileDescriptor? File, Errno Errno)[paths.Count];
        inside.Run(() =>
        {
            using var folders = new SysctlFolders();
            for (var i = 0; i < files.Length; i++)
            {
                files[i] = folders.Open(paths[i], flags);
            }
            return 0;
        });
        return files;
    }

    /// <summary>The value without the newline; null when the kernel refuses to tell it.</summary>
    public static unsafe string? Read(FileDescriptor file)
    {
        const int longest = 4096;
        var buffer = stackalloc byte[longest];
        var length = Libc.Read(file.Number, buffer, longest);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer, (int)length).TrimEnd('\n');
    }

    /// <summary>The kernel's reason when it refuses, else <see cref="Errno.None"/>.</summary>
    public static unsafe Errno Write(FileDescriptor file, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value + "\n");
        fixed (byte* first = bytes)
        {
            return Libc.Write(file.Number, first, (nuint)bytes.Length) == bytes.Length ? Errno.None : Libc.LastErrno;
        }
    }
}
