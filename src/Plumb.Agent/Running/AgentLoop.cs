using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Plumb.Agent.Kernel;
using Plumb.Agent.Metrics;
using Plumb.Agent.Repair;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Services;

namespace Plumb.Agent.Running;

/// <summary>
/// The agent's one thread of thought. Work queues; whatever has queued is done together: one plan, one set of messages to the
/// kernel, however many pods were asked for.
/// </summary>
/// <remarks>
/// 1. Take all that has queued, up to the first work on a container that already has a part in this round.
/// 2. Make the next view: nodes, sandboxes that go, sandboxes that come (their leases are on disk before anything else).
/// 3. Plan what changed, and apply the difference.
/// 4. Tell everyone who asked.
/// 5. Look at the kernel, if somebody else wrote there: the wire may be another, and what is missing is repaired.
/// </remarks>
internal sealed partial class AgentLoop(NodeState state, Repairer repairer, ILogger log)
{
    private readonly Channel<AgentWork> _queue = Channel.CreateUnbounded<AgentWork>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Attachments _attachments = new(state);
    private readonly List<AgentWork.Switch> _switches = [];
    private readonly List<AgentWork.Ask> _questions = [];
    private readonly HashSet<EntryFailure> _said = [];
    private AgentWork? _held;
    private LaterComparison? _later;
    private string? _unread;

    /// <summary>Called after each round; told whether nodes changed in it.</summary>
    public Action<bool>? RoundDone { get; set; }

    /// <summary>Null: somebody else's process, whose memory is not ours to care for.</summary>
    public MemoryTrim? Trim { get; init; }

    /// <summary>Null: nobody measures.</summary>
    public AgentMetrics? Metrics { get; init; }

    /// <summary>False when the agent is ending.</summary>
    public bool Post(AgentWork work)
    {
        work.Since = Metrics?.Now ?? 0;
        return _queue.Writer.TryWrite(work);
    }

    /// <summary>Asks something of the state, between two rounds.</summary>
    public Task<T> AskAsync<T>(Func<NodeState, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var posted = Post(new AgentWork.Ask(known =>
        {
            try
            {
                answer.SetResult(question(known));
            }
            catch (Exception exception)
            {
                answer.SetException(exception);
            }
        }));
        return posted ? answer.Task : Task.FromException<T>(new OperationCanceledException("the agent is ending"));
    }

