using Plumb.Linux.State;

namespace Plumb.Agent.Tests;

/// <summary>Lets so many writes pass and fails at every one that follows, as if the process had ended there.</summary>
internal sealed class CuttingSeam(int passes) : IWriteSeam
{
    private int _seen;

    public int Seen => Volatile.Read(ref _seen);

    /// <summary>What passed, in order.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<string> Writes { get; } = [];

    public void BeforeWrite(string what)
    {
        Writes.Enqueue(what);
        if (Interlocked.Increment(ref _seen) > passes)
        {
            throw new CutException(what);
        }
    }
}

internal sealed class CutException(string what) : Exception($"cut before: {what}");
