using System.Text.Json.Nodes;
using System.Threading.Channels;
using Plumb.Api.Controllers;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers;

/// <summary>A store with the controllers over it and nodes whose kubelets run every pod at once; time stands still.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<Subscription> subscriptions = [];
    private readonly List<Task> running = [];
    private readonly Channel<bool> ticks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int addresses;
    private ControllerHost? host;

    /// <param name="registry">A whole server's; null: one of its own.</param>
    public Cluster(Registry? registry = null, int nodes = 3, bool kubelets = true)
    {
        Time.TimerSet = () => ticks.Writer.TryWrite(true);
        if (registry is null)
        {
            Registry = new Registry(new ObjectStore(), Time, new Random(1));
            foreach (string name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
                Registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
        }
        else
        {
            Registry = registry;
        }
        for (int i = 1; i <= nodes; i++)
            AddNode($"node-{i}");
        foreach (var definition in Registry.Catalog.All)
        {
            var subscription = Registry.Store.Subscribe(definition.Resource);
            subscriptions.Add(subscription);
            running.Add(definition.Resource == GroupResource.Pods && kubelets ? KubeletAsync(subscription) : TickAsync(subscription));
        }
    }

    public FakeTime Time { get; } = new(new DateTimeOffset(2026, 11, 21, 8, 0, 0, TimeSpan.Zero));
    public Registry Registry { get; }
    public ObjectStore Store => Registry.Store;

    /// <summary>What the kubelets leave unready.</summary>
    public Func<StoredObject, bool> IsBroken { get; set; } = _ => false;

    public Cluster Start(ControllerOptions? options = null)
    {
        host = ControllerHost.Start(Registry, options ?? new ControllerOptions { Time = Time });
        return this;
    }

    /// <summary>The controllers end, something happens, and they begin anew over what is there.</summary>
    public async Task RestartAsync(Action meanwhile)
    {
        await host!.DisposeAsync();
        meanwhile();
        Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
        foreach (var subscription in subscriptions)
            subscription.Dispose();
        await Task.WhenAll(running);
    }

    public StoredObject AddNode(string name, JsonObject? labels = null)
    {
        Registry.Create(GroupResource.Nodes, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels } });
        return SetReady(name, "True");
    }

    public StoredObject SetReady(string node, string status) => Registry.Update(new StoreKey(GroupResource.Nodes, "", node), root =>
    {
        ((JsonObject)(root["status"] ??= new JsonObject()))["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = status });
        return true;
    }, Part.Status);

    public StoredObject Create(GroupResource resource, string json) => Registry.Create(resource, "default", JsonNode.Parse(json)!.AsObject());

    public StoredObject Deployment(string name, int replicas, string image = "a:1", string more = "") => Create(GroupResource.Deployments, $$$"""
        {"metadata":{"name":"{{{name}}}"},"spec":{"replicas":{{{replicas}}},"selector":{"matchLabels":{"app":"{{{name}}}"}}{{{more}}},
         "template":{"metadata":{"labels":{"app":"{{{name}}}"}},"spec":{"containers":[{"name":"c","image":"{{{image}}}","ports":[{"name":"http","containerPort":8080}]}]} } } }
        """);

    public StoredObject Pod(string name, string spec = "") => Create(GroupResource.Pods,
        $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"app":"{{{{name}}}}"}},"spec":{"containers":[{"name":"c","image":"a:1"}]{{{{spec}}}} }}""");

    /// <summary>Says of a pod what its kubelet would.</summary>
    public StoredObject Run(string name, bool ready, params string[] addresses) => Registry.Update(new StoreKey(GroupResource.Pods, "default", name), root =>
    {
        var status = (JsonObject)(root["status"] ??= new JsonObject());
        status["phase"] = "Running";
        status["podIP"] = addresses[0];
        status["podIPs"] = new JsonArray([.. addresses.Select(address => (JsonNode)new JsonObject { ["ip"] = address })]);
        status["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False" });
        return true;
    }, Part.Status);

    public void SetImage(string deployment, string image) => Registry.Update(new StoreKey(GroupResource.Deployments, "default", deployment), root =>
    {
        root["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] = image;
        return true;
    });

    public void Scale(string deployment, int replicas) => Registry.Update(new StoreKey(GroupResource.Deployments, "default", deployment), root =>
    {
        root["spec"]!["replicas"] = replicas;
        return true;
    });

    public IReadOnlyList<StoredObject> Pods(string? app = null) =>
        Store.List(GroupResource.Pods, null, app is null ? null : pod => pod.Labels.TryGetValue("app", out string? label) && label == app);

    public T? Find<T>(GroupResource resource, string name, string @namespace = "default") where T : class =>
        Store.Find(new StoreKey(resource, @namespace, name))?.As(KubernetesJson.TypeInfo<T>());

    public List<T> List<T>(GroupResource resource) => [.. Store.List(resource, "default").Select(stored => stored.As(KubernetesJson.TypeInfo<T>()))];

    public bool IsRolledOut(string name) =>
        Find<Deployment>(GroupResource.Deployments, name) is { } d && d.Status.ObservedGeneration == d.Metadata.Generation && d.Status.UpdatedReplicas == d.Spec.Replicas
        && d.Status.Replicas == d.Spec.Replicas && d.Status.AvailableReplicas == d.Spec.Replicas && d.Status.Conditions.Find("Progressing")?.Reason == "NewReplicaSetAvailable";

    public List<string> Events(string reason) => [.. Store.List(GroupResource.Events).Select(e => e.As(KubernetesJson.TypeInfo<Event>())).Where(e => e.Reason == reason).Select(e => e.Message!)];

    /// <summary>Returns when the condition holds; it is asked again after each change in the store, and after each timer that is set.</summary>
    public async Task UntilAsync(Func<bool> condition, Func<string>? describe = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (!condition())
        {
            try
            {
                await ticks.Reader.ReadAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                Assert.Fail("it never came to pass: " + describe?.Invoke());
            }
        }
    }

    private async Task TickAsync(Subscription subscription)
    {
        await foreach (var _ in subscription.Changes.ReadAllAsync())
            ticks.Writer.TryWrite(true);
    }

    private async Task KubeletAsync(Subscription pods)
    {
        await Task.Yield();
        await foreach (var change in pods.Changes.ReadAllAsync())
        {
            if (change.New is { NodeName.Length: > 0 } pod)
                Run(pod);
            ticks.Writer.TryWrite(true);
        }
    }

    private void Run(StoredObject pod)
    {
        try
        {
            if (pod.IsDeleting)
                Registry.Delete(pod.Key, new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Uid });
            else if (pod.Phase == "Pending")
            {
                int number = Interlocked.Increment(ref addresses);
                Registry.Update(pod.Key, root =>
                {
                    string address = $"10.244.{number / 250}.{number % 250}";
                    root["status"]!["phase"] = "Running";
                    root["status"]!["podIP"] = address;
                    root["status"]!["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address });
                    root["status"]!["conditions"] = new JsonArray(new JsonObject
                    {
                        ["type"] = "Ready", ["status"] = IsBroken(pod) ? "False" : "True", ["lastTransitionTime"] = Rfc3339.Format(Time.GetUtcNow()),
                    });
                    return true;
                }, Part.Status);
            }
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
        }
    }
}
