using System.Text.Json;
using Plumb.Agent.Cni;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Network.Facts;
using Plumb.Network.Pods;

namespace Plumb.Agent.Running;

/// <summary>The verbs of CNI, done by the loop.</summary>
internal sealed class CniVerbs(AgentLoop loop) : ICniVerbs
{
    public Task<CniResult> AddAsync(CniRequest request, CancellationToken cancel)
    {
        var work = new AgentWork.Add(request);
        return loop.Post(work) ? work.Done.Task : throw Ending();
    }

    public Task DeleteAsync(CniRequest request, CancellationToken cancel) =>
        DeleteAsync(new SandboxId(request.ContainerId, request.Interface));

    public Task CheckAsync(CniRequest request, CancellationToken cancel) => loop.AskAsync(state =>
    {
        Check(state, new SandboxId(request.ContainerId, request.Interface), request.Configuration.PreviousResult);
        return true;
    });

    public async Task CollectAsync(CniRequest request, CancellationToken cancel)
    {
        if (request.Configuration.ValidAttachments is not { } valid)
        {
            return; // "MUST be supplied"; without it nothing is known to be invalid
        }
        var keep = valid.Select(static attachment => new SandboxId(attachment.ContainerId, attachment.Interface)).ToHashSet();
        // Attachments to another network may be another runtime's; those of agents that did not write the network down are of the only one that there was.
        var network = request.Configuration.Name;
        var held = await loop.AskAsync(state => state.Leases.All.Where(lease => (lease.Network == network || lease.Network.Length == 0) && !keep.Contains(lease.Id)).Select(static lease => lease.Id).ToList());
        // All are tried; what failed is reported at the end.
        await Task.WhenAll(held.Select(DeleteAsync));
    }

    public Task StatusAsync(CancellationToken cancel) => loop.AskAsync(static state =>
    {
        var node = state.View.Node;
        if (NodeTrouble.Of(state) is { } trouble)
        {
            throw new CniException(CniErrorCode.NotAvailable, trouble);
        }
        foreach (var pool in PodPools.Usable(state.View.Cluster, node, []))
        {
            if ((ulong)state.Leases.CountIn(pool.Range) >= HostLocal.Capacity(pool.Range))
            {
                // Whoever is connected stays so, and all other verbs work.
                throw new CniException(CniErrorCode.NotAvailableAndLimited, $"no free address in {pool.Range} on {node.Name}");
            }
        }
        return true;
    });

    private static OperationCanceledException Ending() => new("the agent is ending");

    private Task DeleteAsync(SandboxId id)
    {
        var work = new AgentWork.Delete(id);
        return loop.Post(work) ? work.Done.Task : throw Ending();
    }

    private static void Check(NodeState state, SandboxId id, JsonElement? previous)
    {
        var lease = state.Leases.Find(id)
            ?? throw new CniException(CniErrorCode.UnknownContainer, $"container {id.ContainerId} holds no address for {id.Interface}");
        CniResults.CheckNames(lease, previous);
        if (!state.Enter(lease))
        {
            throw new CniException(CniErrorCode.UnknownContainer, $"{lease.NamespacePath} is no longer the container's network namespace");
        }
        try
        {
            LearnedMac.Learn(state, lease);
            var pod = lease.ToSandbox().Origin.Subject;
            foreach (var inside in new[] { lease.NamespaceName, state.Home })
            {
                var delta = state.Kernel.Difference(state.Planner.Desired, state.Observe(inside), [inside]);
                foreach (var item in delta.Items)
                {
                    // A plugin later in the chain may have given the pod another hardware address or MTU.
                    if (item.Want is not { } want || !state.Planner.Index.Why(item.Key).Any(why => why.Subject == pod))
                    {
                        continue;
                    }
                    if (item.Was is null or QdiscEntry)
                    {
                        throw new CniException(CniErrorCode.NotAsMade, $"{inside}: '{want.Entry.Print()}' is {(item.Was is null ? "missing" : $"now '{item.Was.Print()}'")}");
                    }
                    if (want.Entry is LinkEntry { Up: true } && item.Was is LinkEntry { Up: false } link)
                    {
                        throw new CniException(CniErrorCode.NotAsMade, $"{inside}: {link.Name} is down");
                    }
                }
            }
        }
        finally
        {
            state.LeaveAll();
        }
    }
}
