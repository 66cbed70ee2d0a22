using Microsoft.Extensions.Logging;
using Plumb.Agent.Metrics;

namespace Plumb.Agent.Running;

/// <summary>How it goes with the API server: each kind of trouble is said once, until it is well again.</summary>
internal sealed partial class ApiHealth(AgentMetrics? metrics, TimeProvider time, ILogger log)
{
    private const int MostTexts = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<object, Trouble> _troubles = [];

    /// <summary>The last thing that went wrong and is not mended; null: all is well.</summary>
    public Happening? Last
    {
        get
        {
            lock (_lock)
            {
                return _troubles.Values.MaxBy(static one => one.Last.At)?.Last;
            }
        }
    }

    /// <param name="watch">Whose trouble it is; it lasts until <see cref="Recovered"/>.</param>
    public void Failed(object watch, Exception trouble)
    {
        metrics?.ApiFailed();
        lock (_lock)
        {
            var isKnown = _troubles.Values.Any(one => one.Said.Contains(trouble.Message));
            if (!_troubles.TryGetValue(watch, out var own))
            {
                _troubles[watch] = own = new Trouble();
            }
            own.Last = new Happening(time.GetUtcNow(), trouble.Message);
            // Some texts are never the same twice.
            if (isKnown || own.Said.Count == MostTexts || !own.Said.Add(trouble.Message))
            {
                return;
            }
        }
        Log.Failed(log, trouble.Message);
    }

    public void Recovered(object watch)
    {
        lock (_lock)
        {
            if (!_troubles.Remove(watch) || _troubles.Count != 0)
            {
                return;
            }
        }
        Log.Well(log);
    }

    private sealed class Trouble
    {
        public HashSet<string> Said { get; } = [];

        public Happening Last { get; set; } = new(default, "");
    }

    private static partial class Log
    {
        [LoggerMessage(1006, LogLevel.Warning, "the API server: {Trouble}; tried again")]
        public static partial void Failed(ILogger log, string trouble);

        [LoggerMessage(1016, LogLevel.Information, "the API server answers again")]
        public static partial void Well(ILogger log);
    }
}
