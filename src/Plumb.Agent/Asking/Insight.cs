using System.Runtime.CompilerServices;
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
    private static readonly TimeSpan _apiPatience = TimeSpan.FromSeconds(5); // of somebody who waits at a terminal

    public async Task<NodePlaces> PlacesAsync()
    {
        // A thousand of them are printed beside the loop.
        var (view, leases) = await loop.AskAsync(static state => (state.View, state.Leases.All.ToList()));
        var (node, chosen) = (view.Node, view.Node.Options);
        return new NodePlaces(
            options.NodeName,
            options.Network.Identity.Inode,
            [.. leases.Select(Of)],
            [.. view.Cluster.Nodes.Values.Select(static one => new NodePlace(one.Name, Texts(one.Addresses), Texts(one.PodRanges)))],
            new NetworkChoices(
                chosen.Overlay.ToString(), chosen.Services.ToString(), Texts((node.Underlay?.Addresses ?? []).Select(static own => own.Network)), Texts(chosen.ClusterRanges), Texts(chosen.ServiceRanges), Texts(chosen.DnsServers)));
    }

    /// <summary>Who has an address. Only a pod's name is the API's to tell: while it does not, the node is told alone.</summary>
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
    /// <exception cref="AgentException">The API server has not answered at all for some seconds.</exception>
    public async IAsyncEnumerable<JsonObject> ObjectsAsync(GroupVersionResource resource, string? scope, FieldSelector? fields, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (options.Api is not { } api)
        {
            yield break;
        }
        using var patience = Patience(cancel);
        await using var found = AllObjects.OfAsync(api, resource.Path(scope), fields, patience.Token).GetAsyncEnumerator(patience.Token);
        while (await MoveAsync())
        {
            // Who has begun to answer may take the time that it takes.
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            yield return found.Current;
        }

        async Task<bool> MoveAsync()
        {
            try
            {
                return await found.MoveNextAsync();
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new AgentException($"the API server has not answered for {_apiPatience.TotalSeconds:0} s");
            }
        }
    }

    private static CancellationTokenSource Patience(CancellationToken cancel)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(_apiPatience);
        return patience;
    }

    private async Task<string?> PodOfAsync(ServiceSlice slice, IpAddress address, CancellationToken cancel)
    {
        if (options.Api is not { } api)
        {
            return null;
        }
        using var patience = Patience(cancel);
        IReadOnlyList<EndpointSlice> found;
        try
        {
            found = (await api.ListAsync<EndpointSlice>(new ListOptions { Namespace = slice.Subject.Scope, Fields = FieldSelector.Equal("metadata.name", slice.Subject.Name) }, patience.Token)).Items;
        }
        catch (Exception silent) when (silent is ApiException or HttpRequestException or IOException or UnauthorizedAccessException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return null;
        }
        var target = found.SelectMany(static one => one.Endpoints).FirstOrDefault(one => one.Addresses is [var first, ..] && IpAddress.TryParse(first, out var its) && its == address)?.TargetRef;
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
