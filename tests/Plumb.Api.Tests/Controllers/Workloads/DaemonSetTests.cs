using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Workloads;

public sealed class DaemonSetTests
{
    [Fact]
    public async Task Each_node_that_is_selected_gets_one_and_a_new_node_too()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        cluster.AddNode("node-9", new JsonObject { ["disk"] = "none" });
        Make(cluster, "agent", ""","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"disk","operator":"DoesNotExist"}]}]}}}""");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { DesiredNumberScheduled: 2, CurrentNumberScheduled: 2, NumberReady: 2, NumberAvailable: 2, UpdatedNumberScheduled: 2, NumberMisscheduled: 0 });
        Assert.Equal(["node-1", "node-2"], cluster.Pods("agent").Select(static pod => pod.NodeName).Order());
        cluster.AddNode("node-3");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { DesiredNumberScheduled: 3, NumberReady: 3 });
        // A node that is selected no longer loses its own.
        Label(cluster, "node-1", "disk", "slow");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { DesiredNumberScheduled: 2, NumberMisscheduled: 0 } && cluster.Pods("agent").Count == 2);
        Assert.DoesNotContain(cluster.Pods("agent"), static pod => pod.NodeName == "node-1");
    }

    [Fact]
    public async Task Taints_keep_daemons_away_and_a_cordon_or_a_lost_node_does_not()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        Taint(cluster, "node-1", "gpu", "NoSchedule");
        cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", "node-2"), static root => (root["spec"]!["unschedulable"] = true) is not null);
        Make(cluster, "agent");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { DesiredNumberScheduled: 1, NumberReady: 1 });
        Assert.Equal("node-2", Assert.Single(cluster.Pods("agent")).NodeName);
        // A taint that came after the pod drives it away only when it says NoExecute.
        Taint(cluster, "node-2", "later", "NoSchedule");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { DesiredNumberScheduled: 0, NumberMisscheduled: 1 });
        Taint(cluster, "node-2", "later", "NoExecute");
        await cluster.UntilAsync(() => cluster.Pods("agent").Count == 0);
    }

    [Fact]
    public async Task A_new_template_rolls_out_one_node_at_a_time_and_can_be_undone()
    {
        await using var cluster = new Cluster(nodes: 3).Start();
        Make(cluster, "agent");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { NumberAvailable: 3 });
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        SetImage(cluster, "agent", "a:2");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { UpdatedNumberScheduled: 3, NumberAvailable: 3, ObservedGeneration: 2 });
        // Replayed from the history: never were two of the three without a pod that is Ready.
        var ready = watch.Initial.Where(static pod => pod.Labels.TryGetValue("app", out _)).Select(static pod => pod.Name).ToHashSet();
        while (watch.Changes.TryRead(out var change))
        {
            bool serves = change.Kind != ChangeKind.Deleted && !change.Object.IsDeleting
                && change.Object.ToNode()["status"]?["conditions"]?.AsArray().Any(static one => (string?)one!["type"] == "Ready" && (string?)one["status"] == "True") == true;
            if (serves)
                ready.Add(change.Object.Name);
            else
                ready.Remove(change.Object.Name);
            Assert.InRange(ready.Count, 2, 3);
        }
        var history = cluster.Store.List(GroupResource.ControllerRevisions, "default");
        Assert.Equal([1, 2], history.Select(static one => (int)one.ToNode()["revision"]!).Order());
        // As clients look for them: by the pods' label, and by the very text.
        Assert.All(history, static one => Assert.Equal(one.Name, "agent-" + (string?)one.ToNode()["metadata"]!["labels"]!["controller-revision-hash"]));
        Assert.All(history, static one => Assert.StartsWith("""{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"agent"}},"spec":{"containers":[{"image":"a:""", one.ToNode()["data"]!.ToJsonString(), StringComparison.Ordinal));
        Assert.Contains(cluster.Pods("agent")[0].ToNode()["metadata"]!["labels"]!["controller-revision-hash"]!.ToString(), history.Select(static one => one.Name["agent-".Length..]));
        SetImage(cluster, "agent", "a:1");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { UpdatedNumberScheduled: 3, NumberAvailable: 3, ObservedGeneration: 3 });
        Assert.Equal([2, 3], cluster.Store.List(GroupResource.ControllerRevisions, "default").Select(static one => (int)one.ToNode()["revision"]!).Order());
    }

    [Fact]
    public async Task With_a_surge_the_new_pod_comes_before_the_old_one_goes()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        Make(cluster, "agent", set: ""","updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}""");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { NumberAvailable: 2 });
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        SetImage(cluster, "agent", "a:2");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { UpdatedNumberScheduled: 2, NumberAvailable: 2, ObservedGeneration: 2 } && cluster.Pods("agent").Count == 2);
        // One that is on its way out is nobody's any more.
        var pods = watch.Initial.Select(static pod => pod.Name).ToHashSet();
        while (watch.Changes.TryRead(out var change))
        {
            if (change.Kind == ChangeKind.Deleted || change.Object.IsDeleting)
                pods.Remove(change.Object.Name);
            else
                pods.Add(change.Object.Name);
            Assert.InRange(pods.Count, 2, 3);
        }
    }

    [Fact]
    public async Task Pods_that_fail_again_and_again_are_replaced_ever_later()
    {
        await using var cluster = new Cluster(nodes: 1).Start();
        Make(cluster, "agent");
        await FailAsync();
        foreach (int seconds in (int[])[1, 2, 4])
        {
            var failed = await FailAsync();
            // It was looked at: the status says so.
            await cluster.UntilAsync(() => Status(cluster, "agent") is { NumberReady: 0, NumberUnavailable: 1 });
            Assert.False(cluster.Store.Find(failed.Key)!.IsDeleting);
            cluster.Time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.False(cluster.Store.Find(failed.Key)!.IsDeleting);
            cluster.Time.Advance(TimeSpan.FromMilliseconds(1));
            await cluster.UntilAsync(() => cluster.Store.Find(failed.Key) is null);
        }

        async Task<StoredObject> FailAsync()
        {
            await cluster.UntilAsync(() => cluster.Pods("agent") is [{ Phase: "Running", IsDeleting: false }] && Status(cluster, "agent").NumberReady == 1);
            return cluster.Registry.Update(cluster.Pods("agent")[0].Key, static root =>
            {
                root["status"]!["phase"] = "Failed";
                root["status"]!["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "False" });
                return true;
            }, Part.Status);
        }
    }

    [Fact]
    public async Task On_delete_waits_for_a_person()
    {
        await using var cluster = new Cluster(nodes: 1).Start();
        Make(cluster, "agent", set: ""","updateStrategy":{"type":"OnDelete"}""");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { NumberAvailable: 1 });
        var old = Assert.Single(cluster.Pods("agent"));
        SetImage(cluster, "agent", "a:2");
        await cluster.UntilAsync(() => Status(cluster, "agent") is { ObservedGeneration: 2, UpdatedNumberScheduled: 0 });
        Assert.Equal(old.Uid, Assert.Single(cluster.Pods("agent")).Uid);
        cluster.Registry.Delete(old.Key, DeleteOptions.Default);
        await cluster.UntilAsync(() => Status(cluster, "agent") is { UpdatedNumberScheduled: 1, NumberAvailable: 1 });
    }

    private static DaemonSetStatus Status(Cluster cluster, string name) => cluster.Find<DaemonSet>(GroupResource.DaemonSets, name)!.Status;

    private static void Make(Cluster cluster, string name, string pod = "", string set = "") => cluster.Create(GroupResource.DaemonSets, $$$"""
        {"metadata":{"name":"{{{name}}}"},"spec":{"selector":{"matchLabels":{"app":"{{{name}}}"} }{{{set}}},
         "template":{"metadata":{"labels":{"app":"{{{name}}}"}},"spec":{"containers":[{"name":"c","image":"a:1"}]{{{pod}}} } } }}
        """);

    private static void SetImage(Cluster cluster, string name, string image) => cluster.Registry.Update(
        new StoreKey(GroupResource.DaemonSets, "default", name), root => (root["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] = image) is not null);

    private static void Label(Cluster cluster, string node, string key, string value) => cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", node), root =>
    {
        ((JsonObject)(root["metadata"]!["labels"] ??= new JsonObject()))[key] = value;
        return true;
    });

    private static void Taint(Cluster cluster, string node, string key, string effect) => cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", node), root =>
    {
        var spec = (JsonObject)(root["spec"] ??= new JsonObject());
        ((JsonArray)(spec["taints"] ??= new JsonArray())).Add(new JsonObject { ["key"] = key, ["effect"] = effect });
        return true;
    });
}
