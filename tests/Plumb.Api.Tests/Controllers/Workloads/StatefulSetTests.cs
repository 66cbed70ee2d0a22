using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Workloads;

public sealed class StatefulSetTests
{
    private static readonly StoreKey Key = new(GroupResource.StatefulSets, "default", "kafka");

    [Fact]
    public async Task Pods_have_numbers_and_the_names_that_a_headless_service_shows()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 3);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 3), () => Describe(cluster));
        Assert.Equal(["kafka-0", "kafka-1", "kafka-2"], cluster.Pods("kafka").Select(pod => pod.Name));
        var pod = cluster.Find<Pod>(GroupResource.Pods, "kafka-1")!;
        Assert.Equal(("kafka-1", "brokers"), (pod.Spec.Hostname, pod.Spec.Subdomain));
        Assert.Equal(("kafka-1", "1"), (pod.Metadata.Labels[StatefulSet.PodNameLabel], pod.Metadata.Labels[StatefulSet.PodIndexLabel]));
        var set = cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka")!;
        Assert.Equal(set.Status.UpdateRevision, pod.Metadata.Labels[StatefulSet.RevisionLabel]);
        Assert.Equal((3, 3, 3, 3, 3), (set.Status.Replicas, set.Status.ReadyReplicas, set.Status.AvailableReplicas, set.Status.CurrentReplicas, set.Status.UpdatedReplicas));
        Assert.Equal(["create Pod kafka-0 in StatefulSet kafka successful", "create Pod kafka-1 in StatefulSet kafka successful", "create Pod kafka-2 in StatefulSet kafka successful"],
            cluster.Events("SuccessfulCreate").Order());
    }

    [Fact]
    public async Task The_next_pod_is_made_when_the_one_before_is_ready()
    {
        await using var cluster = new Cluster().Start();
        cluster.IsBroken = pod => pod.Name == "kafka-1";
        Create(cluster, 3);
        await cluster.UntilAsync(() => cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka") is { Status: { Replicas: 2, ReadyReplicas: 1 } } && cluster.Pods("kafka").Count(pod => pod.Phase == "Running") == 2);
        Assert.Equal(["kafka-0", "kafka-1"], cluster.Pods("kafka").Select(pod => pod.Name));
        Heal(cluster, "kafka-1");
        await cluster.UntilAsync(() => IsRolledOut(cluster, 3), () => Describe(cluster));
    }

    [Fact]
    public async Task Parallel_pods_wait_for_nobody()
    {
        await using var cluster = new Cluster().Start();
        cluster.IsBroken = _ => true;
        Create(cluster, 4, ""","podManagementPolicy":"Parallel" """);
        await cluster.UntilAsync(() => cluster.Pods("kafka").Count(pod => pod.Phase == "Running") == 4, () => Describe(cluster));
    }

    [Fact]
    public async Task A_smaller_set_loses_the_last_first_one_at_a_time()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 4);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 4), () => Describe(cluster));
        var told = Deletions(cluster);
        Change(cluster, spec => spec["replicas"] = 1);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 1), () => Describe(cluster));
        Assert.Equal(["kafka-3", "kafka-2", "kafka-1"], told());
    }

    [Fact]
    public async Task A_new_template_replaces_the_last_first_and_waits_for_each()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 3);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 3), () => Describe(cluster));
        string before = cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka")!.Status.CurrentRevision!;
        var told = Deletions(cluster);
        cluster.IsBroken = pod => pod.Name == "kafka-1" && RevisionOf(pod) != before;
        SetImage(cluster, "a:2");
        await cluster.UntilAsync(() => cluster.Pods("kafka").Any(pod => pod.Name == "kafka-1" && pod.Phase == "Running" && RevisionOf(pod) != before), () => Describe(cluster));
        // kafka-0 is left alone while kafka-1 is not ready.
        await cluster.UntilAsync(() => cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka") is { Status: { UpdatedReplicas: 2, ReadyReplicas: 2, CurrentReplicas: 1 } }, () => Describe(cluster));
        Assert.Equal(before, RevisionOf(cluster.Pods("kafka")[0]));
        Heal(cluster, "kafka-1");
        await cluster.UntilAsync(() => IsRolledOut(cluster, 3) && cluster.Pods("kafka").All(pod => RevisionOf(pod) != before), () => Describe(cluster));
        Assert.Equal(["kafka-2", "kafka-1", "kafka-0"], told());
        Assert.NotEqual(before, cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka")!.Status.CurrentRevision);
    }

    [Fact]
    public async Task Pods_below_the_partition_keep_the_old_template_also_when_they_are_made_anew()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 3, ""","updateStrategy":{"rollingUpdate":{"partition":2}}""");
        await cluster.UntilAsync(() => IsRolledOut(cluster, 3), () => Describe(cluster));
        SetImage(cluster, "a:2");
        await cluster.UntilAsync(() => Images(cluster) is ["a:1", "a:1", "a:2"], () => Describe(cluster));
        var first = cluster.Pods("kafka")[0];
        cluster.Registry.Delete(first.Key);
        await cluster.UntilAsync(() => cluster.Pods("kafka") is [var again, ..] && again.Uid != first.Uid && Images(cluster) is ["a:1", "a:1", "a:2"], () => Describe(cluster));
    }

    [Fact]
    public async Task On_delete_only_a_pod_that_somebody_deletes_gets_the_new_template()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 2, ""","updateStrategy":{"type":"OnDelete"}""");
        await cluster.UntilAsync(() => cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka") is { Status.ReadyReplicas: 2 });
        SetImage(cluster, "a:2");
        await cluster.UntilAsync(() => cluster.List<StatefulSet>(GroupResource.StatefulSets)[0] is { Status: { ObservedGeneration: 2 } });
        Assert.Equal(["a:1", "a:1"], Images(cluster));
        cluster.Registry.Delete(cluster.Pods("kafka")[0].Key);
        await cluster.UntilAsync(() => Images(cluster) is ["a:2", "a:1"], () => Describe(cluster));
    }

    [Fact]
    public async Task Going_back_to_an_old_template_makes_its_revision_the_newest()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 1);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 1));
        SetImage(cluster, "a:2");
        await cluster.UntilAsync(() => IsRolledOut(cluster, 1) && Images(cluster) is ["a:2"], () => Describe(cluster));
        SetImage(cluster, "a:1");
        await cluster.UntilAsync(() => IsRolledOut(cluster, 1) && Images(cluster) is ["a:1"], () => Describe(cluster));
        Assert.Equal([2, 3], cluster.Store.List(GroupResource.ControllerRevisions, "default").Select(revision => (int)revision.ToNode()["revision"]!).Order());
    }

    [Fact]
    public async Task A_pod_that_ended_is_made_anew_under_its_name()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 1);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 1));
        var old = cluster.Pods("kafka")[0];
        cluster.Registry.Update(old.Key, root => (root["status"]!["phase"] = "Failed") is not null, Part.Status);
        await cluster.UntilAsync(() => cluster.Pods("kafka") is [{ Phase: "Running" } pod] && pod.Uid != old.Uid, () => Describe(cluster));
        Assert.Single(cluster.Events("RecreatingFailedPod"));
    }

    [Fact]
    public async Task Claims_of_volumes_are_said_to_be_ignored_and_their_mounts_find_an_empty_directory()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.StatefulSets, """
            {"metadata":{"name":"kafka"},"spec":{"replicas":1,"serviceName":"brokers","selector":{"matchLabels":{"app":"kafka"}},
             "template":{"metadata":{"labels":{"app":"kafka"}},"spec":{"containers":[{"name":"c","image":"a:1","volumeMounts":[{"name":"data","mountPath":"/data"}]}]}},
             "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}}
            """);
        await cluster.UntilAsync(() => IsRolledOut(cluster, 1), () => Describe(cluster));
        Assert.NotNull(cluster.Find<Pod>(GroupResource.Pods, "kafka-0")!.Spec.Volumes.Single(volume => volume.Name == "data").EmptyDir);
        Assert.Contains("data", Assert.Single(cluster.Events("VolumeClaimsIgnored")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pods_must_have_been_ready_for_as_long_as_the_set_asks()
    {
        await using var cluster = new Cluster().Start();
        Create(cluster, 2, ""","minReadySeconds":10""");
        await cluster.UntilAsync(() => cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka") is { Status: { ReadyReplicas: 1, AvailableReplicas: 0 } });
        Assert.Single(cluster.Pods("kafka"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10));
        await cluster.UntilAsync(() => cluster.Pods("kafka").Count == 2, () => Describe(cluster));
    }

    private static void Create(Cluster cluster, int replicas, string more = "") => cluster.Create(GroupResource.StatefulSets, $$$"""
        {"metadata":{"name":"kafka"},"spec":{"replicas":{{{replicas}}},"serviceName":"brokers","selector":{"matchLabels":{"app":"kafka"}}{{{more}}},
         "template":{"metadata":{"labels":{"app":"kafka"}},"spec":{"containers":[{"name":"c","image":"a:1"}]} } } }
        """);

    private static void Change(Cluster cluster, Action<JsonNode> change) => cluster.Registry.Update(Key, root =>
    {
        change(root["spec"]!);
        return true;
    });

    private static void SetImage(Cluster cluster, string image) => Change(cluster, spec => spec["template"]!["spec"]!["containers"]![0]!["image"] = image);

    private static void Heal(Cluster cluster, string pod)
    {
        cluster.IsBroken = _ => false;
        cluster.Registry.Update(new StoreKey(GroupResource.Pods, "default", pod), root => (root["status"]!["conditions"]![0]!["status"] = "True") is not null, Part.Status);
    }

    /// <summary>The names in the order in which their deletion was asked for, from now on.</summary>
    private static Func<IReadOnlyList<string>> Deletions(Cluster cluster)
    {
        var subscription = cluster.Store.Subscribe(GroupResource.Pods);
        var names = new List<string>();
        return () =>
        {
            while (subscription.Changes.TryRead(out var change))
            {
                if (change is { New.IsDeleting: true, Old.IsDeleting: false })
                    names.Add(change.Key.Name);
            }
            return names;
        };
    }

    private static bool IsRolledOut(Cluster cluster, int replicas) =>
        cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka") is { } set && set.Status.ObservedGeneration == set.Metadata.Generation && set.Status.UpdatedReplicas == replicas
        && set.Status.Replicas == replicas && set.Status.ReadyReplicas == replicas && set.Status.UpdateRevision == set.Status.CurrentRevision;

    private static List<string> Images(Cluster cluster) => [.. cluster.List<Pod>(GroupResource.Pods).Where(pod => pod.Metadata.DeletionTimestamp is null).Select(pod => pod.Spec.Containers[0].Image!)];

    private static string RevisionOf(StoredObject pod) => pod.Labels.TryGetValue(StatefulSet.RevisionLabel, out string? name) ? name : "";

    private static string Describe(Cluster cluster) =>
        $"{cluster.Find<StatefulSet>(GroupResource.StatefulSets, "kafka")?.Status}; {string.Join(' ', cluster.Pods("kafka").Select(pod => $"{pod.Name}:{pod.Phase}{(pod.IsDeleting ? ":goes" : "")}"))}";
}
