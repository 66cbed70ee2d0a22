using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>
/// Tells when descriptors become readable. One thread waits on one epoll set for all of them, so that hundreds of netlink
/// subscriptions and child processes cost no thread each.
/// </summary>
/// <remarks>The thread lives in the process's own namespaces: it is started before anything enters another.</remarks>
internal sealed class Poller
{
    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const uint EPOLLIN = 1;
    private const uint EPOLLOUT = 4;
    private const uint EPOLLONESHOT = 1u << 30;
    private const int BatchSize = 64;

    // `struct epoll_event` is packed on x86-64 and naturally aligned elsewhere (linux/eventpoll.h).
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + 8;

    private static readonly Lazy<Poller> LazyShared = new(static () => new Poller());

    private readonly FileDescriptor _epoll;
    private readonly Dictionary<long, TaskCompletionSource> _waiters = [];
    private long _lastTicket;

    private Poller()
    {
        var epoll = Libc.EpollCreate(Libc.O_CLOEXEC);
        _epoll = epoll >= 0 ? new FileDescriptor(epoll) : throw SystemCallException.Last("epoll_create1");
        new Thread(Loop) { IsBackground = true, Name = "plumb-poller" }.UnsafeStart();
    }

    public static Poller Shared => LazyShared.Value;

    /// <summary>
    /// Completes when the descriptor is readable or its other end is gone. One wait at a time for each descriptor; whoever waits keeps
    /// the descriptor open meanwhile.
    /// </summary>
    public Task WaitReadable(SafeHandle descriptor, CancellationToken cancel) => Wait(descriptor, EPOLLIN, cancel);

    /// <summary>The same for room to write. Who both reads and writes needs a second descriptor (<c>dup</c>) for one of them.</summary>
    public Task WaitWritable(SafeHandle descriptor, CancellationToken cancel) => Wait(descriptor, EPOLLOUT, cancel);

    private async Task Wait(SafeHandle descriptor, uint events, CancellationToken cancel)
    {
        var kept = false;
        descriptor.DangerousAddRef(ref kept);
        var number = (int)descriptor.DangerousGetHandle();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long ticket;
        lock (_waiters)
        {
            ticket = ++_lastTicket;
            _waiters.Add(ticket, ready);
        }
        try
        {
            Arm(number, events, ticket);
            using var registration = cancel.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), ready);
            await ready.Task.ConfigureAwait(false);
        }
        finally
        {
            lock (_waiters)
            {
                _waiters.Remove(ticket);
            }
            Disarm(number);
            descriptor.DangerousRelease();
        }
    }

    private unsafe void Arm(int descriptor, uint events, long ticket)
    {
        var item = stackalloc byte[16];
        *(uint*)item = events | EPOLLONESHOT;
        MemoryMarshal.Write(new Span<byte>(item + DataOffset, 8), ticket);
        if (Libc.EpollControl(_epoll.Number, EPOLL_CTL_ADD, descriptor, item) < 0)
        {
            throw SystemCallException.Last("epoll_ctl");
        }
    }

    private unsafe void Disarm(int descriptor)
    {
        var item = stackalloc byte[16];
        _ = Libc.EpollControl(_epoll.Number, EPOLL_CTL_DEL, descriptor, item);
    }

    private unsafe void Loop()
    {
        var events = stackalloc byte[BatchSize * 16];
        while (true)
        {
            var count = Libc.EpollWait(_epoll.Number, events, BatchSize, -1);
            for (var i = 0; i < count; i++)
            {
                var ticket = MemoryMarshal.Read<long>(new ReadOnlySpan<byte>(events + (i * EventSize) + DataOffset, 8));
                TaskCompletionSource? waiter;
                lock (_waiters)
                {
                    _waiters.TryGetValue(ticket, out waiter);
                }
                waiter?.TrySetResult();
            }
        }
    }
}
