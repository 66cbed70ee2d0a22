namespace Plumb.Api.Tests.Controllers;

/// <summary>Time stands still until a test moves it; timers that come due are called then, in order.</summary>
internal sealed class FakeTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private DateTimeOffset now = start;
    private TimeSpan set;

    /// <summary>Told after each timer that is set.</summary>
    public Action? TimerSet { get; set; }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (gate)
            return (now - set).UtcTicks;
    }

    /// <summary>Somebody sets the date: no time goes by.</summary>
    public void SetDate(TimeSpan forward)
    {
        lock (gate)
        {
            now += forward;
            set += forward;
            foreach (var timer in timers)
                timer.Postpone(forward);
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        lock (gate)
            now += by;
        Ring();
    }

    /// <summary>Whether somebody waits for that moment.</summary>
    public bool Waits(TimeSpan left)
    {
        lock (gate)
            return timers.Exists(timer => timer.Due - now == left);
    }

    /// <summary>Also what is due already: a delay of nothing.</summary>
    public void Ring()
    {
        while (true)
        {
            Timer? due = null;
            lock (gate)
            {
                foreach (var timer in timers)
                {
                    if (timer.Due <= now && (due is null || timer.Due < due.Due))
                        due = timer;
                }
                if (due is null)
                    return;
                timers.Remove(due);
            }
            due.Call();
        }
    }

    private sealed class Timer(FakeTime time, Action call) : ITimer
    {
        public DateTimeOffset Due { get; private set; }

        public Action Call => call;

        public void Postpone(TimeSpan by) => Due += by;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = time.now + dueTime;
                time.timers.Add(this);
            }
            time.TimerSet?.Invoke();
            return true;
        }

        public void Dispose()
        {
            lock (time.gate)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
