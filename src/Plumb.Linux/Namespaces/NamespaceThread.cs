using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Namespaces;

/// <summary>
/// The one thread that enters network namespaces. It goes in, makes system calls that return descriptors, and is out again before
/// anybody hears of the result.
/// </summary>
/// <remarks>
/// <para>A thread is born in the namespace of the thread that creates it, and .NET creates pool, timer and socket threads on whichever
/// thread happens to need one. So nothing that runs here may queue work, await, make a <c>Socket</c>, log or start a process:
/// one pool thread born in a pod's namespace would later run everybody's work there.</para>
/// <para>It can never come home: an ordinary user's home is the host's network namespace, and entering that takes privilege over
/// the host's user namespace. Between visits it rests in an empty namespace of its own, so as to keep no other alive.</para>
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The one instance lives as long as the process.")]
internal sealed class NamespaceThread
{
    private static readonly Lazy<NamespaceThread> LazyShared = new(static () => new NamespaceThread());

    private readonly Lock _oneVisitor = new();
    private readonly SemaphoreSlim _asked = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private readonly int _threadId;
    private FileDescriptor? _rest;
    private Action? _visit;
    private ExceptionDispatchInfo? _failure;

    private NamespaceThread()
    {
        // Threads are born where their creator is; this one is born before the namespace thread first leaves.
        _ = Poller.Shared;
        var thread = new Thread(Loop, maxStackSize: 256 << 10) { IsBackground = true, Name = "plumb-netns" };
        _threadId = thread.ManagedThreadId;
        thread.UnsafeStart();
    }

    public static NamespaceThread Shared => LazyShared.Value;

    /// <summary>Runs <paramref name="visit"/> on the thread, which then leaves again; what it throws is thrown here.</summary>
    /// <exception cref="SystemCallException">EPERM: this process may not make network namespaces.</exception>
    public void Run(Action visit)
    {
        if (Environment.CurrentManagedThreadId == _threadId)
        {
            throw new InvalidOperationException("a function that runs inside a namespace may not enter another one");
        }
        lock (_oneVisitor)
        {
            _visit = visit;
            _failure = null;
            _asked.Release();
            _done.Wait();
            _failure?.Throw();
        }
    }

    private void Loop()
    {
        while (true)
        {
            _asked.Wait();
            try
            {
                _rest ??= NetworkNamespace.UnshareAndOpen();
                _visit!();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
            if (_rest is not null && Libc.SetNamespace(_rest.Number, Libc.CLONE_NEWNET) < 0)
            {
                // A thread that cannot leave would keep the namespace, and all that is in it, alive for ever.
                Environment.FailFast(SystemCallException.Last("setns", "the namespace thread's place of rest").Message);
            }
            _visit = null;
            _done.Release();
        }
    }
}
