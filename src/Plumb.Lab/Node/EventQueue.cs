using System.Threading.Channels;

namespace Plumb.Lab.Node;

/// <summary>
/// Writes a node's events after its other work: they are what a person reads later, while pods wait for statuses now. What repeats is
/// counted in one event.
/// </summary>
internal sealed class EventQueue : IAsyncDisposable
{
    // One event is remembered for each of the latest things said; older ones begin a new event when they repeat.
    private const int MaxRemembered = 1024;

    private readonly string _node;
    private readonly INodeApi _api;
    private readonly TimeProvider _time;
    private readonly Channel<(PodEvent Said, DateTimeOffset At)> _queue = Channel.CreateUnbounded<(PodEvent, DateTimeOffset)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<PodEvent, Written> _written = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private long _lastTicks;

    public EventQueue(string node, INodeApi api, TimeProvider time)
    {
        _node = node;
        _api = api;
        _time = time;
        _writing = WriteAsync();
    }

    public void Add(PodEvent said) => _queue.Writer.TryWrite((said, _time.GetUtcNow()));

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _stop.CancelAsync();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        await foreach (var (said, now) in _queue.Reader.ReadAllAsync(_stop.Token))
        {
            if (_written.TryGetValue(said, out var before)
                && await _api.PatchEventAsync(said.Pod.Namespace, before.Name, PodEvent.ToCount(before.Count + 1, now), _stop.Token))
            {
                _written[said] = before with { Count = before.Count + 1 };
                continue;
            }
            if (_written.Count >= MaxRemembered)
            {
                _written.Clear();
            }
            var name = $"{said.Pod.Name}.{Ticks(now):x}";
            if (await _api.CreateEventAsync(said.Pod.Namespace, said.ToJson(name, _node, 1, now, now), _stop.Token))
            {
                _written[said] = new Written(name, 1);
            }
        }
    }

    // Nanoseconds as others name their events, never the same twice.
    private long Ticks(DateTimeOffset now)
    {
        _lastTicks = Math.Max(_lastTicks + 1, (now.UtcTicks - DateTime.UnixEpoch.Ticks) * TimeSpan.NanosecondsPerTick);
        return _lastTicks;
    }

    private readonly record struct Written(string Name, int Count);
}
