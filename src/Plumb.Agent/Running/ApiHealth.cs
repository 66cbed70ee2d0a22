using Microsoft.Extensions.Logging;
using Plumb.Agent.Metrics;

namespace Plumb.Agent.Running;

/// <summary>How it goes with the API server: each kind of trouble is said once, until it is well again.</summary>
internal sealed partial class ApiHealth(AgentMetrics? metrics, TimeProvider time, ILogger log)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _said = [];
    private int _troubled;
    private Happening? _last;

    /// <summary>The last thing that went wrong, if it has not been mended; null: all is well.</summary>
    public Happening? Trouble
    {
        get
        {
            lock (_lock)
            {
                return _troubled > 0 ? _last : null;
            }
        }
    }

    /// <summary>What one watch tells; it is in trouble from the first call until <see cref="Recovered"/>.</summary>
    public void Failed(Exception trouble, bool isFirst)
    {
        metrics?.ApiFailed();
        lock (_lock)
        {
            _troubled += isFirst ? 1 : 0;
            _last = new Happening(time.GetUtcNow(), trouble.Message);
            if (!_said.Add(trouble.Message))
            {
                return;
            }
        }
        Log.Trouble(log, trouble.Message);
    }

    public void Recovered()
    {
        lock (_lock)
        {
            if (--_troubled > 0)
            {
                return;
            }
            _said.Clear();
        }
        Log.Well(log);
    }

    private static partial class Log
    {
        [LoggerMessage(1006, LogLevel.Warning, "the API server: {Trouble}; tried again")]
        public static partial void Trouble(ILogger log, string trouble);

        [LoggerMessage(1016, LogLevel.Information, "the API server answers again")]
        public static partial void Well(ILogger log);
    }
}
