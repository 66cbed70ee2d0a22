using Plumb.Linux.Native;

namespace Plumb.Linux.Sysctls;

/// <summary>
/// Opens many files below <c>/proc/sys</c>, and each folder on their ways once. All network namespaces have their <c>net</c> in one folder, under one name: the
/// kernel compares its way through those of all of them (<c>proc_sys_compare</c>), which with a thousand pods takes longer than all else.
/// </summary>
internal sealed class SysctlFolders : IDisposable
{
    private readonly Dictionary<string, (FileDescriptor? Folder, Errno Errno)> _folders = new(StringComparer.Ordinal);

    /// <param name="path">Relative to <c>/proc/sys</c>.</param>
    public (FileDescriptor? File, Errno Errno) Open(string path, OpenFlags flags)
    {
        var slash = path.LastIndexOf('/');
        var (folder, errno) = Folder(slash < 0 ? "" : path[..slash]);
        return folder is null ? (null, errno) : Opened(Libc.OpenAt(folder.Number, path[(slash + 1)..], (int)flags | Libc.O_CLOEXEC, 0));
    }

    public void Dispose()
    {
        foreach (var (folder, _) in _folders.Values)
        {
            folder?.Dispose();
        }
    }

    private (FileDescriptor? Folder, Errno Errno) Folder(string path) =>
        _folders.TryGetValue(path, out var known) ? known
        : _folders[path] = path.Length == 0 ? Opened(ParameterMount.Open()) : Open(path, OpenFlags.Path);

    private static (FileDescriptor?, Errno) Opened(int descriptor) => descriptor >= 0 ? (new FileDescriptor(descriptor), Errno.None) : (null, Libc.LastErrno);
}
