using Microsoft.Extensions.Logging;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Storage;

/// <summary>
/// Keeps <see cref="KnownNodes"/> on disk up to date: the file is all nodes of the cluster, and when many of them come, go or change one after another it is written
/// once for many changes. What changes of the node itself is written at once. Used by one thread.
/// </summary>
/// <param name="due">Called, by a thread of the pool, when it is time for <see cref="Look"/>.</param>
internal sealed partial class NodesRecord(AgentFiles files, string path, string own, TimeProvider time, ILogger log, Action due) : IDisposable
{
    /// <summary>So old is the file at most when an agent is killed; one that ends writes it.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(10);

    private readonly ITimer _timer = time.CreateTimer(static due => ((Action)due!)(), due, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    private ClusterView _written = ClusterView.Empty;
    private long? _since;
    private bool _isBehind;

    /// <summary>Writes the nodes, now or when <c>due</c> was called.</summary>
    /// <param name="changed">Whether there are others than at the last call.</param>
    public void Look(ClusterView now, bool changed)
    {
        if (!changed && !_isBehind)
        {
            return;
        }
        var left = _since is { } since && now.Node(own) == _written.Node(own) ? _pause - time.GetElapsedTime(since) : TimeSpan.Zero;
        if (left <= TimeSpan.Zero)
        {
            Write(now);
        }
        else if (!_isBehind)
        {
            _isBehind = true;
            _timer.Change(left, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Writes what has not been written yet.</summary>
    public void Finish(ClusterView now)
    {
        if (_isBehind)
        {
            Write(now);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Write(ClusterView now)
    {
        _since = time.GetTimestamp();
        try
        {
            KnownNodes.Write(files, path, now);
            _written = now;
            _isBehind = false;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            // The next agent would know nodes that are older; this one goes on, and tries again.
            Log.NotWritten(log, full.Message);
            _isBehind = true;
            _timer.Change(_pause, Timeout.InfiniteTimeSpan);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1017, LogLevel.Warning, "the nodes of the cluster are not written to disk: {Reason}; tried again")]
        public static partial void NotWritten(ILogger log, string reason);
    }
}
