using System.Threading.Channels;

namespace Plumb.Lab.Tests.Containers;

/// <summary>A clock that stands still, whose timers fire when the test says so.</summary>
internal sealed class HeldTime : TimeProvider
{
    private readonly Channel<HeldTimer> _timers = Channel.CreateUnbounded<HeldTimer>();
    private DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HeldTimer(() => callback(state), dueTime);
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            _timers.Writer.TryWrite(timer);
        }

        return timer;
    }

    /// <summary>Waits for the next timer, moves the clock to it and fires it.</summary>
    public async Task<TimeSpan> FireAsync()
    {
        var timer = await _timers.Reader.ReadAsync(TestContext.Current.CancellationToken);
        _now += timer.Due;
        timer.Fire();
        return timer.Due;
    }

    private sealed class HeldTimer(Action fire, TimeSpan due) : ITimer
    {
        private bool _disposed;

        public TimeSpan Due { get; } = due;

        public void Fire()
        {
            if (!_disposed)
            {
                fire();
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => !_disposed;

        public void Dispose() => _disposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