    /// <summary>Runs until cancelled; an exception is the end of the agent.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (_held is not null || await _queue.Reader.WaitToReadAsync(cancel))
            {
                DoRound(cancel);
            }
        }
        catch (Exception exception)
        {
            _attachments.Abandon(exception);
            foreach (var other in _switches)
            {
                other.Done.TrySetException(exception);
            }
            throw;
        }
        finally
        {
            _queue.Writer.TryComplete();
            _later?.Dispose();
            RefuseWhatIsLeft();
        }
    }

    private void DoRound(CancellationToken cancel)
    {
        var before = state.View;
        var (cluster, node) = (before.Cluster, before.Node);
        var changes = new List<Change>();
        var serviceChanges = new List<Subject>();
        var answersChanged = false;
        var comparesAgain = false;
        ForeignChange? foreign = null;
        ObservedState? seen = null;
        var began = Metrics?.Now ?? 0;
        long? heard = null;
        while (Next() is { } work)
        {
            heard ??= work is AgentWork.Nodes or AgentWork.Services ? work.Since : null;
            switch (work)
            {
                case AgentWork.Nodes nodes:
                    cluster = WithNodes(cluster, nodes, changes);
                    state.KnowsNodes = true;
                    break;
                case AgentWork.Services services:
                    WithServices(ref cluster, services, serviceChanges);
                    if (services.All)
                    {
                        // With a hundred thousand elements a look takes a second: with what is seen here the plan is compared below.
                        var observed = state.Observe(state.Home, state.LeftSomething ? KernelAreas.All : KernelAreas.Rules);
                        seen = state.LeftSomething ? observed : null;
                        node = node.With(node.Pools.Found(ServiceElements.Slots(observed, state.Home)));
                    }
                    break;
                case AgentWork.Answers answers:
                    answersChanged |= node.Answers != answers.Now;
                    node = node.With(answers.Now);
                    break;
                case AgentWork.Delete delete:
                    node = _attachments.Begin(delete, node);
                    break;
                case AgentWork.Add add:
                    node = _attachments.Begin(add, new NetworkView(cluster, node), node);
                    break;
                case AgentWork.Kernel { Change: var change }:
                    foreign = Repairer.Join(foreign, change);
                    break;
                case AgentWork.Switch other:
                    _switches.Add(other);
                    break;
                case AgentWork.Compare:
                    comparesAgain = state.IsApplied;
                    _later?.Begin();
                    break;
                case AgentWork.Ask ask:
                    _questions.Add(ask);
                    break;
            }
        }
        var nodesChanged = changes.Count != 0;
        changes.AddRange(_attachments.Changes);
        if (answersChanged)
        {
            changes.Add(new Change(Subject.Machine));
        }
        changes.AddRange(serviceChanges.Select(static subject => new Change(subject)));
        // What nothing is planned for yet is known all the same: endpoints of a Service that is still to come.
        var isAsBefore = changes.Count == 0 && ReferenceEquals(cluster, before.Cluster) && ReferenceEquals(node, before.Node);
        var failures = isAsBefore ? [] : state.Make(changes, new NetworkView(cluster, node));
        var compares = state.MustCompare || comparesAgain;
        if (compares)
        {
            failures = [.. failures, .. Adoption.Compare(state, seen)];
        }
        var added = _attachments.Finish(failures);
        if (added.Count != 0)
        {
            _ = LearnedMac.LearnLaterAsync(this, state.Options.Time, added, log, cancel);
        }
        Report(failures);
        foreach (var other in _switches)
        {
            Do(other);
        }
        _switches.Clear();
        if (nodesChanged || (foreign is not null && state.KnowsNodes))
        {
            Look(foreign);
        }
        state.LeaveAll();
        Settle(compares);
        if (Metrics is { } metrics && (changes.Count != 0 || compares || foreign is not null))
        {
            metrics.Synced(began);
            if (heard is { } since)
            {
                metrics.Programmed(since);
            }
        }
        RoundDone?.Invoke(nodesChanged);
        Trim?.Count(changes.Count);
        AnswerAll();
    }

    private void Do(AgentWork.Switch work)
    {
        try
        {
            var outcome = state.Switch(work.Options(state.View.Node.Options));
            Report(outcome.Refused);
            Report(outcome.Left);
            work.Done.SetResult(outcome);
        }
        catch (Exception exception)
        {
            work.Done.SetException(exception);
            throw;
        }
    }

    // The node's own address may have become another with its object, or its device with somebody's command.
    private void Look(ForeignChange? foreign)
    {
        if (foreign is null && state.View.Node.Underlay is not null && state.IsApplied)
        {
            var addresses = state.View.Cluster.Node(state.View.Node.Name)?.Addresses ?? [];
            if (addresses.Count == 0 || addresses.Contains(state.View.Node.Underlay.Addresses[0].Address))
            {
                return;
            }
        }
        // The first comparison is of everything.
        var areas = state.IsApplied && foreign is not null ? foreign.Areas : KernelAreas.All;
        var observed = state.Observe(state.Home, areas);
        var wire = (areas & KernelAreas.Routing) == 0 ? state.View.Node.Underlay : state.FindWire(observed) ?? state.View.Node.Underlay;
        if (wire != state.View.Node.Underlay)
        {
            // What hangs on it are pods' interfaces too: of a pair whose ends are of two sizes one drops what the other sends, and tells nobody.
            foreach (var lease in state.IsApplied ? state.Leases.All.ToList() : [])
            {
                state.Enter(lease);
            }
            Report(state.Make([new Change(Subject.Machine)], state.View with { Node = state.View.Node.With(wire) }));
            observed = state.IsApplied ? state.Observe(state.Home, areas) : observed;
        }
        if (state.IsApplied)
        {
            repairer.Repair(observed, foreign ?? new ForeignChange([]));
        }
        else if (wire is not null)
        {
            Report(Adoption.Adopt(state));
        }
    }

    private AgentWork? Next()
    {
        var work = _held;
        _held = null;
        if (work is null && !_queue.Reader.TryRead(out work))
        {
            return null;
        }
        var concerned = work switch
        {
            AgentWork.Add add => _attachments.Concerns(add.Id),
            AgentWork.Delete delete => _attachments.Concerns(delete.Id),
            _ => false,
        };
        if (concerned)
        {
            _held = work;
            return null;
        }
        return work;
    }

    private static ClusterView WithNodes(ClusterView cluster, AgentWork.Nodes nodes, List<Change> changes)
    {
        var named = nodes.All ? new HashSet<string>(StringComparer.Ordinal) : null;
        foreach (var (name, now) in nodes.Changed)
        {
            named?.Add(name);
            var after = now is null ? cluster.WithoutNode(name) : cluster.With(now);
            if (!ReferenceEquals(after, cluster))
            {
                cluster = after;
                changes.Add(new Change(Subject.Node(name)));
            }
        }
        if (named is not null)
        {
            foreach (var name in cluster.Nodes.Keys)
            {
                if (!named.Contains(name))
                {
                    cluster = cluster.WithoutNode(name);
                    changes.Add(new Change(Subject.Node(name)));
                }
            }
        }
        return cluster;
    }

    private void WithServices(ref ClusterView cluster, AgentWork.Services work, List<Subject> changed)
    {
        var services = work.All ? ClusterServices.Empty.With(work.Changed, work.Slices, new List<Subject>()) : null;
        if (services is null)
        {
            cluster = cluster.With(cluster.Services.With(work.Changed, work.Slices, changed));
            return;
        }
        // Those that were known and are not among all have gone.
        changed.AddRange(services.All.Select(static service => service.Subject));
        changed.AddRange(cluster.Services.All.Select(static service => service.Subject));
        cluster = cluster.With(services);
        state.LearnServices();
    }

    private void Report(IReadOnlyList<EntryFailure> failures)
    {
        foreach (var failure in failures)
        {
            Metrics?.Refused();
            // That it is tried again and again need not be said each time.
            if (IptablesKernel.Handles(failure.Key.Kind) && !_said.Add(failure))
            {
                continue;
            }
            Log.Refused(log, failure.Key.ToString(), failure.Message);
        }
    }

    private void Settle(bool hasCompared)
    {
        if (state.Unread is { } reason && reason != _unread)
        {
            Log.Unread(log, reason);
        }
        _unread = state.Unread;
        if (state.TakeUnsettled())
        {
            _later ??= new LaterComparison(state.Options.Time, () => Post(new AgentWork.Compare()));
            _later.Ask();
        }
        else if (hasCompared)
        {
            _later?.Settle();
            _said.Clear();
        }
    }

    private void AnswerAll()
    {
        foreach (var question in _questions)
        {
            question.Question(state);
        }
        _questions.Clear();
    }

    private void RefuseWhatIsLeft()
    {
        // Of the round that failed: whoever asked waits, and the agent's end for them.
        AnswerAll();
        var ending = new OperationCanceledException("the agent is ending");
        while (_queue.Reader.TryRead(out var work) || (work = Interlocked.Exchange(ref _held, null)) is not null)
        {
            switch (work)
            {
                case AgentWork.Add add:
                    add.Done.TrySetException(ending);
                    break;
                case AgentWork.Delete delete:
                    delete.Done.TrySetException(ending);
                    break;
                case AgentWork.Switch other:
                    other.Done.TrySetException(ending);
                    break;
                case AgentWork.Ask ask:
                    ask.Question(state);
                    break;
                default:
                    break;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Warning, "the kernel refused {Entry}: {Reason}")]
        public static partial void Refused(ILogger log, string entry, string reason);

        [LoggerMessage(1008, LogLevel.Warning, "what iptables' tables hold cannot be read, and they stay as they are until it can: {Reason}")]
        public static partial void Unread(ILogger log, string reason);
    }
}
