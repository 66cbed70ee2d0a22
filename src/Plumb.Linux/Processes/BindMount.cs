using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>A file or directory made visible at another, existing place (<c>mount --bind</c>).</summary>
public sealed record BindMount(string Source, string Target, bool ReadOnly = false)
{
    /// <param name="at">The target as the calling thread sees it.</param>
    internal void Make(string at)
    {
        var subject = $"{Source} at {at}";
        if (Libc.Mount(Source, at, null, Libc.MS_BIND | Libc.MS_REC, null) < 0)
        {
            throw SystemCallException.Last("mount --bind", subject);
        }
        // A remount states all attributes anew, and those that a more privileged namespace has set (nosuid of /run/user) cannot be left out.
        if (ReadOnly && Libc.SetMountAttributes(at, Libc.MOUNT_ATTR_RDONLY) < 0
            && Libc.Mount(null, at, null, Libc.MS_BIND | Libc.MS_REMOUNT | Libc.MS_RDONLY, null) < 0)
        {
            throw SystemCallException.Last("mount -o remount,ro", subject);
        }
    }
}
