using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>
/// A directory whose content is in memory (tmpfs) and is seen by this process's mount namespace alone: files of users whom nobody outside could remove end with it,
/// however that is.
/// </summary>
public sealed class MemoryDirectory : IDisposable
{
    private readonly string _path;

    /// <param name="path">Made if it is missing.</param>
    /// <exception cref="SystemCallException">The kernel refuses.</exception>
    public MemoryDirectory(string path)
    {
        _path = path;
        Directory.CreateDirectory(path);
        if (Libc.Mount("tmpfs", path, "tmpfs", Libc.MS_NOSUID | Libc.MS_NODEV, "mode=0755") < 0)
        {
            throw SystemCallException.Last("mount -t tmpfs", path);
        }
    }

    public void Dispose() => _ = Libc.Unmount(_path, Libc.MNT_DETACH);
}
