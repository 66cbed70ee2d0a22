using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace Plumb.Linux.Native;

/// <summary>
/// A thread that runs functions for others, one at a time, and lives as long as the process. What belongs to a thread (its namespaces,
/// its root, the children that it starts) can be changed there without touching anybody else's.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Instances live as long as the process.")]
internal sealed class DedicatedThread
{
    private readonly Lock _oneVisitor = new();
    private readonly SemaphoreSlim _asked = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private readonly int _threadId;
    private Action? _visit;
    private ExceptionDispatchInfo? _failure;

    public DedicatedThread(string name)
    {
        // Threads are born where their creator is; the poller's is born before this one leaves.
        _ = Poller.Shared;
        var thread = new Thread(Loop, maxStackSize: 256 << 10) { IsBackground = true, Name = name };
        _threadId = thread.ManagedThreadId;
        thread.UnsafeStart();
    }

    /// <summary>Runs <paramref name="visit"/> there and waits for its end; what it throws is thrown here.</summary>
    /// <exception cref="InvalidOperationException">Called from the thread itself.</exception>
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
                _visit!();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
            _visit = null;
            _done.Release();
        }
    }
}
