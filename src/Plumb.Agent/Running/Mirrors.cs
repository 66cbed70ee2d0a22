using Plumb.Linux.Rtnetlink;
using Plumb.Network;
using Plumb.Network.Facts;

namespace Plumb.Agent.Running;

/// <summary>What somebody wants of this node's part of a mirror.</summary>
/// <param name="Mirror">Without its source.</param>
/// <param name="Receives">The copies come here; else the pod is here.</param>
internal sealed record MirrorRequest(Mirror Mirror, bool Receives);

/// <summary>A mirror as it stands, with what its tunnel has carried.</summary>
internal sealed record MirrorState(Mirror Mirror, LinkTraffic Traffic);

/// <summary>
/// The mirrors of this node. Each is held by somebody, and is a fact of the node for as long: planned, repaired and explained like all else. An agent that dies
/// leaves them in the kernel, where the next one finds Plumb's marks on what no plan wants, and takes it away.
/// </summary>
internal sealed class Mirrors(AgentLoop loop) : IAsyncDisposable
{
    private readonly Dictionary<int, TaskCompletionSource<string>> _held = []; // the loop's alone
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Cancelled when the agent is about to end: whoever holds a mirror shall let go.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Makes a mirror.</summary>
    /// <returns>What completes with a reason when there is nothing to mirror any more.</returns>
    /// <exception cref="AgentException">It cannot be; all is as it was.</exception>
    public Task<Task<string>> BeginAsync(MirrorRequest request) => loop.AskAsync(state => Begin(state, request));

    /// <summary>Takes a mirror out; null: it is not there.</summary>
    /// <returns>With what it carried.</returns>
    public Task<MirrorState?> EndAsync(int number) => loop.AskAsync(state => End(state, number));

    /// <summary>Takes a mirror out, unless it has gone before: the number may be somebody else's by now.</summary>
    /// <param name="held">What <see cref="BeginAsync"/> gave.</param>
    public Task EndAsync(int number, Task<string> held) =>
        loop.AskAsync(state => _held.GetValueOrDefault(number)?.Task == held ? End(state, number) : null);

    public Task<IReadOnlyList<MirrorState>> ListAsync() =>
        loop.AskAsync(static state => (IReadOnlyList<MirrorState>)[.. state.View.Node.Mirrors.Values.Select(mirror => new MirrorState(mirror, state.Kernel.Traffic(mirror.Device) ?? default))]);

    /// <summary>On the loop, after each round.</summary>
    public void Look(NodeFacts node)
    {
        foreach (var (number, held) in _held)
        {
            if (node.Mirrors.GetValueOrDefault(number) is { Source: { } source } mirror && node.Sandbox(source) is null)
            {
                held.TrySetResult($"{mirror.Pod} has ended");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        try
        {
            await loop.AskAsync(state =>
            {
                foreach (var number in state.View.Node.Mirrors.Keys.ToList())
                {
                    End(state, number);
                }
                return true;
            });
        }
        catch (OperationCanceledException)
        {
            // The loop has ended before: the next agent finds them.
        }
    }

    private Task<string> Begin(NodeState state, MirrorRequest request)
    {
        var node = state.View.Node;
        if (!state.IsApplied || state.MustCompare || _ending.IsCancellationRequested)
        {
            throw new AgentException($"the agent of {node.Name} {(_ending.IsCancellationRequested ? "is ending" : "is not ready yet")}");
        }
        var mirror = request.Mirror;
        if (node.Mirrors.ContainsKey(mirror.Number) || node.Mirrors.Values.Any(other => other.Vni == mirror.Vni))
        {
            throw new AgentException($"{node.Name} has a mirror {(node.Mirrors.ContainsKey(mirror.Number) ? $"number {mirror.Number}" : $"with VXLAN id {mirror.Vni}")} already");
        }
        if (mirror.Vni == node.Options.VxlanVni && node.Options.Overlay == OverlayKind.Vxlan)
        {
            throw new AgentException($"VXLAN id {mirror.Vni} is the overlay's: choose another");
        }
        if (!request.Receives)
        {
            var sandbox = node.Sandboxes.Values.FirstOrDefault(one => $"{one.PodScope}/{one.PodName}" == mirror.Pod)
                ?? throw new AgentException($"{node.Name} has no pod {mirror.Pod} with an interface of its own");
            mirror = mirror with { Source = sandbox.Id };
        }
        var failures = state.Make([new Change(mirror.Subject)], state.View with { Node = node.With(mirror) });
        var reason = failures.Count != 0 ? failures[0].Message : state.Planner.Index.Refusals().FirstOrDefault(refusal => refusal.Cause == mirror.Origin)?.Line;
        if (reason is not null)
        {
            Remove(state, mirror);
            throw new AgentException($"{node.Name} cannot mirror {mirror.Pod}: {reason}");
        }
        return (_held[mirror.Number] = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    private MirrorState? End(NodeState state, int number)
    {
        if (state.View.Node.Mirrors.GetValueOrDefault(number) is not { } mirror)
        {
            return null;
        }
        var traffic = state.Kernel.Traffic(mirror.Device) ?? default;
        Remove(state, mirror);
        if (_held.Remove(number, out var held))
        {
            held.TrySetResult("it was ended");
        }
        return new MirrorState(mirror, traffic);
    }

    private static void Remove(NodeState state, Mirror mirror) =>
        state.Make([new Change(mirror.Subject)], state.View with { Node = state.View.Node.WithoutMirror(mirror.Number) });
}
