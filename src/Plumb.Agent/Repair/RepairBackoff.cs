using Plumb.Linux.State;

namespace Plumb.Agent.Repair;

/// <summary>What to do about one entry that is not as planned.</summary>
internal enum RepairVerdict
{
    Repair = 1,

    /// <summary>It has been undone too often: give way for a while, and say so.</summary>
    GiveWay,

    /// <summary>That has been said.</summary>
    StillGivingWay,
}

/// <summary>
/// Counts how often each entry was repaired, so that two agents which disagree do not fight for ever: after five repairs in a
/// minute it gives way, for ten seconds, then twice as long each time, up to ten minutes.
/// </summary>
internal sealed class RepairBackoff(TimeProvider time)
{
    private const int MostRepairs = 5;

    private static readonly TimeSpan _window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _firstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMinutes(10);

    private readonly Dictionary<EntryKey, Record> _records = [];

    public RepairVerdict Judge(EntryKey key)
    {
        Forget();
        var now = time.GetUtcNow();
        if (!_records.TryGetValue(key, out var record))
        {
            _records[key] = record = new Record();
        }
        if (record.Until is { } until && now < until)
        {
            return RepairVerdict.StillGivingWay;
        }
        while (record.Repairs.TryPeek(out var first) && now - first > _window)
        {
            record.Repairs.Dequeue();
        }
        if (record.Repairs.Count < MostRepairs)
        {
            record.Repairs.Enqueue(now);
            return RepairVerdict.Repair;
        }
        record.Repairs.Clear();
        record.Pause = record.Pause == default ? _firstPause : record.Pause * 2 > _longestPause ? _longestPause : record.Pause * 2;
        record.Until = now + record.Pause;
        return RepairVerdict.GiveWay;
    }

    public TimeSpan PauseOf(EntryKey key) => _records.TryGetValue(key, out var record) ? record.Pause : default;

    public TimeSpan? NextTry()
    {
        var now = time.GetUtcNow();
        TimeSpan? next = null;
        foreach (var record in _records.Values)
        {
            if (record.Until is { } until && until > now && (next is null || until - now < next))
            {
                next = until - now;
            }
        }
        return next;
    }

    private void Forget()
    {
        var now = time.GetUtcNow();
        foreach (var (key, record) in _records)
        {
            var last = record.Until ?? record.Repairs.LastOrDefault();
            if (now - last > _longestPause)
            {
                _records.Remove(key);
            }
        }
    }

    private sealed class Record
    {
        public Queue<DateTimeOffset> Repairs { get; } = new();

        public TimeSpan Pause { get; set; }

        public DateTimeOffset? Until { get; set; }
    }
}
