namespace Plumb.Agent.Running;

/// <summary>
/// Has plan and kernel compared some time after iptables' programs refused something or could not tell what is there. Nobody says when their lock is free again: so
/// it is tried, with a pause that doubles each time. Used by one thread.
/// </summary>
internal sealed class LaterComparison : IDisposable
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMinutes(1);

    private readonly ITimer _timer;
    private TimeSpan _pause = _firstPause;
    private bool _isAsked;

    /// <param name="due">Called when it is time, by a thread of the pool.</param>
    public LaterComparison(TimeProvider time, Action due) =>
        _timer = time.CreateTimer(static due => ((Action)due!)(), due, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Ask()
    {
        if (_isAsked)
        {
            return;
        }
        _isAsked = true;
        _timer.Change(_pause, Timeout.InfiniteTimeSpan);
        _pause = _pause * 2 < _longestPause ? _pause * 2 : _longestPause;
    }

    /// <summary>What was asked for is done now; it may be asked for again.</summary>
    public void Begin() => _isAsked = false;

    /// <summary>All is as planned.</summary>
    public void Settle() => _pause = _firstPause;

    public void Dispose() => _timer.Dispose();
}
