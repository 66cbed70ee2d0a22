using Plumb.Linux.Processes;

namespace Plumb.Agent.Running;

/// <summary>
/// Gives memory back after the start, and after much has changed. What thousands of Services need while they are read and planned is twice of what they are
/// when they are there, and a collector that has had no reason to look keeps it: on a node that is pods' memory. So is code that only the start has run.
/// </summary>
internal sealed class MemoryTrim : IDisposable
{
    private const int Much = 5_000;

    // Once it is quiet; and when the compiler, too, is done with what runs often.
    private static readonly TimeSpan[] _pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)];

    private readonly ITimer _timer;
    private int _changes;
    private int _trimmed;

    public MemoryTrim(TimeProvider time) => _timer = time.CreateTimer(static state => ((MemoryTrim)state!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>So much changed in one round. What comes without a pause counts together.</summary>
    public void Count(int changes)
    {
        if (changes == 0)
        {
            return;
        }
        var all = Interlocked.Add(ref _changes, changes);
        if (all >= Much || Volatile.Read(ref _trimmed) == 0)
        {
            Volatile.Write(ref _trimmed, 0);
            _timer.Change(_pauses[0], Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Trim()
    {
        if (Interlocked.Exchange(ref _changes, 0) >= Much)
        {
            // Pauses the whole process, names and pods that come included, for a tenth of a second or two: only after what took much longer itself.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        MappedCode.Release();
        if (++_trimmed < _pauses.Length)
        {
            _timer.Change(_pauses[_trimmed], Timeout.InfiniteTimeSpan);
        }
    }
}
