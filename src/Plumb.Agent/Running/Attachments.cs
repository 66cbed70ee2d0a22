using Plumb.Agent.Cni;
using Plumb.Agent.Kernel;
using Plumb.Agent.Leases;
using Plumb.Linux.Native;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Network.Pods;

namespace Plumb.Agent.Running;

/// <summary>
/// Connects and disconnects containers, many at once: all leases are written, then everything is planned together and goes to
/// the kernel together, then each caller hears how its own went.
/// </summary>
internal sealed class Attachments(NodeState state)
{
    private readonly List<(AgentWork.Add Work, Lease Lease)> _adding = [];
    private readonly List<AgentWork.Delete> _deleting = [];
    private readonly List<Change> _changes = [];

    /// <summary>Whether the id already has a part in this round, so that more about it must wait for the next.</summary>
    public bool Concerns(SandboxId id) => _adding.Exists(added => added.Work.Id == id) || _deleting.Exists(deleted => deleted.Id == id);

    /// <summary>Takes a lease and makes the sandbox part of <paramref name="node"/>; a failure is told at once.</summary>
    public NodeFacts Begin(AgentWork.Add work, NetworkView view, NodeFacts node)
    {
        try
        {
            var lease = LeaseFor(work.Request, view);
            _adding.Add((work, lease));
            _changes.Add(new Change(work.Id.Subject));
            return node.With(lease.ToSandbox());
        }
        catch (Exception exception) when (exception is CniException or IOException or UnauthorizedAccessException)
        {
            work.Done.SetException(exception);
            return node;
        }
        catch (Exception exception)
        {
            work.Done.SetException(exception);
            throw;
        }
    }

    public NodeFacts Begin(AgentWork.Delete work, NodeFacts node)
    {
        if (!state.IsApplied && state.Leases.Find(work.Id) is { } lease)
        {
            TakeDown(lease);
        }
        _deleting.Add(work);
        _changes.Add(new Change(work.Id.Subject));
        return node.Without(work.Id);
    }

    public IReadOnlyCollection<Change> Changes => _changes;

    /// <summary>
    /// Before the first comparison no plan has what an earlier agent made, perhaps by half: of a pair only the pod's end bears a mark then. It goes, and
    /// takes the node's with it; all else of the attachment the comparison finds.
    /// </summary>
    private void TakeDown(Lease lease)
    {
        if (state.Enter(lease)
            && state.Observe(lease.NamespaceName).Entries.GetValueOrDefault(new EntryKey(lease.NamespaceName, EntryKind.Link, lease.Id.Interface)) is { Owner: Owner.Plumb } link)
        {
            // What the kernel refuses stays for the comparison, too.
            _ = state.Apply([new DeltaItem(null, link.Entry)]);
        }
    }

    /// <summary>Tells each caller, once the plan has been applied.</summary>
    /// <returns>Who is connected now and was not before.</returns>
    public IReadOnlyList<SandboxId> Finish(IReadOnlyList<EntryFailure> failures)
    {
        foreach (var work in _deleting)
        {
            FinishDelete(work);
        }
        var failed = Failed(failures);
        if (failed.Count != 0)
        {
            TakeBack(failed);
        }
        var added = new List<SandboxId>();
        foreach (var (work, lease) in _adding)
        {
            if (!failed.ContainsKey(work.Id))
            {
                added.Add(work.Id);
                work.Done.SetResult(CniResults.Of(lease, state.Home, state.Planner.Desired, work.Request.Configuration));
            }
        }
        _adding.Clear();
        _deleting.Clear();
        _changes.Clear();
        return added;
    }

    /// <summary>The agent cannot go on: nobody waits for an answer that will not come.</summary>
    public void Abandon(Exception reason)
    {
        foreach (var (work, _) in _adding)
        {
            work.Done.TrySetException(reason);
        }
        foreach (var work in _deleting)
        {
            work.Done.TrySetException(reason);
        }
    }

