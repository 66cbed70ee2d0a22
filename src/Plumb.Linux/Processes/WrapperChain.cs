using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>
/// The programs that a child runs one after another before its own, each replacing the one before. Until the last has been replaced the
/// child is not yet what was asked for: its <c>/proc</c> is another's, its command line a wrapper's.
/// </summary>
/// <remarks>
/// None of those programs can mark a descriptor close-on-exec for the next. But the kernel tells (<c>inotify(7)</c>) when a program's file is
/// closed, and the last user of a program's file is the memory that <c>execve</c> replaces.
/// </remarks>
internal sealed unsafe class WrapperChain
{
    private const uint IN_CLOSE_NOWRITE = 0x10;
    private const int MostEventsBytes = 4096; // any event has a header of 16 bytes and a name of at most 256

    private readonly List<byte[]> _commandLines = [];

    /// <param name="wrappers">Each with its arguments.</param>
    /// <param name="words">Program and arguments behind all of them.</param>
    public WrapperChain(IReadOnlyList<IReadOnlyList<string>> wrappers, IReadOnlyList<string> words)
    {
        var rest = new List<string>();
        foreach (var wrapper in wrappers)
        {
            rest.AddRange(wrapper);
        }
        rest.AddRange(words);
        Arguments = rest;
        for (var (i, done) = (0, 0); i < wrappers.Count; done += wrappers[i++].Count)
        {
            _commandLines.Add(Encoding.UTF8.GetBytes(string.Join('\0', rest[done..]) + '\0'));
        }
    }

    /// <summary>Of the first wrapper, its name included.</summary>
    public List<string> Arguments { get; }

    /// <summary>Returns when the child's own program runs, or when the child has ended. Costs nothing but a look when it does already.</summary>
    /// <param name="process">A pidfd of the child.</param>
    public void WaitUntilReplaced(int pid, int process)
    {
        if (!Wraps(pid))
        {
            return;
        }
        using var notices = Open();
        var waits = stackalloc PollDescriptor[2];
        while (Watch(notices, pid) && Wraps(pid))
        {
            waits[0] = new PollDescriptor { Descriptor = notices.Number, Events = PollDescriptor.In };
            waits[1] = new PollDescriptor { Descriptor = process, Events = PollDescriptor.In };
            if (Libc.Poll(waits, 2, -1) < 0 && Libc.LastErrno != Errno.EINTR)
            {
                throw SystemCallException.Last("poll", $"the start of {pid}");
            }
            if (waits[1].Returned != 0)
            {
                return;
            }
            Forget(notices);
        }
    }

    // A command line is empty for a moment within execve, and for good when the process has ended; the notice and the pidfd tell which.
    private bool Wraps(int pid)
    {
        byte[] found;
        try
        {
            found = File.ReadAllBytes($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return false; // ended and reaped
        }
        return found.Length == 0 || _commandLines.Exists(line => found.AsSpan().SequenceEqual(line));
    }

    private static FileDescriptor Open()
    {
        var descriptor = Libc.InotifyInit(Libc.O_CLOEXEC | Libc.O_NONBLOCK);
        return descriptor >= 0 ? new FileDescriptor(descriptor) : throw SystemCallException.Last("inotify_init1");
    }

    // The file of whatever the child runs now. False when it has ended.
    private static bool Watch(FileDescriptor notices, int pid)
    {
        var program = $"/proc/{pid}/exe";
        return Libc.InotifyAddWatch(notices.Number, program, IN_CLOSE_NOWRITE) >= 0
            || (Libc.LastErrno == Errno.ENOENT ? false : throw SystemCallException.Last("inotify_add_watch", program));
    }

    private static void Forget(FileDescriptor notices)
    {
        var events = stackalloc byte[MostEventsBytes];
        while (Libc.Read(notices.Number, events, MostEventsBytes) > 0)
        {
        }
    }
}
