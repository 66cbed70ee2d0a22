using Plumb.Agent.Names;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Agent.Running;

/// <summary>
/// Keeps the loop told of Services and of the slices of their endpoints: first of all of both together, so that no Service is ever seen
/// without the endpoints that it has; then of each change.
/// </summary>
internal sealed class ServiceFeed(Informer<Service> services, Informer<EndpointSlice> slices, AgentLoop loop, NodeNames? names, ValueList<LocalAnswer> answers)
{
    private readonly SliceReading _reading = new();

    /// <summary>What the informers keep: the plan's own form of a Service is kept by the plan.</summary>
    public static Service Keep(Service service) => new() { Metadata = Identity(service.Metadata) };

    /// <inheritdoc cref="Keep(Service)"/>
    public static EndpointSlice Keep(EndpointSlice slice) => new() { Metadata = Identity(slice.Metadata) };

    public async Task RunAsync(CancellationToken cancel)
    {
        var informing = Task.WhenAny(services.RunAsync(cancel), slices.RunAsync(cancel));
        await Task.WhenAny(Task.WhenAll(services.Synced, slices.Synced), informing);
        if (!services.Synced.IsCompletedSuccessfully || !slices.Synced.IsCompletedSuccessfully)
        {
            // The agent ends before it heard of any: that is not to have heard that there are none.
            await await informing;
            return;
        }
        // The first lists stand among the changes, whole.
        loop.Post(new AgentWork.Services(Services(), Slices(), All: true));
        List<Task> parts = [FollowServicesAsync(cancel), FollowSlicesAsync(cancel), .. names is null ? Enumerable.Empty<Task>() : [names.RunAsync(Answer, cancel)]];
        // None of them ends but with all: an agent that hears of half goes on with what was.
        await await Task.WhenAny(parts);
        await await informing;
    }

    // Where the node does not answer, the endpoints of the Service do, if it has any.
    private void Answer(bool isAnswering) => loop.Post(new AgentWork.Answers(isAnswering ? answers : []));

    private async Task FollowServicesAsync(CancellationToken cancel)
    {
        while (await services.Changes.WaitToReadAsync(cancel))
        {
            loop.Post(new AgentWork.Services(Services(), [], All: false));
        }
    }

    private async Task FollowSlicesAsync(CancellationToken cancel)
    {
        while (await slices.Changes.WaitToReadAsync(cancel))
        {
            loop.Post(new AgentWork.Services([], Slices(), All: false));
        }
    }

    private List<(Subject, ClusterService?)> Services()
    {
        var changed = new List<(Subject, ClusterService?)>();
        while (services.Changes.TryRead(out var change))
        {
            names?.Take(change);
            var subject = ServiceReading.SubjectOf(change.Latest.Metadata.Namespace, change.Latest.Metadata.Name);
            changed.Add((subject, change.New is { } now ? ServiceReading.Read(now) : null));
        }
        return changed;
    }

    private List<(Subject, ServiceSlice?)> Slices()
    {
        var changed = new List<(Subject, ServiceSlice?)>();
        while (slices.Changes.TryRead(out var change))
        {
            names?.Take(change);
            var subject = SliceReading.SubjectOf(change.Latest.Metadata.Namespace, change.Latest.Metadata.Name);
            changed.Add((subject, change.New is { } now ? _reading.Read(now) : null));
        }
        return changed;
    }

    private static ObjectMeta Identity(ObjectMeta meta) =>
        new() { Namespace = meta.Namespace, Name = meta.Name, Uid = meta.Uid, ResourceVersion = meta.ResourceVersion };
}
