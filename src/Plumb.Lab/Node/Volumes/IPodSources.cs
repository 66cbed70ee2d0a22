using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Volumes;

/// <summary>What a node reads from the API for the volumes and variables of its pods.</summary>
internal interface IPodSources
{
    /// <returns>Null: there is none.</returns>
    Task<ConfigMap?> ConfigMapAsync(string @namespace, string name, CancellationToken cancel);

    /// <inheritdoc cref="ConfigMapAsync"/>
    Task<Secret?> SecretAsync(string @namespace, string name, CancellationToken cancel);

    /// <summary>A token for the pod's service account (TokenRequest, authentication.k8s.io/v1).</summary>
    /// <returns>Null: the server gives none.</returns>
    Task<PodToken?> TokenAsync(PodName pod, string account, ServiceAccountTokenProjection wanted, CancellationToken cancel);

    /// <summary>Calls back after each change of a ConfigMap or Secret in this namespace, until disposed.</summary>
    IDisposable Follow(string @namespace, Action changed);
}

/// <summary>Of a node without an API: nothing is there.</summary>
internal sealed class NoSources : IPodSources, IDisposable
{
    public Task<ConfigMap?> ConfigMapAsync(string @namespace, string name, CancellationToken cancel) => Task.FromResult<ConfigMap?>(null);

    public Task<Secret?> SecretAsync(string @namespace, string name, CancellationToken cancel) => Task.FromResult<Secret?>(null);

    public Task<PodToken?> TokenAsync(PodName pod, string account, ServiceAccountTokenProjection wanted, CancellationToken cancel) => Task.FromResult<PodToken?>(null);

    public IDisposable Follow(string @namespace, Action changed) => this;

    public void Dispose()
    {
    }
}
