namespace Plumb.Agent.Running;

/// <summary>
/// Gives memory back after much has changed. What thousands of Services need while they are read and planned is twice of what they are when they are
/// there, and a collector that has had no reason to look keeps it: on a node that is pods' memory.
/// </summary>
internal sealed class HeapTrim : IDisposable
{
    private const int Much = 5_000;

    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(1);

    private readonly ITimer _timer;
    private int _changes;

    public HeapTrim(TimeProvider time) => _timer = time.CreateTimer(static state => ((HeapTrim)state!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>So much changed in one round. What comes without a pause counts together.</summary>
    public void Count(int changes)
    {
        if (changes != 0)
        {
            Interlocked.Add(ref _changes, changes);
            _timer.Change(_quiet, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    // Pauses the whole process, names and pods that come included, for a tenth of a second or two: only after what took much longer itself.
    private void Trim()
    {
        if (Interlocked.Exchange(ref _changes, 0) >= Much)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
