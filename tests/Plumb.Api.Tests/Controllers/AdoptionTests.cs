using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Api.Controllers;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers;

public sealed class AdoptionTests
{
    /// <summary>What was made of another template stays, not to be mistaken for what was not taken.</summary>
    private const string OnDelete = "\"updateStrategy\":{\"type\":\"OnDelete\"},";
    private static readonly string[] Kinds = ["replicasets", "replicationcontrollers", "statefulsets", "daemonsets", "jobs"];

    public static TheoryData<string> All => [.. Kinds];

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_pod_that_a_workload_selects_becomes_its_own_and_one_that_it_selects_no_more_goes_on_alone(string kind)
    {
        await using var cluster = new Cluster(nodes: 1).Start();
        cluster.Create(GroupResource.Pods, """{"metadata":{"name":"web-0","labels":{"app":"web"}},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"a:1"}]}}""");
        cluster.Create(GroupResource.Pods, """{"metadata":{"name":"near","labels":{"app":"webs"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        await cluster.UntilAsync(() => cluster.Pods().Count(static pod => pod.Phase == "Running") == 2);
        string uid = cluster.Pods("web")[0].Uid;
        var owner = cluster.Create(Resource(kind), Workload(kind));
        await cluster.UntilAsync(() => Pod(cluster, "web-0")?.Controller is not null, () => string.Join('\n', cluster.Pods().Select(static pod => pod.ToNode().ToJsonString())));
        var adopted = Pod(cluster, "web-0")!;
        Assert.Equal((uid, new Owner(kind == "replicationcontrollers" ? "v1" : kind == "jobs" ? "batch/v1" : "apps/v1", (string)owner.ToNode()["kind"]!, "web", owner.Uid, true, true)),
            (adopted.Uid, Assert.Single(adopted.Owners)));
        Assert.Equal(kind == "jobs", adopted.Finalizers.Contains(Job.TrackingFinalizer));
        Assert.Null(Pod(cluster, "near")!.Controller);

        Relabel(cluster, "web-0", "alone");
        await cluster.UntilAsync(() => Pod(cluster, "web-0")?.Controller is null);
        Assert.Empty(Pod(cluster, "web-0")!.Finalizers);
        // Another one takes its place, but where its name is needed for that.
        if (kind != "statefulsets")
            await cluster.UntilAsync(() => cluster.Pods("web").Count(pod => pod.Controller?.Uid == owner.Uid) == 1);
        Assert.Equal(uid, Pod(cluster, "web-0")!.Uid);
    }

    [Fact]
    public async Task What_a_set_adopts_it_counts_and_of_two_sets_that_want_the_same_only_one_gets_it()
    {
        await using var cluster = new Cluster();
        for (int i = 0; i < 3; i++)
            cluster.Create(GroupResource.Pods, $$$"""{"metadata":{"name":"own-{{{i}}}","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        cluster.Create(GroupResource.ReplicaSets, Workload("replicasets", "first", 2));
        cluster.Create(GroupResource.ReplicaSets, Workload("replicasets", "other", 2));
        cluster.Start();
        await cluster.UntilAsync(() => Ready(cluster, "first") == 2 && Ready(cluster, "other") == 2 && cluster.Pods("web").Count == 4);
        // Of the three one set has taken all and let one go: only the other had to make any.
        Assert.Equal(2, cluster.Pods("web").Count(static pod => pod.Name.StartsWith("own-", StringComparison.Ordinal)));
        Assert.Single(cluster.Pods("web").Where(static pod => pod.Name.StartsWith("own-", StringComparison.Ordinal)).Select(static pod => pod.Controller!.Uid).Distinct());
        Assert.All(cluster.Pods("web"), static pod => Assert.Single(pod.Owners));
    }

    [Fact]
    public async Task An_owner_that_is_being_deleted_takes_nothing_back_that_it_has_let_go()
    {
        await using var cluster = new Cluster().Start();
        var set = cluster.Create(GroupResource.ReplicaSets, Workload("replicasets"));
        await cluster.UntilAsync(() => Ready(cluster, "web") == 1);
        var pod = Assert.Single(cluster.Pods("web"));
        // Somebody's finalizer holds the set longer than its pods are let go.
        cluster.Registry.Update(set.Key, static root => { root["metadata"]!["finalizers"] = new JsonArray("example.com/hold"); return true; });
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        cluster.Registry.Delete(set.Key, new DeleteOptions { Propagation = Propagation.Orphan });
        await cluster.UntilAsync(() => cluster.Store.Find(set.Key)!.Finalizers is ["example.com/hold"] && cluster.Store.Find(pod.Key)?.Controller is null);
        Relabel(cluster, pod.Name, "alone");
        Relabel(cluster, pod.Name, "web");
        // A set that stands gets it, which shows that the controllers have looked at it.
        var next = cluster.Create(GroupResource.ReplicaSets, Workload("replicasets", "next"));
        await cluster.UntilAsync(() => cluster.Store.Find(pod.Key)?.Controller?.Uid == next.Uid);
        bool free = false;
        while (watch.Changes.TryRead(out var change))
        {
            free |= change.Object.Controller is null;
            Assert.False(free && change.Object.Controller?.Uid == set.Uid);
        }
    }

    [Fact]
    public async Task A_selector_that_changes_lets_go_and_takes()
    {
        await using var cluster = new Cluster().Start();
        var old = cluster.Create(GroupResource.ReplicationControllers, Workload("replicationcontrollers"));
        await cluster.UntilAsync(() => cluster.Pods("web").Any(static pod => pod is { Controller: not null, Phase: "Running" }));
        cluster.Create(GroupResource.Pods, """{"metadata":{"name":"spare","labels":{"app":"next"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        cluster.Registry.Update(old.Key, static root =>
        {
            root["spec"]!["selector"]!["app"] = "next";
            root["spec"]!["template"]!["metadata"]!["labels"]!["app"] = "next";
            return true;
        });
        await cluster.UntilAsync(() => cluster.Pods("web") is [{ Controller: null }] && cluster.Pods("next") is [{ Name: "spare", Controller: not null }]);
    }

    [Fact]
    public async Task A_deployment_takes_the_sets_that_an_earlier_one_left_and_goes_on_from_them()
    {
        await using var cluster = new Cluster().Start();
        var before = cluster.Deployment("web", 2);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        var pods = cluster.Pods("web").Select(static pod => pod.Uid).Order().ToList();
        cluster.Registry.Delete(before.Key, new DeleteOptions { Propagation = Propagation.Orphan });
        await cluster.UntilAsync(() => cluster.Store.Find(before.Key) is null && cluster.Store.List(GroupResource.ReplicaSets) is [{ Controller: null }]);
        var after = cluster.Deployment("web", 2);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        Assert.Equal(after.Uid, Assert.Single(cluster.Store.List(GroupResource.ReplicaSets)).Controller!.Uid);
        Assert.Equal(pods, cluster.Pods("web").Select(static pod => pod.Uid).Order());

        cluster.SetImage("web", "a:2");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && cluster.Pods("web").Count == 2);
        var old = cluster.List<ReplicaSet>(GroupResource.ReplicaSets).Single(static set => set.Spec.Replicas == 0);
        Relabel(cluster, GroupResource.ReplicaSets, old.Metadata.Name, "alone");
        await cluster.UntilAsync(() => cluster.Store.List(GroupResource.ReplicaSets).Count(static set => set.Controller is null) == 1);
    }

    /// <summary>Whoever is named as the controller of something that it does not count looks at it as little as at a stranger's.</summary>
    [Theory]
    [InlineData("deployments", "pods")]
    [InlineData("statefulsets", "replicasets")]
    [InlineData("jobs", "replicasets")]
    public async Task An_owner_lets_nothing_go_that_it_would_not_have_taken(string kind, string dependents)
    {
        await using var cluster = new Cluster().Start();
        string counted = kind == "deployments" ? "replicasets" : "pods";
        using var own = cluster.Store.Subscribe(Resource(counted));
        using var others = cluster.Store.Subscribe(Resource(dependents));
        // It is known to have been seen when it has taken something.
        Dependent(counted, "web-0", "web");
        var owner = cluster.Create(Resource(kind), Workload(kind));
        await TakenAsync(own, "web-0", owner);

        Dependent(dependents, "held", "other", owner);
        Dependent(dependents, "last", "last");
        var next = cluster.Create(dependents == "pods" ? GroupResource.ReplicaSets : GroupResource.Deployments,
            Workload(dependents == "pods" ? "replicasets" : "deployments", "next").Replace("\"app\":\"web\"", "\"app\":\"last\"", StringComparison.Ordinal));
        await TakenAsync(others, "last", next);
        Assert.Equal(owner.Uid, cluster.Store.Find(new StoreKey(Resource(dependents), "default", "held"))!.Controller?.Uid);

        void Dependent(string resource, string name, string app, StoredObject? controller = null)
        {
            var root = JsonNode.Parse(resource == "pods"
                ? """{"metadata":{},"spec":{"containers":[{"name":"c","image":"a:1"}]}}"""
                : Workload("replicasets", name, 0))!.AsObject();
            root["metadata"]!["name"] = name;
            root["metadata"]!["labels"] = new JsonObject { ["app"] = app };
            if (controller?.ToNode() is { } node)
            {
                root["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = (string)node["apiVersion"]!, ["kind"] = (string)node["kind"]!, ["name"] = controller.Name, ["uid"] = controller.Uid, ["controller"] = true,
                });
            }
            cluster.Registry.Create(Resource(resource), "default", root);
        }
    }

    [Theory]
    [InlineData("Succeeded", "Complete")]
    [InlineData("Failed", "Failed")]
    public async Task A_job_that_is_over_takes_nothing_and_lets_nothing_go(string phase, string condition)
    {
        await using var cluster = new Cluster().Start();
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        var job = cluster.Create(GroupResource.Jobs, Workload("jobs").Replace("\"manualSelector\"", "\"backoffLimit\":0,\"manualSelector\"", StringComparison.Ordinal));
        await cluster.UntilAsync(() => cluster.Pods() is [{ Phase: "Running" }]);
        var own = cluster.Pods()[0];
        cluster.Registry.Update(own.Key, root => (root["status"]!["phase"] = phase) is not null, Part.Status);
        await cluster.UntilAsync(() => cluster.Find<Job>(GroupResource.Jobs, "web")!.Status.Conditions.IsTrue(condition));
        Relabel(cluster, own.Name, "alone");
        cluster.Create(GroupResource.Pods, """{"metadata":{"name":"late","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        // The job is the older one.
        var set = cluster.Create(GroupResource.ReplicaSets, Workload("replicasets", "next"));
        await TakenAsync(watch, "late", set);
        Assert.Equal(job.Uid, cluster.Store.Find(own.Key)!.Controller?.Uid);
    }

    [Fact]
    public void A_turn_takes_a_bounded_number_and_looks_at_none_that_no_selector_matches()
    {
        const int many = 200;
        var registry = new Registry(new ObjectStore(), new FakeTime(DateTimeOffset.UnixEpoch), new Random(1));
        registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        var time = new FakeTime(DateTimeOffset.UnixEpoch);
        var context = new ControllerContext(registry, new ClusterView(), new EventRecorder(registry, time), time, NullLogger.Instance, static () => { });
        var adoption = new Adoption(context);
        foreach (string app in (string[])["web", "other"])
        {
            for (int i = 0; i < many; i++)
                See(GroupResource.Pods, $$$"""{"metadata":{"name":"{{{app}}}-{{{i}}}","labels":{"app":"{{{app}}}"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        }
        Assert.False(adoption.Work());
        See(GroupResource.ReplicaSets, Workload("replicasets", "none").Replace("\"app\":\"web\"", "\"app\":\"none\"", StringComparison.Ordinal));
        Assert.False(adoption.Work());
        See(GroupResource.ReplicaSets, Workload("replicasets"));
        int taken = 0;
        bool more;
        do
        {
            more = adoption.Work();
            Assert.InRange(Taken(), taken + 1, taken + 64);
            taken = Taken();
        }
        while (more);
        Assert.Equal(many, taken);

        void See(GroupResource resource, string json) =>
            adoption.Observe(context.View.Apply(new Change(ChangeKind.Added, null, registry.Create(resource, "default", JsonNode.Parse(json)!.AsObject())))!.Value);

        int Taken() => registry.Store.List(GroupResource.Pods).Count(static pod => pod.Controller is not null);
    }

    [Fact]
    public async Task Whoever_counts_pods_waits_until_all_are_with_their_owners()
    {
        const int many = 150;
        await using var cluster = new Cluster(kubelets: false);
        for (int i = 0; i < many; i++)
            cluster.Create(GroupResource.Pods, $$$"""{"metadata":{"name":"own-{{{i}}}","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        cluster.Create(GroupResource.ReplicaSets, Workload("replicasets", "web", many));
        cluster.Start();
        await cluster.UntilAsync(() => cluster.Find<ReplicaSet>(GroupResource.ReplicaSets, "web")!.Status.Replicas == many);
        Assert.All(cluster.Pods(), static pod => Assert.StartsWith("own-", pod.Name, StringComparison.Ordinal));
        while (watch.Changes.TryRead(out var change))
            Assert.Equal(ChangeKind.Modified, change.Kind);
    }

    private static GroupResource Resource(string kind) => kind switch
    {
        "pods" => GroupResource.Pods,
        "deployments" => GroupResource.Deployments,
        "replicasets" => GroupResource.ReplicaSets,
        "replicationcontrollers" => GroupResource.ReplicationControllers,
        "statefulsets" => GroupResource.StatefulSets,
        "daemonsets" => GroupResource.DaemonSets,
        _ => GroupResource.Jobs,
    };

    private static string Workload(string kind, string name = "web", int replicas = 1)
    {
        string pod = $$$""" "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"a:1"}],"restartPolicy":"{{{(kind == "jobs" ? "Never" : "Always")}}}"}} """;
        string selector = kind == "replicationcontrollers" ? """{"app":"web"}""" : """{"matchLabels":{"app":"web"}}""";
        string more = kind switch { "jobs" => "\"manualSelector\":true,", "daemonsets" => OnDelete, "statefulsets" => OnDelete + $"\"replicas\":{replicas},", _ => $"\"replicas\":{replicas}," };
        return $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{ {{{more}}}"selector":{{{selector}}},{{{pod}}} } }""";
    }

    private static async Task TakenAsync(Subscription changes, string name, StoredObject owner)
    {
        await foreach (var change in changes.Changes.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (change.Object.Name != name || change.Object.Controller is not { } controller)
                continue;
            Assert.Equal(owner.Uid, controller.Uid);
            return;
        }
    }

    private static StoredObject? Pod(Cluster cluster, string name) => cluster.Store.Find(new StoreKey(GroupResource.Pods, "default", name));

    private static int? Ready(Cluster cluster, string set) => cluster.Find<ReplicaSet>(GroupResource.ReplicaSets, set)?.Status.ReadyReplicas;

    private static void Relabel(Cluster cluster, string pod, string app) => Relabel(cluster, GroupResource.Pods, pod, app);

    private static void Relabel(Cluster cluster, GroupResource resource, string name, string app) => cluster.Registry.Update(new StoreKey(resource, "default", name), root =>
    {
        root["metadata"]!["labels"]!["app"] = app;
        return true;
    });
}
