using Plumb.Linux.Processes;

namespace Plumb.Agent.Running;

/// <summary>
/// Gives memory back after the start, and after much has changed. What thousands of Services need while they are read and planned is twice of what they are
/// when they are there, and a collector that has had no reason to look keeps it: on a node that is pods' memory. So is code that only the start has run.
/// </summary>
internal sealed class MemoryTrim : IDisposable
{
    private const int Much = 5_000;

    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(1);

    // Since the last time: when it is ready, when its first work is done, and when the compiler, too, is done with what runs often.
    private static readonly TimeSpan[] _afterStart = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)];

    private readonly ITimer _whenQuiet;
    private readonly ITimer _young;
    private int _changes;
    private int _trimmed;

    public MemoryTrim(TimeProvider time)
    {
        _whenQuiet = time.CreateTimer(static state => ((MemoryTrim)state!).AfterMuch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _young = time.CreateTimer(static state => ((MemoryTrim)state!).AfterStart(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _young.Change(_afterStart[0], Timeout.InfiniteTimeSpan);
    }

    /// <summary>So much changed in one round. What comes without a pause counts together.</summary>
    public void Count(int changes)
    {
        if (changes != 0)
        {
            Interlocked.Add(ref _changes, changes);
            _whenQuiet.Change(_quiet, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _whenQuiet.Dispose();
        _young.Dispose();
    }

    // Pauses the whole process, names and pods that come included, for a tenth of a second or two: only after what took much longer itself.
    private void AfterMuch()
    {
        if (Interlocked.Exchange(ref _changes, 0) >= Much)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            MappedCode.Release();
        }
    }

    private void AfterStart()
    {
        MappedCode.Release();
        if (++_trimmed < _afterStart.Length)
        {
            _young.Change(_afterStart[_trimmed], Timeout.InfiniteTimeSpan);
        }
    }
}
