using Plumb.Agent;
using Plumb.Lab.Node;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab.Agents;

/// <summary>An agent in the lab's own process. When it fails another is started, as an init system would.</summary>
internal sealed class AgentInProcess : INodeAgent
{
    /// <summary>Starts an agent that serves Services so.</summary>
    /// <remarks>The next one may only be started when the one before has been disposed of: the state directory is one agent's at a time.</remarks>
    public delegate Task<NodeAgent> Starter(ServicesKind services, CancellationToken cancel);

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    private readonly string _node;
    private readonly Starter _start;
    private readonly LabLog _log;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private NodeAgent? _agent; // null: between two
    private ServicesKind _services;

    private AgentInProcess(string node, NodeAgent agent, ServicesKind services, Starter start, LabLog log, TimeProvider time)
    {
        _node = node;
        _agent = agent;
        _services = services;
        _start = start;
        _log = log;
        _time = time;
        _running = SuperviseAsync(_stop.Token);
    }

    public int? ProcessId => null;

    /// <exception cref="AgentException">The first agent cannot be.</exception>
    public static async Task<AgentInProcess> StartAsync(string node, ServicesKind services, Starter start, LabLog log, TimeProvider time, CancellationToken cancel) =>
        new(node, await start(services, cancel), services, start, log, time);

    public async Task<bool> DepartedAsync(ValueList<IpAddress> addresses, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _stop.Token);
        while (true)
        {
            try
            {
                if (Volatile.Read(ref _agent) is { } agent)
                {
                    return await agent.DepartedAsync(addresses, either.Token);
                }
            }
            catch (OperationCanceledException) when (!either.IsCancellationRequested)
            {
                // It ends, and the kernel leads where it did until the next one begins.
            }
            await Task.Delay(BetweenAttempts, _time, either.Token);
        }
    }

    public async Task<IReadOnlyList<string>> SetServicesAsync(ServicesKind services, CancellationToken cancel)
    {
        var agent = Volatile.Read(ref _agent) ?? throw new LabException($"the agent of {_node} has ended and is being started again");
        try
        {
            var left = await agent.SwitchServicesAsync(services).WaitAsync(cancel);
            _services = services;
            return left;
        }
        catch (Exception refused) when (!cancel.IsCancellationRequested)
        {
            throw new LabException(refused.Message, refused);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_agent is { } agent)
        {
            await agent.DisposeAsync();
        }
        _stop.Dispose();
    }

    private async Task SuperviseAsync(CancellationToken stop)
    {
        var backOff = new BackOff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
        while (true)
        {
            var since = _time.GetTimestamp();
            if (_agent is { } agent)
            {
                await agent.Ended.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                stop.ThrowIfCancellationRequested();
                Volatile.Write(ref _agent, null);
                _log.Write(_node, $"the agent has ended ({agent.Ended.Exception?.InnerException?.Message ?? "by itself"}) and is started again");
                await agent.DisposeAsync();
                if (_time.GetElapsedTime(since) > StableAfter)
                {
                    backOff = new BackOff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
                }
            }
            await Task.Delay(backOff.Delay, _time, stop);
            backOff.Next();
            try
            {
                Volatile.Write(ref _agent, await _start(_services, stop));
            }
            catch (Exception refused) when (!stop.IsCancellationRequested)
            {
                _log.Write(_node, $"the agent cannot be started: {refused.Message}");
            }
        }
    }
}
