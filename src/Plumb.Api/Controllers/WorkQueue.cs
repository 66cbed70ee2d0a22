namespace Plumb.Api.Controllers;

/// <summary>What a controller has yet to look at. A key that is added while it waits is one key; one that failed waits longer each time.</summary>
/// <param name="wake">Called, from any thread, when a delayed key has come due.</param>
internal sealed class WorkQueue<TKey>(TimeProvider time, Action wake) : IDisposable where TKey : notnull
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    private readonly Queue<TKey> order = new();
    private readonly HashSet<TKey> waiting = [];
    private readonly Dictionary<TKey, int> failures = [];
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, (ITimer Timer, long Due)> delayed = [];

    public void Add(TKey key)
    {
        lock (gate)
        {
            if (waiting.Add(key))
                order.Enqueue(key);
        }
    }

    /// <summary>Of several delays of one key the shortest counts.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        // A timer counts to 49 days at most; a key that comes too early is looked at and waits again.
        delay = delay < LongestDelay ? delay : LongestDelay;
        long due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        lock (gate)
        {
            if (delayed.TryGetValue(key, out var present))
            {
                if (present.Due <= due)
                    return;
                present.Timer.Dispose();
            }
            delayed[key] = (time.CreateTimer(_ => Due(key), null, delay < TimeSpan.Zero ? TimeSpan.Zero : delay, Timeout.InfiniteTimeSpan), due);
        }
    }

    public void Retry(TKey key)
    {
        int times = failures[key] = failures.GetValueOrDefault(key) + 1;
        var delay = FirstRetry * Math.Pow(2, Math.Min(times - 1, 20));
        AddAfter(key, delay < LastRetry ? delay : LastRetry);
    }

    public void Succeeded(TKey key)
    {
        if (failures.Count > 0)
            failures.Remove(key);
    }

    public bool TryTake(out TKey key)
    {
        lock (gate)
        {
            if (!order.TryDequeue(out key!))
                return false;
            waiting.Remove(key);
            return true;
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (gate)
                return order.Count == 0;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var (timer, _) in delayed.Values)
                timer.Dispose();
            delayed.Clear();
        }
    }

    private void Due(TKey key)
    {
        lock (gate)
        {
            if (delayed.Remove(key, out var present))
                present.Timer.Dispose();
            if (waiting.Add(key))
                order.Enqueue(key);
        }
        wake();
    }
}
