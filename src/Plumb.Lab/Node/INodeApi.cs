namespace Plumb.Lab.Node;

/// <summary>
/// What a node writes to the API. Nothing here throws for what a cluster does (a pod that is gone, a server that is away): the answer
/// says whether it was written, after retries.
/// </summary>
internal interface INodeApi
{
    Task CreateNodeAsync(string name, ReadOnlyMemory<byte> node, CancellationToken cancel);

    Task PatchNodeStatusAsync(string name, ReadOnlyMemory<byte> patch, CancellationToken cancel);

    Task WriteLeaseAsync(NodeReport node, DateTimeOffset now, CancellationToken cancel);

    /// <summary>False: the pod is gone, or another has its name.</summary>
    Task<bool> PatchPodStatusAsync(PodName pod, ReadOnlyMemory<byte> patch, CancellationToken cancel);

    /// <summary>Confirms that nothing of the pod runs any more (grace 0, with its uid as precondition).</summary>
    Task ConfirmDeletionAsync(PodName pod, CancellationToken cancel);

    /// <summary>False: it was refused, e.g. because its namespace is going.</summary>
    Task<bool> CreateEventAsync(string @namespace, ReadOnlyMemory<byte> body, CancellationToken cancel);

    /// <summary>False: there is no such event any more.</summary>
    Task<bool> PatchEventAsync(string @namespace, string name, ReadOnlyMemory<byte> patch, CancellationToken cancel);
}
