namespace Plumb.Lab.Node;

/// <summary>`activeDeadlineSeconds` of a pod: counted from when its node took it, and shortened or set while it runs.</summary>
internal sealed class ActiveDeadline : IDisposable
{
    private readonly TimeProvider _time;
    private readonly long _since;
    private readonly ITimer _timer;
    private long? _seconds;

    /// <param name="expired">Called once at most for each deadline that is set.</param>
    public ActiveDeadline(TimeProvider time, Action expired)
    {
        _time = time;
        _since = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((Action)state!)(), expired, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <param name="seconds">Null: none.</param>
    public void Set(long? seconds)
    {
        if (seconds == _seconds)
        {
            return;
        }
        _seconds = seconds;
        if (seconds is { } most)
        {
            var left = TimeSpan.FromSeconds(Math.Clamp(most, 0, ContainerSpecs.MostSeconds)) - _time.GetElapsedTime(_since);
            _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();
}
