using System.Text.Json.Nodes;
using Plumb.Agent.Running;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Asking;

/// <summary>Kinds of objects that the agent's account may read, and so whoever may ask the agent.</summary>
public static class ReadableKinds
{
    /// <summary>Resources in the plural, with where the API has them.</summary>
    public static IReadOnlyDictionary<string, GroupVersionResource> All { get; } = new Dictionary<string, GroupVersionResource>(StringComparer.Ordinal)
    {
        [Node.Type.Resource.Resource] = Node.Type.Resource,
        [Service.Type.Resource.Resource] = Service.Type.Resource,
        [EndpointSlice.Type.Resource.Resource] = EndpointSlice.Type.Resource,
    };
}

/// <summary>
/// What people's tools ask beside the plan. The agent keeps no more of objects than it plans by: what else of them is asked for, it asks the API for, one page at a time.
/// </summary>
internal sealed class Insight(NodeAgentOptions options, AgentLoop loop)
{
    public Task<NodePlaces> PlacesAsync() => loop.AskAsync(state =>
    {
        var (node, chosen) = (state.View.Node, state.View.Node.Options);
        return new NodePlaces(
            options.NodeName,
            options.Network.Identity.Inode,
            [.. state.Leases.All.Select(Of)],
            [.. state.View.Cluster.Nodes.Values.Select(static one => new NodePlace(one.Name, Texts(one.Addresses), Texts(one.PodRanges)))],
            new NetworkChoices(
                chosen.Overlay.ToString(), chosen.Services.ToString(), Texts((node.Underlay?.Addresses ?? []).Select(static own => own.Network)), Texts(chosen.ClusterRanges), Texts(chosen.ServiceRanges), Texts(chosen.DnsServers)));
    });

    /// <exception cref="ApiException">The API server refuses to tell the pod's name.</exception>
    public async Task<AddressHolder> HolderAsync(IpAddress address, CancellationToken cancel)
    {
        // Immutable: what is long is looked through beside the loop.
        var (cluster, own) = await loop.AskAsync(state => (
            state.View.Cluster, state.Leases.All.FirstOrDefault(lease => lease.Addresses.Any(held => held.Address == address))));
        if (own is not null)
        {
            return new AddressHolder(options.NodeName, own.PodName.Length == 0 ? null : $"{own.PodScope}/{own.PodName}");
        }
        var node = cluster.Nodes.Values.FirstOrDefault(node => node.Addresses.Contains(address));
        if (node is not null)
        {
            return new AddressHolder(node.Name, null);
        }
        node = cluster.Nodes.Values.FirstOrDefault(node => node.PodRanges.Any(range => range.Contains(address)));
        var slice = cluster.Services.Slices.FirstOrDefault(slice => slice.Endpoints.Any(one => one.Address == address));
        var said = slice?.Endpoints.First(one => one.Address == address).Node;
        var name = string.IsNullOrEmpty(said) ? node?.Name : said;
        return new AddressHolder(name, slice is null ? null : await PodOfAsync(slice, address, cancel));
    }

    /// <summary>Objects of one kind as the API has them; none where there is no API.</summary>
    public IAsyncEnumerable<JsonObject> ObjectsAsync(GroupVersionResource resource, string? scope, FieldSelector? fields, CancellationToken cancel) =>
        options.Api is { } api ? AllObjects.OfAsync(api, resource.Path(scope), fields, cancel) : AsyncEnumerable.Empty<JsonObject>();

    private async Task<string?> PodOfAsync(ServiceSlice slice, IpAddress address, CancellationToken cancel)
    {
        if (options.Api is not { } api)
        {
            return null;
        }
        var found = await api.ListAsync<EndpointSlice>(new ListOptions { Namespace = slice.Subject.Scope, Fields = FieldSelector.Equal("metadata.name", slice.Subject.Name) }, cancel);
        var text = address.ToString();
        var target = found.Items.SelectMany(static one => one.Endpoints).FirstOrDefault(one => one.Addresses is [var first, ..] && IpAddress.TryParse(first, out var its) && its == address)?.TargetRef;
        return target is { Kind: "Pod" } ? $"{target.Namespace}/{target.Name}" : null;
    }

    private static ConnectedPod Of(Leases.Lease lease) => new(
        lease.NamespaceName.Name,
        lease.PodName.Length == 0 ? "" : lease.PodScope,
        lease.PodName.Length == 0 ? lease.Id.ContainerId : lease.PodName,
        Texts(lease.Addresses.Select(static held => held.Address)),
        lease.NamespacePath,
        lease.Namespace.Inode);

    private static string[] Texts<T>(IEnumerable<T> values) => [.. values.Select(static value => $"{value}")];
}
