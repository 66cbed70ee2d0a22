using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Running;

/// <summary>
/// Tells when no Service leads new connections to some addresses any more on this node: the slices say so, and the kernel has been told.
/// </summary>
/// <remarks>All of it runs on the agent's loop.</remarks>
internal sealed class Departures
{
    private readonly List<(TaskCompletionSource<bool> Gone, ValueList<IpAddress> Addresses, List<Subject> Slices)> _waiting = [];

    /// <summary>Completes with false at once when no slice has them, with true when none of those that do leads there any more.</summary>
    /// <param name="cancel">Whoever waits has no more time.</param>
    public Task<bool> WaitAsync(ClusterServices services, ValueList<IpAddress> addresses, CancellationToken cancel)
    {
        var slices = new List<Subject>();
        foreach (var slice in services.Slices)
        {
            if (Leads(slice, addresses))
            {
                slices.Add(slice.Subject);
            }
        }
        if (slices.Count == 0)
        {
            // The news that they are going may have been here before the question.
            return Task.FromResult(services.Slices.Any(slice => slice.Endpoints.Any(endpoint => addresses.Contains(endpoint.Address))));
        }
        var gone = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancel.UnsafeRegister(static state => ((TaskCompletionSource<bool>)state!).TrySetCanceled(), gone);
        _waiting.Add((gone, addresses, slices));
        return gone.Task;
    }

    /// <summary>Services or slices have changed, and the kernel with them.</summary>
    public void Look(ClusterServices services)
    {
        for (var i = _waiting.Count - 1; i >= 0; i--)
        {
            var (gone, addresses, slices) = _waiting[i];
            slices.RemoveAll(subject => services.Slice(subject) is not { } slice || !Leads(slice, addresses));
            if (slices.Count == 0)
            {
                gone.TrySetResult(true);
            }
            if (gone.Task.IsCompleted)
            {
                _waiting.RemoveAt(i);
            }
        }
    }

    private static bool Leads(ServiceSlice slice, ValueList<IpAddress> addresses)
    {
        foreach (var endpoint in slice.Endpoints)
        {
            // One that is going gets nobody unless there is nobody else.
            if (endpoint.IsReady && (endpoint.State & EndpointState.Terminating) == 0)
            {
                foreach (var address in addresses)
                {
                    if (endpoint.Address == address)
                    {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
