using System.Net;
using Plumb.Agent.Cni;
using Plumb.Agent.Http;
using Plumb.Agent.Running;

namespace Plumb.Agent.Metrics;

/// <summary>What those see who look after the agent from outside of it: its health, and what it measures of itself.</summary>
internal sealed class AgentWatch : IAsyncDisposable
{
    // A table of a hundred thousand elements that somebody emptied takes the loop two seconds.
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(10);

    private readonly AgentLoop _loop;
    private readonly CniVerbs _verbs;
    private readonly TimeProvider _time;
    private readonly AgentMetrics _metrics;
    private readonly MetricsExport _export;
    private readonly HealthServer? _server;

    private AgentWatch(NodeAgentOptions options, AgentMetrics metrics, AgentLoop loop, CniVerbs verbs)
    {
        _loop = loop;
        _verbs = verbs;
        _time = options.Time;
        _metrics = metrics;
        _export = new MetricsExport(options.NodeName, RefreshAsync, Environment.GetEnvironmentVariable);
        _server = options.HealthAddress is { } address ? new HealthServer(address, CheckAsync, _export) : null;
    }

    /// <returns>Null when nobody wants to see anything.</returns>
    public static AgentWatch? Of(NodeAgentOptions options, AgentLoop loop, CniVerbs verbs) =>
        options.Metrics is { } metrics ? new AgentWatch(options, metrics, loop, verbs) : null;

    public IPEndPoint? EndPoint => _server?.EndPoint;

    /// <exception cref="AgentException">The address cannot be had.</exception>
    public Task StartAsync(CancellationToken cancel) => _server?.StartAsync(cancel) ?? Task.CompletedTask;

    /// <summary>Until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => _export.RunAsync(_time, Environment.GetEnvironmentVariable, cancel);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        _export.Dispose();
    }

    private async Task RefreshAsync() => _metrics.Show(await _loop.AskAsync(NodeGauges.Of));

    private async Task<IReadOnlyList<HealthCheckResult>> CheckAsync(bool ready)
    {
        var loop = new HealthCheckResult("loop", await TroubleAsync(_loop.AskAsync(static _ => true)));
        return ready && loop.Trouble is null ? [loop, new("pods", await TroubleAsync(_verbs.StatusAsync(CancellationToken.None)))] : [loop];
    }

    private async Task<string?> TroubleAsync(Task check)
    {
        try
        {
            await check.WaitAsync(MostSilence, _time);
            return null;
        }
        catch (TimeoutException)
        {
            return $"no answer for {MostSilence.TotalSeconds:0} s";
        }
        catch (Exception refused) when (refused is CniException or OperationCanceledException)
        {
            return refused.Message;
        }
    }
}
