using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>
/// A directory whose content is in memory (tmpfs) and is seen by this process's mount namespace alone: files of users whom nobody outside could remove end with it,
/// however that is.
/// </summary>
public sealed class MemoryDirectory : IDisposable
{
    // As tmpfs counts them by itself: a page each.
    private const long BytesOfAFile = 4096;

    private readonly string _path;

    /// <param name="path">Made if it is missing.</param>
    /// <param name="mostBytes">What fits in; null: half of the machine's memory.</param>
    /// <exception cref="SystemCallException">The kernel refuses.</exception>
    public MemoryDirectory(string path, long? mostBytes = null)
    {
        _path = path;
        Directory.CreateDirectory(path);
        if (Libc.Mount("tmpfs", path, "tmpfs", Libc.MS_NOSUID | Libc.MS_NODEV, mostBytes is null ? "mode=0755" : $"mode=0755,size={mostBytes},nr_inodes={mostBytes / BytesOfAFile}") < 0)
        {
            throw SystemCallException.Last("mount -t tmpfs", path);
        }
    }

    public void Dispose() => _ = Libc.Unmount(_path, Libc.MNT_DETACH);
}
