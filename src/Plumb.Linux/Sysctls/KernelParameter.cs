using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sysctls;

/// <summary>A kernel parameter of a namespace, and what it is to be.</summary>
/// <param name="Path">Below <c>/proc/sys</c>: <c>net/ipv4/tcp_syncookies</c>.</param>
/// <param name="IsOptional">A kernel without it is no worse for that.</param>
public sealed record KernelParameter(string Path, string Value, bool IsOptional = false)
{
    /// <summary>Writes parameters of a network namespace.</summary>
    /// <exception cref="SystemCallException">There is none of that name, or the kernel refuses the value (EINVAL).</exception>
    public static void Write(NetworkNamespace inside, IReadOnlyList<KernelParameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(inside);
        ArgumentNullException.ThrowIfNull(parameters);
        var files = SysctlFile.Open(inside, [.. parameters.Select(static one => one.Path)], OpenFlags.WriteOnly);
        try
        {
            foreach (var (one, (file, absent)) in parameters.Zip(files))
            {
                var errno = file is null ? absent : SysctlFile.Write(file, one.Value);
                if (errno != Errno.None && !(file is null && one.IsOptional))
                {
                    throw new SystemCallException("write", errno, $"\"{one.Value}\" to /proc/sys/{one.Path}");
                }
            }
        }
        finally
        {
            foreach (var (file, _) in files)
            {
                file?.Dispose();
            }
        }
    }

    /// <summary>Writes a parameter of a namespace that the calling thread is in.</summary>
    /// <returns>False: it belongs to somebody else, as those of ipc namespaces do in an ordinary user's before Linux 6.11.</returns>
    /// <exception cref="SystemCallException">There is none of that name, or the kernel refuses the value.</exception>
    internal bool TryWriteHere()
    {
        using var folders = new SysctlFolders();
        var (file, errno) = folders.Open(Path, OpenFlags.WriteOnly);
        using (file)
        {
            errno = file is null ? errno : SysctlFile.Write(file, Value);
        }
        return errno switch
        {
            Errno.None => true,
            Errno.EACCES or Errno.EPERM => false,
            _ => throw new SystemCallException("write", errno, $"\"{Value}\" to /proc/sys/{Path}"),
        };
    }
}
