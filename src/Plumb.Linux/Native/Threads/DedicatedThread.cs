using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace Plumb.Linux.Native.Threads;

/// <summary>
/// A thread that runs functions for others, one at a time, until it is told to end. What belongs to a thread (its namespaces,
/// its root, the children that it starts) can be changed there without touching anybody else's.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It holds nothing but its thread.")]
internal sealed class DedicatedThread
{
    private readonly Lock _oneVisitor = new();
    // A monitor and not a semaphore: that one spins on both sides before it sleeps, on processors that have other work.
    private readonly object _turn = new();
    private readonly int _threadId;
    private Action? _visit;
    private ExceptionDispatchInfo? _failure;
    private bool _isOver;

    public DedicatedThread(string name)
    {
        // Threads are born where their creator is; the poller's is born before this one leaves.
        _ = Poller.Shared;
        var thread = new Thread(Loop, maxStackSize: 1 << 20) { IsBackground = true, Name = name };
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
            lock (_turn)
            {
                _visit = visit;
                _failure = null;
                Monitor.PulseAll(_turn);
                while (_visit is not null)
                {
                    Monitor.Wait(_turn);
                }
            }
            _failure?.Throw();
        }
    }

    /// <summary>The last visit.</summary>
    public void End() => Run(() => _isOver = true);

    private void Loop()
    {
        lock (_turn)
        {
            while (!_isOver)
            {
                while (_visit is null)
                {
                    Monitor.Wait(_turn);
                }
                try
                {
                    _visit();
                }
                catch (Exception exception)
                {
                    _failure = ExceptionDispatchInfo.Capture(exception);
                }
                _visit = null;
                Monitor.PulseAll(_turn);
            }
        }
    }
}
