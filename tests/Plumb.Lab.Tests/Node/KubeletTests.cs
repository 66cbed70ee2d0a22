using System.Collections.Concurrent;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Cni;
using Plumb.Lab.Containers;
using Plumb.Lab.Node;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Node;

public sealed class KubeletTests : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-kubelet-").FullName;
    private readonly NetworkNamespace _network = NetworkNamespace.OpenHome();
    private readonly KubernetesClient _client = new(
        new ClusterConnection { Server = new Uri("http://nowhere"), Connect = static _ => throw new IOException("nobody is asked") }, TimeProvider.System, "test");

    private readonly ContainerRuntime _containers;
    private readonly Journal _api = new();
    private readonly Kubelet _kubelet;

    public KubeletTests()
    {
        _containers = new ContainerRuntime(_directory, ["plumb"], TimeProvider.System);
        _kubelet = new Kubelet(new NodeContext(
            new NodeReport("node-1", [IpAddress.Parse("192.168.1.11")], [IpPrefix.Parse("10.244.1.0/24")]),
            _network,
            [],
            _api,
            new EventQueue("node-1", _api, TimeProvider.System),
            new CniClient(
                _directory,
                new PluginCalls(new AgentPlugin(Path.Combine(_directory, "no.sock")), new PluginRunner(_network, _directory, _directory, "", TimeProvider.System)),
                new ResultCache(Path.Combine(_directory, "results"))),
            _containers,
            new ServiceVariables(new Informer<Service>(_client, ListOptions.All, Random.Shared)),
            new NodeSignals(),
            static (_, _) => Task.FromResult(false),
            new SemaphoreSlim(1),
            TimeProvider.System));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _kubelet.DisposeAsync();
        await _containers.DisposeAsync();
        _client.Dispose();
        _network.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_pod_that_has_ended_does_not_begin_again_when_the_nodes_own_last_write_comes_back_in_the_watch()
    {
        var pod = PodOf("website", isDeleted: false);
        _kubelet.Apply(pod);
        var first = Assert.Single(_kubelet.Pods);
        _kubelet.Apply(PodOf("website", isDeleted: true));
        await first.Done.WaitAsync(Cancel);
        Assert.Equal("website", Assert.Single(_api.Confirmed));

        _kubelet.Apply(PodOf("website", isDeleted: true));
        Assert.Same(first, Assert.Single(_kubelet.Pods));

        await _kubelet.Remove(pod.Metadata.Uid!);
        await first.Gone.WaitAsync(Cancel);
        Assert.Single(_api.Confirmed);
    }

    [Fact]
    public async Task A_pod_that_is_there_again_as_if_nobody_had_deleted_it_begins_anew()
    {
        _kubelet.Apply(PodOf("website", isDeleted: false));
        var first = Assert.Single(_kubelet.Pods);
        _kubelet.Apply(PodOf("website", isDeleted: true));
        _kubelet.Apply(PodOf("website", isDeleted: false));
        await first.Done.WaitAsync(Cancel);
        var second = await AnotherAsync(first);
        Assert.False(second.Done.IsCompleted);

        // Now it has ended, and its object was gone for a while.
        _kubelet.Apply(PodOf("website", isDeleted: true));
        await second.Done.WaitAsync(Cancel);
        var confirmed = _api.Confirmed.Count;
        _ = _kubelet.Remove("uid-of-website");
        _kubelet.Apply(PodOf("website", isDeleted: false));
        Assert.False((await AnotherAsync(second)).Done.IsCompleted);
        Assert.Equal(confirmed, _api.Confirmed.Count);
    }

    [Fact]
    public async Task A_pod_that_is_no_longer_on_a_node_ends_there_without_a_word_and_begins_when_it_has_ended()
    {
        var router = new PodRouter(new Dictionary<string, Kubelet> { ["node-1"] = _kubelet });
        var pod = PodOf("website", isDeleted: false);
        router.Apply(pod);
        var first = Assert.Single(_kubelet.Pods);
        router.Apply(pod with { Spec = pod.Spec with { NodeName = null } });
        router.Apply(pod);
        await first.Done.WaitAsync(Cancel);
        Assert.False((await AnotherAsync(first)).Done.IsCompleted);
        Assert.Empty(_api.Confirmed);
    }

    [Fact]
    public async Task A_pod_that_is_known_first_when_it_is_deleted_is_let_go_without_a_start()
    {
        _kubelet.Apply(PodOf("late", isDeleted: true));
        await Assert.Single(_kubelet.Pods).Done.WaitAsync(Cancel);
        Assert.Equal("late", Assert.Single(_api.Confirmed));
        Assert.Empty(_api.Events);
    }

    [Fact]
    public async Task A_pod_that_its_worker_cannot_cope_with_says_so_and_can_still_be_deleted()
    {
        // No check of the API would let this name pass.
        var pod = PodOf("odd", isDeleted: false);
        pod = pod with { Spec = pod.Spec with { Volumes = [new Volume { Name = "a\0b", EmptyDir = new EmptyDirVolume() }] } };
        _kubelet.Apply(pod);
        var worker = Assert.Single(_kubelet.Pods);
        while (!_api.Events.Any(static one => one.Contains("FailedSync", StringComparison.Ordinal)))
        {
            await Task.Delay(5, Cancel);
        }
        Assert.Equal("Failed", worker.Phase);
        Assert.False(worker.Done.IsCompleted);
        _kubelet.Apply(pod with { Metadata = pod.Metadata with { DeletionTimestamp = DateTimeOffset.UnixEpoch } });
        await worker.Done.WaitAsync(Cancel);
        Assert.Equal("odd", Assert.Single(_api.Confirmed));
    }

    private async Task<PodWorker> AnotherAsync(PodWorker before)
    {
        while (_kubelet.Pods is not [var worker] || worker == before)
        {
            await Task.Delay(5, Cancel);
        }
        return Assert.Single(_kubelet.Pods);
    }

    private static Pod PodOf(string name, bool isDeleted) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default", Uid = $"uid-of-{name}", DeletionTimestamp = isDeleted ? DateTimeOffset.UnixEpoch : null },
        Spec = new PodSpec { NodeName = "node-1", Containers = [new Kubernetes.Objects.Container { Name = "main", Image = "httpd" }] },
    };

    /// <summary>Writes down what a node says.</summary>
    private sealed class Journal : INodeApi
    {
        public ConcurrentQueue<string> Confirmed { get; } = new();

        public ConcurrentQueue<string> Events { get; } = new();

        public Task CreateNodeAsync(string name, ReadOnlyMemory<byte> node, CancellationToken cancel) => Task.CompletedTask;

        public Task PatchNodeStatusAsync(string name, ReadOnlyMemory<byte> patch, CancellationToken cancel) => Task.CompletedTask;

        public Task WriteLeaseAsync(NodeReport node, DateTimeOffset now, CancellationToken cancel) => Task.CompletedTask;

        public Task<bool> PatchPodStatusAsync(PodName pod, ReadOnlyMemory<byte> patch, CancellationToken cancel) => Task.FromResult(true);

        public Task ConfirmDeletionAsync(PodName pod, CancellationToken cancel)
        {
            Confirmed.Enqueue(pod.Name);
            return Task.CompletedTask;
        }

        public Task<bool> CreateEventAsync(string @namespace, ReadOnlyMemory<byte> body, CancellationToken cancel)
        {
            Events.Enqueue(System.Text.Encoding.UTF8.GetString(body.Span));
            return Task.FromResult(true);
        }

        public Task<bool> PatchEventAsync(string @namespace, string name, ReadOnlyMemory<byte> patch, CancellationToken cancel) => Task.FromResult(true);
    }
}
