namespace Plumb.Kubernetes.Clients;

/// <summary>Waits that double from <paramref name="first"/> up to <paramref name="most"/>, each between half and the whole of its length, so that a crowd spreads out.</summary>
public sealed class Backoff(TimeSpan first, TimeSpan most, TimeProvider time, Random random)
{
    private static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(5);

    private int doublings;

    /// <summary>All is well again: the next wait is the shortest.</summary>
    public void Reset() => doublings = 0;

    public TimeSpan Next()
    {
        double share;
        // Several informers may share one source of chance.
        lock (random)
            share = random.NextDouble();
        var longest = first * (1L << doublings);
        if (longest < most)
            doublings++;
        else
            longest = most;
        return longest * (0.5 + (share / 2));
    }

    /// <param name="atLeast">What was asked of us: nobody comes back before, and not all at once after. More than five minutes is taken for five.</param>
    public Task WaitAsync(CancellationToken cancel, TimeSpan? atLeast = null)
    {
        var wait = Next();
        if (atLeast is { } asked && wait < asked)
            wait += asked < LongestAsked ? asked : LongestAsked;
        return Task.Delay(wait, time, cancel);
    }
}
