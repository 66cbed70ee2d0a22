using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Volumes;

/// <summary>
/// Reads at the API server. Changes are followed from the first pod on that wants to hear of them: most labs have none.
/// </summary>
internal sealed class PodSources(KubernetesClient client, TimeProvider time, Action<string, Exception> trouble, CancellationToken ending) : IPodSources
{
    private readonly Lock _gate = new();
    private readonly HashSet<Follower> _followers = [];
    private bool _follows;

    public Task<ConfigMap?> ConfigMapAsync(string @namespace, string name, CancellationToken cancel) => FindAsync<ConfigMap>(@namespace, name, cancel);

    public Task<Secret?> SecretAsync(string @namespace, string name, CancellationToken cancel) => FindAsync<Secret>(@namespace, name, cancel);

    public async Task<PodToken?> TokenAsync(PodName pod, string account, ServiceAccountTokenProjection wanted, CancellationToken cancel)
    {
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["audiences"] = wanted.Audience is { Length: > 0 } audience ? new JsonArray(audience) : [],
                ["expirationSeconds"] = wanted.ExpirationSeconds ?? 3600,
                ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Name, ["uid"] = pod.Uid },
            },
        };
        try
        {
            using var body = new StringContent(request.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
            var answer = await client.SendAsync(HttpMethod.Post, ServiceAccount.Type.Resource.Path(pod.Namespace, account, "token"), body, cancel);
            var status = JsonNode.Parse(answer)?["status"];
            return (string?)status?["token"] is { } token ? new PodToken(token, DateTimeOffset.Parse((string)status["expirationTimestamp"]!, CultureInfo.InvariantCulture)) : null;
        }
        catch (Exception refused) when (refused is ApiException or HttpRequestException or IOException)
        {
            return null;
        }
    }

    public IDisposable Follow(string @namespace, Action changed)
    {
        var follower = new Follower(this, @namespace, changed);
        lock (_gate)
        {
            _followers.Add(follower);
            if (!_follows)
            {
                _follows = true;
                _ = RunAsync<ConfigMap>("configmaps");
                _ = RunAsync<Secret>("secrets");
            }
        }
        return follower;
    }

    private async Task<T?> FindAsync<T>(string @namespace, string name, CancellationToken cancel) where T : class, IResource<T>
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5), time, Random.Shared);
        while (true)
        {
            try
            {
                return await client.FindAsync<T>(@namespace, name, cancel);
            }
            catch (Exception away) when (away is ApiException or HttpRequestException or IOException)
            {
                await backoff.WaitAsync(cancel);
            }
        }
    }

    private async Task RunAsync<T>(string what) where T : class, IResource<T>
    {
        var informer = new Informer<T>(client, ListOptions.All, Random.Shared) { OnTrouble = fault => trouble(what, fault) };
        var running = informer.RunAsync(ending);
        try
        {
            await foreach (var change in informer.Changes.ReadAllAsync(ending))
            {
                Tell(change.Key.Namespace);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The lab is ending.
        }
        await running;
    }

    private void Tell(string @namespace)
    {
        List<Follower> told = [];
        lock (_gate)
        {
            foreach (var follower in _followers)
            {
                if (follower.Namespace == @namespace)
                {
                    told.Add(follower);
                }
            }
        }
        foreach (var follower in told)
        {
            follower.Changed();
        }
    }

    private sealed class Follower(PodSources owner, string @namespace, Action changed) : IDisposable
    {
        public string Namespace => @namespace;

        public Action Changed => changed;

        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._followers.Remove(this);
            }
        }
    }
}
