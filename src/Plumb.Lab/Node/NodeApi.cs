using System.Net.Http.Headers;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node;

/// <summary>A node's writes to the API, repeated while the API is away.</summary>
internal sealed class NodeApi(KubernetesClient client, TimeProvider time) : INodeApi
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly MediaTypeHeaderValue MergePatch = new("application/merge-patch+json");
    private static readonly MediaTypeHeaderValue StrategicMergePatch = new("application/strategic-merge-patch+json");

    public Task CreateNodeAsync(string name, ReadOnlyMemory<byte> node, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, Kubernetes.Objects.Node.Type.Resource.Path(), Json, node, cancel);

    public Task PatchNodeStatusAsync(string name, ReadOnlyMemory<byte> patch, CancellationToken cancel) =>
        SendAsync(HttpMethod.Patch, Kubernetes.Objects.Node.Type.Resource.Path(null, name, "status"), StrategicMergePatch, patch, cancel);

    public async Task WriteLeaseAsync(NodeReport node, DateTimeOffset now, CancellationToken cancel)
    {
        const string leases = "kube-node-lease";
        if (!await SendAsync(HttpMethod.Patch, Lease.Type.Resource.Path(leases, node.Name), MergePatch, node.ToLeaseRenewal(now), cancel))
        {
            await SendAsync(HttpMethod.Post, Lease.Type.Resource.Path(leases), Json, node.ToLease(now), cancel);
        }
    }

    public Task<bool> PatchPodStatusAsync(PodName pod, ReadOnlyMemory<byte> patch, CancellationToken cancel) =>
        SendAsync(HttpMethod.Patch, Pod.Type.Resource.Path(pod.Namespace, pod.Name, "status"), StrategicMergePatch, patch, cancel);

    public Task ConfirmDeletionAsync(PodName pod, CancellationToken cancel) =>
        RepeatAsync(
            () => client.DeleteAsync<Pod>(pod.Namespace, pod.Name, new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Uid }, cancel),
            cancel);

    public Task<bool> CreateEventAsync(string @namespace, ReadOnlyMemory<byte> body, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, Event.Type.Resource.Path(@namespace), Json, body, cancel);

    public Task<bool> PatchEventAsync(string @namespace, string name, ReadOnlyMemory<byte> patch, CancellationToken cancel) =>
        SendAsync(HttpMethod.Patch, Event.Type.Resource.Path(@namespace, name), MergePatch, patch, cancel);

    private Task<bool> SendAsync(HttpMethod method, string path, MediaTypeHeaderValue type, ReadOnlyMemory<byte> body, CancellationToken cancel) =>
        RepeatAsync(
            async () =>
            {
                using var content = new ReadOnlyMemoryContent(body);
                content.Headers.ContentType = type;
                await client.SendAsync(method, path, content, cancel);
                return true;
            },
            cancel);

    /// <summary>Again until the server answers; what it refuses would be refused again, and is the caller's to judge.</summary>
    private async Task<bool> RepeatAsync(Func<Task<bool>> write, CancellationToken cancel)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5), time, Random.Shared);
        while (true)
        {
            try
            {
                return await write();
            }
            catch (ApiException refused) when (refused.Code is < 500 and not 429)
            {
                return false;
            }
            catch (Exception away) when (away is ApiException or HttpRequestException or IOException)
            {
                await backoff.WaitAsync(cancel);
            }
        }
    }
}
