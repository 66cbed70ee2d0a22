using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>
/// Tells in which of some directories files come, go or are written (<c>inotify(7)</c>). One for many directories: the kernel grants a user few. Waiting
/// costs no thread.
/// </summary>
public sealed class DirectoryWatch : IDisposable
{
    private const uint IN_CLOSE_WRITE = 0x8;
    private const uint IN_MOVED_FROM = 0x40;
    private const uint IN_MOVED_TO = 0x80;
    private const uint IN_CREATE = 0x100; // of a link there is nothing else
    private const uint IN_DELETE = 0x200;
    private const uint IN_IGNORED = 0x8000; // told by itself: the directory is gone, and its number may be another's next
    private const uint IN_ONLYDIR = 0x100_0000;
    private const int EventBytes = 16; // struct inotify_event: wd, mask, cookie, len; then len bytes of name
    private const int MaskOffset = 4;
    private const int LengthOffset = 12;
    private const int Overflow = -1;
    private const int BufferBytes = 4096;

    private readonly FileDescriptor _notices;
    private readonly Dictionary<int, string> _directories = [];

    /// <exception cref="SystemCallException">EMFILE: the user has no more of these (<c>fs.inotify.max_user_instances</c>).</exception>
    public DirectoryWatch()
    {
        var descriptor = Libc.InotifyInit(Libc.O_CLOEXEC | Libc.O_NONBLOCK);
        _notices = descriptor >= 0 ? new FileDescriptor(descriptor) : throw SystemCallException.Last("inotify_init1");
    }

    /// <summary>From now on; what happened before must be looked for. One that is watched already stays so; one that goes is watched no more when it comes back.</summary>
    /// <exception cref="SystemCallException">ENOENT, ENOTDIR; ENOSPC at <c>fs.inotify.max_user_watches</c>.</exception>
    public void Add(string directory)
    {
        var number = Libc.InotifyAddWatch(_notices.Number, directory, IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR);
        if (number < 0)
        {
            throw SystemCallException.Last("inotify_add_watch", directory);
        }
        lock (_directories)
        {
            _directories[number] = directory;
        }
    }

    /// <summary>Waits until something happens; all directories when so much did that the kernel lost count.</summary>
    public async Task<IReadOnlyCollection<string>> WaitAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Poller.Shared.WaitReadable(_notices, cancel).ConfigureAwait(false);
            var changed = Read();
            if (changed.Count != 0)
            {
                return changed;
            }
        }
    }

    public void Dispose() => _notices.Dispose();

    private unsafe HashSet<string> Read()
    {
        var changed = new HashSet<string>(StringComparer.Ordinal);
        var buffer = stackalloc byte[BufferBytes];
        nint length;
        while ((length = Libc.Read(_notices.Number, buffer, BufferBytes)) > 0)
        {
            var events = new ReadOnlySpan<byte>(buffer, (int)length);
            lock (_directories)
            {
                while (events.Length >= EventBytes)
                {
                    var number = MemoryMarshal.Read<int>(events);
                    if (number == Overflow)
                    {
                        changed.UnionWith(_directories.Values);
                    }
                    else if (_directories.TryGetValue(number, out var directory))
                    {
                        changed.Add(directory);
                        if ((MemoryMarshal.Read<uint>(events[MaskOffset..]) & IN_IGNORED) != 0)
                        {
                            _directories.Remove(number);
                        }
                    }
                    events = events[(EventBytes + MemoryMarshal.Read<int>(events[LengthOffset..]))..];
                }
            }
        }
        return changed;
    }
}