    private Lease LeaseFor(CniRequest request, NetworkView view)
    {
        var id = new SandboxId(request.ContainerId, request.Interface);
        if (!state.IsApplied || view.Node.Underlay is null)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"the network of {view.Node.Name} is not set up yet");
        }
        if (state.Withheld is { } link)
        {
            throw new CniException(CniErrorCode.TryAgainLater, link);
        }
        var wanted = new Lease(id, [], request.NamespacePath, default)
        {
            PodScope = request.Arguments.PodScope,
            PodName = request.Arguments.PodName,
            PodUid = request.Arguments.PodUid,
            Network = request.Configuration.Name,
            Mac = request.Configuration.Mac,
            Ports = [.. request.Configuration.Ports],
            Bandwidth = request.Configuration.Bandwidth,
        };
        var there = state.Kernel.Enter(wanted.NamespaceName, request.NamespacePath, null)
            ?? throw new CniException(CniErrorCode.UnknownContainer, $"CNI_NETNS {request.NamespacePath} is no network namespace");
        state.Entered.Add(wanted.NamespaceName);
        if (state.Leases.Find(id) is not null)
        {
            // "If an interface of the requested name already exists in the container, the CNI plugin MUST return with an error."
            throw new CniException(
                CniErrorCode.InvalidEnvironment, $"CNI_IFNAME {id.Interface} of CNI_CONTAINERID {id.ContainerId} is connected already: DEL must come before another ADD");
        }
        if (OtherIn(there, wanted) is { } other)
        {
            throw new CniException(
                CniErrorCode.InvalidEnvironment,
                $"CNI_IFNAME {id.Interface}: {request.NamespacePath} is connected by {other.Interface} already; Plumb gives a network namespace one interface, as a second one's routes would be those of the first");
        }
        var refused = new List<(string Line, Origin Cause)>();
        var pools = PodPools.Usable(view.Cluster, view.Node, refused);
        if (pools.Count == 0)
        {
            throw new CniException(
                CniErrorCode.TryAgainLater,
                refused.Count == 0 ? $"Node {view.Node.Name} has no spec.podCIDR yet" : $"Node {view.Node.Name}: {refused[0].Line}");
        }
        return state.Leases.Take(wanted with { Namespace = there }, pools, view.Node.Name, request.Configuration.Addresses);
    }

    /// <summary>Which of our interfaces a namespace has or is about to get; a lease alone says nothing, as the kernel gives a namespace's number to another when it has gone.</summary>
    private SandboxId? OtherIn(FileIdentity there, Lease wanted)
    {
        foreach (var held in state.Leases.All)
        {
            if (held.Namespace == there && (_adding.Exists(adding => adding.Lease.Id == held.Id) || IsInside(wanted.NamespaceName, held.Id.Interface)))
            {
                return held.Id;
            }
        }
        return null;
    }

    private bool IsInside(NamespaceId name, string link) =>
        state.Kernel.Observe(name, [], KernelAreas.Routing).Entries.Values.Any(held => held is { Owner: Owner.Plumb, Entry: LinkEntry { Type: LinkType.Veth } end } && end.Name == link);

    private void FinishDelete(AgentWork.Delete work)
    {
        try
        {
            state.Leases.Release(work.Id);
            work.Done.SetResult();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            work.Done.SetException(exception);
        }
    }

    private Dictionary<SandboxId, EntryFailure> Failed(IReadOnlyList<EntryFailure> failures)
    {
        var failed = new Dictionary<SandboxId, EntryFailure>();
        if (failures.Count == 0)
        {
            return failed;
        }
        foreach (var failure in failures)
        {
            foreach (var (work, lease) in _adding)
            {
                if (failure.Key.Namespace == lease.NamespaceName || state.Planner.Index.Why(failure.Key).Any(why => why.Subject == lease.ToSandbox().Origin.Subject))
                {
                    failed.TryAdd(work.Id, failure);
                }
            }
        }
        return failed;
    }

    // Half a connection would look like one. The lease goes last: until then nobody else gets the address.
    private void TakeBack(Dictionary<SandboxId, EntryFailure> failed)
    {
        var node = state.View.Node;
        foreach (var id in failed.Keys)
        {
            node = node.Without(id);
        }
        state.Make([.. failed.Keys.Select(static id => new Change(id.Subject))], state.View with { Node = node });
        foreach (var (work, lease) in _adding)
        {
            if (failed.TryGetValue(work.Id, out var failure))
            {
                state.Leases.Release(lease.Id);
                work.Done.SetException(new CniException(CniErrorCode.KernelRefused, failure.Message, failure.Key.ToString()));
            }
        }
    }
}
