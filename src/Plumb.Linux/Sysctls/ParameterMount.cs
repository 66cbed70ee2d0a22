using Plumb.Linux.Native;

namespace Plumb.Linux.Sysctls;

/// <summary>
/// Where kernel parameters are opened: <c>/proc/sys</c>, unless that may only be read. Container runtimes mount it so over itself for all but privileged containers; whoever
/// has CAP_SYS_ADMIN can have another instance of procfs, attached nowhere, whose parameters are the same. An agent needs no other privilege of a container's for them.
/// </summary>
internal static class ParameterMount
{
    private const string Path = "/proc/sys";

    // The mount lives as long as the process. Null: as usual.
    private static readonly Lazy<FileDescriptor?> _other = new(static () => IsReadOnly(File.ReadLines("/proc/self/mountinfo")) ? Mount() : null);

    /// <summary>Opens its root; negative with the reason in errno.</summary>
    public static int Open() => _other.Value is { } other
        ? Libc.OpenAt(other.Number, "sys", (int)OpenFlags.Path | Libc.O_CLOEXEC, 0)
        : Libc.Open(Path, (int)OpenFlags.Path | Libc.O_CLOEXEC, 0);

    /// <param name="mounts">Lines of <c>/proc/self/mountinfo</c>: <c>man 5 proc</c>.</param>
    public static bool IsReadOnly(IEnumerable<string> mounts)
    {
        var readOnly = false;
        foreach (var line in mounts)
        {
            // id, parent, device, root, mount point, options; the last one at a place covers those before.
            var fields = line.Split(' ', 7);
            if (fields.Length == 7 && fields[4] == Path)
            {
                readOnly = fields[5].Split(',').Contains("ro");
            }
        }
        return readOnly;
    }

    // Who may not gets none: then each write says that the file system is read-only.
    private static FileDescriptor? Mount()
    {
        var context = Libc.OpenFileSystem("proc");
        if (context < 0)
        {
            return null;
        }
        using var held = new FileDescriptor(context);
        if (Libc.CreateFileSystem(context) < 0)
        {
            return null;
        }
        var mount = Libc.MountFileSystem(context);
        return mount < 0 ? null : new FileDescriptor(mount);
    }
}
