using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Workloads;

public sealed class DeploymentTests
{
    [Fact]
    public async Task A_deployment_becomes_a_replica_set_and_pods_that_are_spread_over_the_nodes()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 9);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        var set = Assert.Single(cluster.List<ReplicaSet>(GroupResource.ReplicaSets));
        Assert.StartsWith("web-", set.Metadata.Name, StringComparison.Ordinal);
        Assert.Equal("1", set.Metadata.Annotations["deployment.kubernetes.io/revision"]);
        Assert.Equal((9, 9, 9), (set.Status.Replicas, set.Status.ReadyReplicas, set.Status.AvailableReplicas));
        Assert.Equal([3, 3, 3], cluster.Pods("web").GroupBy(p => p.NodeName).Select(g => g.Count()));
        Assert.All(cluster.Pods("web"), pod => Assert.Equal(set.Metadata.Uid, pod.Controller?.Uid));
        Assert.True(cluster.Find<Deployment>(GroupResource.Deployments, "web")!.Status.Conditions.IsTrue("Available"));
        Assert.Contains($"Scaled up replica set {set.Metadata.Name} from 0 to 9", cluster.Events("ScalingReplicaSet"));
    }

    [Fact]
    public async Task A_new_image_rolls_within_its_limits_and_a_rollback_takes_the_old_set_again()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 4, more: ""","strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":1}}""");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        string first = Assert.Single(cluster.List<ReplicaSet>(GroupResource.ReplicaSets)).Metadata.Name;

        using var watch = cluster.Store.Subscribe(GroupResource.ReplicaSets);
        cluster.SetImage("web", "a:2");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && cluster.Pods("web").Count == 4);
        Assert.Equal(["1:0", "2:4"], Revisions(cluster));
        Assert.All(cluster.Pods("web"), pod => Assert.Equal("a:2", (string?)pod.ToNode()["spec"]!["containers"]![0]!["image"]));

        // Replayed from the history: at no time more than five were asked for.
        var asked = watch.Initial.ToDictionary(s => s.Name, Replicas);
        while (watch.Changes.TryRead(out var change))
        {
            asked[change.Object.Name] = Replicas(change.Object);
            Assert.InRange(asked.Values.Sum(), 3, 5);
        }

        cluster.SetImage("web", "a:1");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && cluster.Pods("web").Count == 4);
        Assert.Equal(["2:0", "3:4"], Revisions(cluster));
        Assert.Equal("3", cluster.Find<ReplicaSet>(GroupResource.ReplicaSets, first)!.Metadata.Annotations["deployment.kubernetes.io/revision"]);
    }

    [Fact]
    public async Task A_broken_image_stops_the_roll_out_before_it_does_harm_and_times_out()
    {
        await using var cluster = new Cluster().Start();
        cluster.IsBroken = pod => pod.ToNode()["spec"]!["containers"]![0]!["image"]!.GetValue<string>() == "broken";
        cluster.Deployment("web", 4, more: ""","progressDeadlineSeconds":60,"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":1}}""");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        cluster.SetImage("web", "broken");
        await cluster.UntilAsync(() => Revisions(cluster).SequenceEqual(["1:3", "2:2"]) && cluster.Pods("web").Count(p => p.Phase == "Running" && !p.IsDeleting) == 5);
        await cluster.UntilAsync(() => cluster.Find<Deployment>(GroupResource.Deployments, "web")!.Status is { UpdatedReplicas: 2, Replicas: 5, AvailableReplicas: 3 });
        // The timer is set in the same pass that has written the status; a second look cannot come too late.
        await cluster.UntilAsync(() =>
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(61));
            return cluster.Find<Deployment>(GroupResource.Deployments, "web")!.Status.Conditions.Find("Progressing")?.Reason == "ProgressDeadlineExceeded" || Poke(cluster);
        });
    }

    [Fact]
    public async Task Recreate_waits_until_the_last_old_pod_is_gone()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 3, more: ""","strategy":{"type":"Recreate"}""");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        cluster.SetImage("web", "a:2");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && Revisions(cluster).SequenceEqual(["1:0", "2:3"]));
        int old = watch.Initial.Count;
        while (watch.Changes.TryRead(out var change))
        {
            old -= change.Kind == ChangeKind.Deleted ? 1 : 0;
            Assert.False(change.Kind == ChangeKind.Added && old > 0, "a new pod came before the old ones were gone");
        }
    }

    [Fact]
    public async Task Scaling_goes_both_ways_and_a_lost_pod_is_replaced()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 2);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        cluster.Scale("web", 5);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && cluster.Pods("web").Count == 5);
        var lost = cluster.Pods("web")[0];
        cluster.Registry.Delete(lost.Key, DeleteOptions.Now);
        await cluster.UntilAsync(() => cluster.Pods("web").Count == 5 && cluster.Pods("web").All(p => p.Uid != lost.Uid) && cluster.IsRolledOut("web"));
        cluster.Scale("web", 0);
        await cluster.UntilAsync(() => cluster.Pods("web").Count == 0 && cluster.IsRolledOut("web"));
    }

    [Fact]
    public async Task Old_sets_beyond_the_history_are_removed()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 1, more: ""","revisionHistoryLimit":1""");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        foreach (string image in (string[])["a:2", "a:3", "a:4"])
        {
            cluster.SetImage("web", image);
            await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        }
        await cluster.UntilAsync(() => Revisions(cluster).SequenceEqual(["3:0", "4:1"]));
    }

    [Fact]
    public async Task A_thousand_replicas_cost_a_thousand_times_one()
    {
        await using var cluster = new Cluster(nodes: 10).Start();
        long before = cluster.Store.ResourceVersion;
        cluster.Deployment("web", 1000);
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        Assert.Equal(Enumerable.Repeat(100, 10), cluster.Pods("web").GroupBy(p => p.NodeName).Select(g => g.Count()));
        // Create, bind, run and their events: a handful of writes a pod, whatever their number.
        Assert.InRange(cluster.Store.ResourceVersion - before, 3_000, 9_000);
    }

    [Fact]
    public async Task A_pod_whose_label_is_changed_goes_on_by_itself_and_another_takes_its_place()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 2);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        var pod = cluster.Pods("web")[0];
        cluster.Registry.Update(pod.Key, root => (root["metadata"]!["labels"]!["app"] = "repair") is not null);
        await cluster.UntilAsync(() => cluster.Pods("web").Count == 2 && cluster.IsRolledOut("web"));
        var released = cluster.Pods("repair")[0];
        Assert.Equal((pod.Uid, 0, false), (released.Uid, released.Owners.Count, released.IsDeleting));
    }

    private static int Replicas(StoredObject set) => (int)set.ToNode()["spec"]!["replicas"]!;

    private static IEnumerable<string> Revisions(Cluster cluster) => cluster.List<ReplicaSet>(GroupResource.ReplicaSets)
        .Select(s => $"{s.Metadata.Annotations["deployment.kubernetes.io/revision"]}:{s.Spec.Replicas}").Order();

    /// <summary>Any write: the condition is asked again.</summary>
    private static bool Poke(Cluster cluster)
    {
        cluster.Registry.Create(GroupResource.ConfigMaps, "default", new() { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["generateName"] = "poke-" } });
        return false;
    }
}
