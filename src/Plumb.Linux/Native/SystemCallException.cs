using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>A system call failed: says which, on what, and the kernel's reason.</summary>
public sealed class SystemCallException : IOException
{
    public SystemCallException(string call, Errno errno, string? subject = null)
        : base($"{call}{(subject is null ? "" : " " + subject)}: {errno.Describe()}")
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The call's name as in section 2 of the manual.</summary>
    public string Call { get; }

    public Errno Errno { get; }

    /// <summary>The exception for a call that has just returned −1 on this thread.</summary>
    internal static SystemCallException Last(string call, string? subject = null) =>
        new(call, (Errno)Marshal.GetLastPInvokeError(), subject);
}
