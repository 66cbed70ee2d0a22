using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>A terminal made of two ends (<c>pty(7)</c>): a child has the one, Plumb reads and writes the other.</summary>
public sealed class PseudoTerminal : IDisposable
{
    private const nuint TIOCGPTPEER = 0x5441;
    private const nuint TIOCSPTLCK = 0x4004_5431;
    private const nuint TIOCSWINSZ = 0x5414;
    private const int O_NOCTTY = 0x100;

    private readonly FileDescriptor _master;
    private FileDescriptor? _slave;

    private PseudoTerminal(FileDescriptor master, FileDescriptor slave, FileDescriptor writing)
    {
        _master = master;
        _slave = slave;
        Output = new DescriptorStream(new FileDescriptor(Duplicate(master)), canWrite: false);
        Input = new DescriptorStream(writing, canWrite: true);
    }

    /// <summary>What the child writes; ends when the last process that has the terminal has closed it.</summary>
    public Stream Output { get; }

    /// <summary>What the child reads, as if typed.</summary>
    public Stream Input { get; }

    internal FileDescriptor Slave => _slave ?? throw new InvalidOperationException("a child has this terminal already");

    /// <exception cref="SystemCallException">No terminal is left (ENOSPC), or <c>/dev/ptmx</c> is missing.</exception>
    public static unsafe PseudoTerminal Open(int rows = 24, int columns = 80)
    {
        var descriptor = Libc.OpenPseudoTerminal((int)OpenFlags.ReadWrite | O_NOCTTY | Libc.O_CLOEXEC);
        var master = descriptor >= 0 ? new FileDescriptor(descriptor) : throw SystemCallException.Last("posix_openpt");
        try
        {
            var locked = 0;
            if (Libc.Ioctl(master.Number, TIOCSPTLCK, (nint)(&locked)) < 0)
            {
                throw SystemCallException.Last("ioctl", "TIOCSPTLCK");
            }
            var slave = Libc.Ioctl(master.Number, TIOCGPTPEER, (int)OpenFlags.ReadWrite | O_NOCTTY | Libc.O_CLOEXEC);
            if (slave < 0)
            {
                throw SystemCallException.Last("ioctl", "TIOCGPTPEER");
            }
            var terminal = new PseudoTerminal(master, new FileDescriptor(slave), new FileDescriptor(Duplicate(master)));
            terminal.Resize(rows, columns);
            return terminal;
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>Tells the child the size of the window in characters; it gets SIGWINCH.</summary>
    public unsafe void Resize(int rows, int columns)
    {
        var size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        if (Libc.Ioctl(_master.Number, TIOCSWINSZ, (nint)size) < 0)
        {
            throw SystemCallException.Last("ioctl", "TIOCSWINSZ");
        }
    }

    /// <summary>Lets this user open it by name, as login(1) does.</summary>
    public void GiveTo(uint user)
    {
        if (Libc.ChangeOwner(Slave.Number, user, uint.MaxValue) < 0)
        {
            throw SystemCallException.Last("fchown", "the terminal");
        }
    }

    public void Dispose()
    {
        _slave?.Dispose();
        Output.Dispose();
        Input.Dispose();
        _master.Dispose();
    }

    /// <summary>Once a child has it, the own copy goes: else the child's end would not be seen.</summary>
    internal void GivenAway()
    {
        _slave?.Dispose();
        _slave = null;
    }

    private static int Duplicate(SafeHandle descriptor)
    {
        var copy = Libc.FileControl((int)descriptor.DangerousGetHandle(), Libc.F_DUPFD_CLOEXEC, 3);
        return copy >= 0 ? copy : throw SystemCallException.Last("fcntl", "F_DUPFD_CLOEXEC");
    }
}
