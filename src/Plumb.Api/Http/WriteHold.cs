using Plumb.Api.Storage;

namespace Plumb.Api.Http;

/// <summary>
/// Stands between clients and what they write, for the moment in which another content is put in the store's place: nobody who has read the one shall write into the
/// other. Meanwhile writes are refused with 503 and Retry-After, upon which clients try again by themselves; reads and watches go on.
/// </summary>
/// <remarks>
/// It also knows the watches of this program's own nodes. Numbers of versions come again after a store went back: who has not looked by the time that the store has
/// passed the old number takes the new history for the old one. So there are no writes until those who always come back have done so.
/// </remarks>
internal sealed class WriteHold
{
    private const string Own = "plumb-";

    private readonly Lock _gate = new();
    private TaskCompletionSource? _quiet;
    private TaskCompletionSource? _back;
    private int _writes;
    private int _watches;
    private int _away;

    public bool IsHeld
    {
        get
        {
            lock (_gate)
                return _quiet is not null;
        }
    }

    /// <exception cref="ApiException">503: not now.</exception>
    public void BeginWrite()
    {
        lock (_gate)
        {
            if (_quiet is not null)
                throw ApiException.Unavailable("the server's store is being replaced by an older copy; try again");
            _writes++;
        }
    }

    public void EndWrite()
    {
        lock (_gate)
        {
            if (--_writes == 0)
                _quiet?.TrySetResult();
        }
    }

    /// <returns>Whether <see cref="EndWatch"/> is to be called for it.</returns>
    public bool BeginWatch(string userAgent)
    {
        if (!userAgent.StartsWith(Own, StringComparison.Ordinal))
            return false;
        lock (_gate)
        {
            _watches++;
            if (_away > 0 && --_away == 0)
                _back?.TrySetResult();
        }

        return true;
    }

    public void EndWatch()
    {
        lock (_gate)
            _watches--;
    }

    /// <summary>Lets no write begin; completes when none is under way. One at a time.</summary>
    public Task Hold()
    {
        lock (_gate)
        {
            _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_writes == 0)
                _quiet.SetResult();
            return _quiet.Task;
        }
    }

    public void LetGo()
    {
        lock (_gate)
            (_quiet, _back, _away) = (null, null, 0);
    }

    /// <summary>To be called before all watches are ended.</summary>
    /// <returns>Completes when as many of this program's own as there are have begun anew.</returns>
    public Task AwaitWatches()
    {
        lock (_gate)
        {
            _away = _watches;
            if (_away == 0)
                return Task.CompletedTask;
            _back = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _back.Task;
        }
    }
}
