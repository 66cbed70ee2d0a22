using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Network;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Running;

/// <summary>
/// Keeps the loop told of Services and of the slices of their endpoints: first of all of both together, so that no Service is ever seen
/// without the endpoints that it has; then of each change.
/// </summary>
internal sealed class ServiceFeed(Informer<Service> services, Informer<EndpointSlice> slices, AgentLoop loop)
{
    private readonly SliceReading _reading = new();

    public async Task RunAsync(CancellationToken cancel)
    {
        var informing = Task.WhenAll(services.RunAsync(cancel), slices.RunAsync(cancel));
        await Task.WhenAny(Task.WhenAll(services.Synced, slices.Synced), informing);
        loop.Post(new AgentWork.Services(
            [.. services.Objects.Values.Select(static service => (SubjectOf(service), ServiceReading.Read(service)))],
            [.. slices.Objects.Values.Select(slice => (SubjectOf(slice), _reading.Read(slice)))],
            All: true));
        await Task.WhenAll(FollowServicesAsync(cancel), FollowSlicesAsync(cancel));
        await informing;
    }

    private async Task FollowServicesAsync(CancellationToken cancel)
    {
        while (await services.Changes.WaitToReadAsync(cancel))
        {
            var changed = new List<(Subject, ClusterService?)>();
            while (services.Changes.TryRead(out var change))
            {
                changed.Add((SubjectOf(change.Latest), change.New is { } now ? ServiceReading.Read(now) : null));
            }
            loop.Post(new AgentWork.Services(changed, [], All: false));
        }
    }

    private async Task FollowSlicesAsync(CancellationToken cancel)
    {
        while (await slices.Changes.WaitToReadAsync(cancel))
        {
            var changed = new List<(Subject, ServiceSlice?)>();
            while (slices.Changes.TryRead(out var change))
            {
                changed.Add((SubjectOf(change.Latest), change.New is { } now ? _reading.Read(now) : null));
            }
            loop.Post(new AgentWork.Services([], changed, All: false));
        }
    }

    private static Subject SubjectOf(Service service) => ServiceReading.SubjectOf(service.Metadata.Namespace, service.Metadata.Name);

    private static Subject SubjectOf(EndpointSlice slice) => SliceReading.SubjectOf(slice.Metadata.Namespace, slice.Metadata.Name);
}
