using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>A file descriptor that closes itself. Every descriptor that Plumb opens is close-on-exec.</summary>
public class FileDescriptor : SafeHandle
{
    public FileDescriptor(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    public sealed override bool IsInvalid => handle < 0;

    /// <summary>The number; valid only while the object is alive and not disposed.</summary>
    public int Number
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (int)handle;
        }
    }

    /// <summary>Opens a file; failure names the path.</summary>
    /// <exception cref="SystemCallException">The kernel refuses.</exception>
    public static FileDescriptor Open(string path, OpenFlags flags)
    {
        var descriptor = Libc.Open(path, (int)flags | Libc.O_CLOEXEC, 0);
        return descriptor >= 0 ? new FileDescriptor(descriptor) : throw SystemCallException.Last("open", path);
    }

    /// <summary>Gives the descriptor away: the number is returned and will not be closed by this object.</summary>
    public int Release()
    {
        var number = Number;
        SetHandleAsInvalid();
        return number;
    }

    protected sealed override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}

/// <summary>Flags of <c>open(2)</c> that have the same value on every architecture that .NET runs on.</summary>
[Flags]
public enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    NoControllingTerminal = 0x100,
    NonBlocking = 0x800,

    /// <summary>O_PATH: the place in the tree, not the content.</summary>
    Path = 0x20_0000,
}
