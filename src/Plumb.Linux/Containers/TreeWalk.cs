using System.Runtime.InteropServices;
using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>
/// Places below a directory, found as a process whose root that directory is would find them: links on the way are followed by the kernel, and none leads out
/// (<c>openat2(2)</c>, Linux 5.6). What an image or a container has put there is whatever it wanted to be.
/// </summary>
public sealed class TreeWalk : IDisposable
{
    private const ulong RESOLVE_NO_MAGICLINKS = 0x02;
    private const ulong RESOLVE_BENEATH = 0x08;
    private const ulong RESOLVE_IN_ROOT = 0x10;
    private const ulong O_PATH = 0x20_0000;
    private const ulong O_CLOEXEC = 0x8_0000;
    private const int MostLinks = 40; // MAXSYMLINKS of linux/namei.h

    private readonly FileDescriptor _root;
    private readonly string _path;
    private readonly bool _beneath;

    /// <param name="beneath">A way that leads out is refused (EXDEV), by <c>..</c> or by a link that begins with a slash; else such a way stays at the root.</param>
    /// <exception cref="SystemCallException">There is no such directory.</exception>
    public TreeWalk(string root, bool beneath = false)
    {
        _root = FileDescriptor.Open(root, OpenFlags.Path);
        _path = NameOf(_root);
        _beneath = beneath;
    }

    /// <summary>What directories that are made here have; null: what the process's umask(2) leaves.</summary>
    public UnixFileMode? NewMode { get; init; }

    /// <returns>The path of what is there, without a link in it; null when nothing is.</returns>
    /// <exception cref="SystemCallException">Links lead in a circle (ELOOP), or out (EXDEV).</exception>
    public string? Find(string path)
    {
        using var found = Open(path);
        return found is null ? null : NameOf(found);
    }

    /// <summary>The text of a regular file, or its beginning; null when there is none.</summary>
    /// <exception cref="SystemCallException">Links lead in a circle (ELOOP), or out (EXDEV).</exception>
    public string? Read(string path, int mostBytes)
    {
        using var found = Open(path);
        if (found is null || FileStatus.Of(found).Type != FileType.Regular)
        {
            return null;
        }
        using var file = new FileStream($"/proc/self/fd/{found.Number}", FileMode.Open, FileAccess.Read);
        var bytes = new byte[mostBytes];
        return Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, mostBytes, throwOnEndOfStream: false));
    }

    /// <summary>The directory at a place, made with those on the way to it where they are missing.</summary>
    /// <param name="replace">Called with what is no directory and stands in the way; null: ENOTDIR.</param>
    public string MakeDirectory(string path, Action<string>? replace = null) => Make(path, replace, MostLinks);

    /// <summary>The file at a place, made empty where it is missing.</summary>
    public string MakeFile(string path)
    {
        for (var left = MostLinks; left > 0; left--)
        {
            if (Find(path) is { } there)
            {
                return there;
            }
            var (parent, name) = Split(path);
            var place = Path.Combine(Make(parent, null, MostLinks), name);
            if (new FileInfo(place).LinkTarget is not { } target)
            {
                File.WriteAllBytes(place, []);
                return place;
            }
            path = Behind(place, target);
        }
        throw new SystemCallException("openat2", Errno.ELOOP, path);
    }

    public void Dispose() => _root.Dispose();

    private string Make(string path, Action<string>? replace, int links)
    {
        using (var found = Open(path))
        {
            if (found is not null && FileStatus.Of(found).Type == FileType.Directory)
            {
                return NameOf(found);
            }
        }
        if (links == 0)
        {
            throw new SystemCallException("openat2", Errno.ELOOP, path);
        }
        var (parent, name) = Split(path);
        var place = Path.Combine(Make(parent, replace, links), name);
        if (new FileInfo(place).LinkTarget is { } target)
        {
            return Make(Behind(place, target), replace, links - 1);
        }
        if (Path.Exists(place))
        {
            (replace ?? throw new SystemCallException("mkdir", Errno.ENOTDIR, path))(place);
        }
        Directory.CreateDirectory(place);
        if (NewMode is { } mode)
        {
            File.SetUnixFileMode(place, mode);
        }
        return place;
    }

    /// <summary>Where a link leads to that leads to nothing yet, as a path from the root.</summary>
    private string Behind(string link, string target) =>
        target.StartsWith('/') ? _beneath ? throw new SystemCallException("openat2", Errno.EXDEV, target) : target
        : Path.GetDirectoryName(link)![_path.Length..] + "/" + target;

    // Not by Path: it would take `a/..` for nothing, also where a is a link.
    private static (string Parent, string Name) Split(string path)
    {
        path = path.TrimEnd('/');
        var end = path.LastIndexOf('/');
        return path[(end + 1)..] is not ("" or "." or "..") and var name ? (path[..Math.Max(end, 0)], name) : throw new SystemCallException("openat2", Errno.ENOENT, path);
    }

    private unsafe FileDescriptor? Open(string path)
    {
        path = path.TrimStart('/');
        // struct open_how: flags, mode, resolve
        var how = stackalloc ulong[3] { O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS | (_beneath ? RESOLVE_BENEATH : RESOLVE_IN_ROOT) };
        var descriptor = Libc.OpenAt2(_root.Number, path.Length == 0 ? "." : path, (nint)how, 3 * sizeof(ulong));
        return descriptor >= 0 ? new FileDescriptor(descriptor)
            : (Errno)Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ENOTDIR ? null
            : throw SystemCallException.Last("openat2", path);
    }

    private static string NameOf(FileDescriptor place) => new FileInfo($"/proc/self/fd/{place.Number}").LinkTarget!;
}
