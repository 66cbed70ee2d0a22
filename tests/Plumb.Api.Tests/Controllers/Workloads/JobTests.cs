using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Workloads;

public sealed class JobTests
{
    [Fact]
    public async Task A_job_runs_its_pods_so_many_at_a_time_until_enough_have_succeeded()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":5,"parallelism":2""");
        for (int done = 0; done < 5; done++)
        {
            int left = Math.Min(2, 5 - done);
            await cluster.UntilAsync(() => Status(cluster) is var status && status.Succeeded == done && status.Active == left && Running(cluster).Count == left);
            End(cluster, Running(cluster)[0], "Succeeded");
        }
        await cluster.UntilAsync(() => Status(cluster).Conditions.IsTrue("Complete"));
        var status = Status(cluster);
        Assert.Equal((5, 0, 0, "CompletionsReached"), (status.Succeeded, status.Failed, status.Active, status.Conditions.Find("Complete")!.Reason));
        Assert.True(status.Conditions.IsTrue("SuccessCriteriaMet"));
        Assert.NotNull(status.CompletionTime);
        await cluster.UntilAsync(() => cluster.Events("Completed").Count == 1);
    }

    [Fact]
    public async Task Without_completions_the_first_success_is_the_last_beginning()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":null,"parallelism":3""");
        await cluster.UntilAsync(() => Running(cluster).Count == 3);
        End(cluster, Running(cluster)[0], "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 1, Active: 2 });
        foreach (var pod in Running(cluster))
            End(cluster, pod, "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 3 } status && status.Conditions.IsTrue("Complete"));
        Assert.Equal(3, cluster.Pods().Count);
    }

    [Fact]
    public async Task Each_failure_makes_the_next_pod_wait_longer_until_the_limit_is_reached()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","backoffLimit":2""");
        foreach (int seconds in (int[])[10, 20])
        {
            await cluster.UntilAsync(() => Running(cluster).Count == 1);
            int made = cluster.Pods().Count;
            End(cluster, Running(cluster)[0], "Failed");
            await cluster.UntilAsync(() => Status(cluster).Active == 0 && Status(cluster).Failed == made);
            // Its own timer is what is waited for: one tick too early it is not looked at, and then it is.
            await cluster.UntilAsync(() => cluster.Time.Waits(TimeSpan.FromSeconds(seconds)));
            cluster.Time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
            Assert.True(cluster.Time.Waits(TimeSpan.FromTicks(1)));
            Assert.Equal(made, cluster.Pods().Count);
            cluster.Time.Advance(TimeSpan.FromTicks(1));
            await cluster.UntilAsync(() => cluster.Pods().Count == made + 1);
        }
        await cluster.UntilAsync(() => Running(cluster).Count == 1);
        End(cluster, Running(cluster)[0], "Failed");
        await cluster.UntilAsync(() => Status(cluster).Conditions.IsTrue("Failed"));
        Assert.Equal(("BackoffLimitExceeded", 3), (Status(cluster).Conditions.Find("Failed")!.Reason, Status(cluster).Failed));
        Assert.True(Status(cluster).Conditions.IsTrue("FailureTarget"));
    }

    [Fact]
    public async Task Rules_say_which_failures_end_the_job_and_which_count_for_nothing()
    {
        await using var cluster = new Cluster().Start();
        const string ignore = """{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}""";
        const string fail = """{"action":"FailJob","onExitCodes":{"containerName":"c","operator":"In","values":[42]}}""";
        Make(cluster, "work", $$""","backoffLimit":0,"podFailurePolicy":{"rules":[{{ignore}},{{fail}}]}""");
        for (int i = 0; i < 3; i++)
        {
            await cluster.UntilAsync(() => Running(cluster).Count == 1);
            End(cluster, Running(cluster)[0], "Failed", condition: "DisruptionTarget");
            // What does not count makes nobody wait.
            await cluster.UntilAsync(() => Running(cluster).Count == 1 && cluster.Pods().Count == i + 2);
        }
        Assert.Equal(0, Status(cluster).Failed);
        string name = Running(cluster)[0].Name;
        End(cluster, Running(cluster)[0], "Failed", exitCode: 42);
        await cluster.UntilAsync(() => Status(cluster).Conditions.IsTrue("Failed"));
        var failed = Status(cluster).Conditions.Find("Failed")!;
        Assert.Equal(("PodFailurePolicy", $"Container c for pod default/{name} failed with exit code 42 matching FailJob rule at index 1"), (failed.Reason, failed.Message));
    }

    [Fact]
    public async Task An_index_that_has_failed_too_often_fails_for_itself()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":3,"parallelism":3,"completionMode":"Indexed","backoffLimitPerIndex":1""");
        await cluster.UntilAsync(() => Running(cluster).Count == 3);
        End(cluster, Of(1), "Failed");
        await cluster.UntilAsync(() => Status(cluster) is { Failed: 1, Active: 2 } && cluster.Time.Waits(TimeSpan.FromSeconds(10)));
        cluster.Time.Advance(TimeSpan.FromSeconds(10));
        await cluster.UntilAsync(() => Running(cluster).Count == 3);
        End(cluster, Of(1), "Failed");
        await cluster.UntilAsync(() => Status(cluster) is { Failed: 2, FailedIndexes: "1", Active: 2 });
        End(cluster, Of(0), "Succeeded");
        End(cluster, Of(2), "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { CompletedIndexes: "0,2" } status && status.Conditions.Find("Failed") is { Reason: "FailedIndexes", Message: "Job has failed indexes" });

        StoredObject Of(int index) => Running(cluster).Single(pod => pod.Labels.TryGetValue(Job.IndexKey, out string? own) && own == $"{index}");
    }

    [Fact]
    public async Task A_job_out_of_time_fails_and_its_pods_go()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","activeDeadlineSeconds":60""");
        await cluster.UntilAsync(() => Running(cluster).Count == 1 && Status(cluster).Active == 1 && cluster.Time.Waits(TimeSpan.FromSeconds(60)));
        cluster.Time.Advance(TimeSpan.FromSeconds(60));
        await cluster.UntilAsync(() => cluster.Pods().Count == 0 && Status(cluster).Conditions.Find("Failed")?.Reason == "DeadlineExceeded");
    }

    [Fact]
    public async Task Pods_of_an_indexed_job_have_a_number_each_and_a_success_is_not_repeated()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":4,"parallelism":4,"completionMode":"Indexed","backoffLimit":6""");
        await cluster.UntilAsync(() => Running(cluster).Count == 4);
        var pods = Running(cluster).ToDictionary(static pod => pod.Labels.TryGetValue(Job.IndexKey, out string? index) ? index : "");
        Assert.Equal(["0", "1", "2", "3"], pods.Keys.Order());
        var spec = pods["2"].ToNode()["spec"]!;
        Assert.Equal("work-2", (string?)spec["hostname"]);
        Assert.Equal("metadata.labels['batch.kubernetes.io/job-completion-index']", (string?)spec["containers"]![0]!["env"]![0]!["valueFrom"]!["fieldRef"]!["fieldPath"]);
        foreach (string index in (string[])["0", "1", "3"])
            End(cluster, pods[index], "Succeeded");
        await cluster.UntilAsync(() => Status(cluster).CompletedIndexes == "0,1,3");
        // One that is lost after its success stays counted.
        cluster.Registry.Delete(pods["0"].Key, DeleteOptions.Now);
        End(cluster, pods["2"], "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { CompletedIndexes: "0-3", Succeeded: 4 } status && status.Conditions.IsTrue("Complete"));
    }

    [Theory]
    [InlineData(""" "succeededIndexes":"0-1","succeededCount":1 """, 2, 1)]
    [InlineData(""" "succeededIndexes":"1-2" """, 1, 2)]
    [InlineData(""" "succeededCount":2 """, 0, 2)]
    public async Task A_rule_of_success_ends_the_job_before_its_last_index_and_not_before_its_last_pod_has_gone(string rule, int tooFew, int enough)
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", $$$""","completions":4,"parallelism":4,"completionMode":"Indexed","successPolicy":{"rules":[{"succeededIndexes":"3"},{ {{{rule}}} }]}""");
        await cluster.UntilAsync(() => Running(cluster).Count == 4);
        var held = Of(3);
        cluster.Registry.Update(held.Key, static root => { ((JsonArray)root["metadata"]!["finalizers"]!).Add("example.com/hold"); return true; });
        End(cluster, Of(tooFew), "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 1, Active: 3 } && Running(cluster).Count == 3);
        Assert.Empty(Status(cluster).Conditions);
        End(cluster, Of(enough), "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 2, Active: 0, Terminating: 1, UncountedTerminatedPods: { Succeeded: [], Failed: [] } } && cluster.Pods().Count == 3);
        var met = Status(cluster).Conditions.Find("SuccessCriteriaMet")!;
        Assert.Equal(("True", "SuccessPolicy", "Matched rules at index 1"), (met.Status, met.Reason, met.Message));
        Assert.False(Status(cluster).Conditions.IsTrue("Complete"));
        cluster.Registry.Update(held.Key, static root => ((JsonObject)root["metadata"]!).Remove("finalizers"));
        await cluster.UntilAsync(() => Status(cluster) is { Terminating: 0, Failed: 0 } status && status.Conditions.Find("Complete") is { Status: "True", Reason: "SuccessPolicy" });

        StoredObject Of(int index) => Running(cluster).Single(pod => pod.Labels.TryGetValue(Job.IndexKey, out string? own) && own == $"{index}");
    }

    [Fact]
    public async Task A_suspended_job_has_no_pods_and_goes_on_when_resumed()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","suspend":true""");
        await cluster.UntilAsync(() => Status(cluster).Conditions.Find("Suspended") is { Status: "True", Reason: "JobSuspended" });
        Assert.Empty(cluster.Pods());
        Assert.Null(Status(cluster).StartTime);
        Suspend(cluster, false);
        await cluster.UntilAsync(() => Running(cluster).Count == 1 && Status(cluster).Conditions.Find("Suspended") is { Status: "False", Reason: "JobResumed" });
        Suspend(cluster, true);
        await cluster.UntilAsync(() => cluster.Pods().Count == 0 && Status(cluster) is { Active: 0, Failed: 0 });
    }

    [Fact]
    public async Task A_finished_job_goes_when_its_time_has_come()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","ttlSecondsAfterFinished":30""");
        await cluster.UntilAsync(() => Running(cluster).Count == 1);
        End(cluster, Running(cluster)[0], "Succeeded");
        await cluster.UntilAsync(() => Status(cluster).Conditions.IsTrue("Complete"));
        await cluster.UntilAsync(() => cluster.Time.Waits(TimeSpan.FromSeconds(30)));
        cluster.Time.Advance(TimeSpan.FromSeconds(30));
        await cluster.UntilAsync(() => cluster.Find<Job>(GroupResource.Jobs, "work") is null && cluster.Pods().Count == 0);
    }

    [Fact]
    public async Task A_pod_stays_until_it_is_counted_even_if_it_is_deleted_while_nobody_looks()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":2,"parallelism":2""");
        await cluster.UntilAsync(() => Running(cluster).Count == 2);
        var pods = Running(cluster);
        Assert.All(pods, static pod => Assert.Equal([Job.TrackingFinalizer], pod.Finalizers));
        await cluster.RestartAsync(() =>
        {
            End(cluster, pods[0], "Succeeded");
            Assert.False(cluster.Registry.Delete(pods[0].Key, DeleteOptions.Now).Gone);
        });
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 1, Active: 1, Failed: 0 } && cluster.Pods().Single().Uid == pods[1].Uid);
        End(cluster, pods[1], "Succeeded");
        // Counted, it is an ordinary pod that has ended.
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 2 } && cluster.Pods() is [{ IsDeleting: false, Finalizers.Count: 0 }]);
    }

    [Fact]
    public async Task The_count_is_written_before_the_finalizer_goes()
    {
        await using var cluster = new Cluster();
        using var pods = cluster.Store.Subscribe(GroupResource.Pods);
        using var jobs = cluster.Store.Subscribe(GroupResource.Jobs);
        cluster.Start();
        Make(cluster, "work", "");
        await cluster.UntilAsync(() => Running(cluster).Count == 1);
        var pod = Running(cluster)[0];
        End(cluster, pod, "Succeeded");
        var named = await FirstAsync(jobs, job => StatusOf(job).UncountedTerminatedPods.Succeeded.SequenceEqual([pod.Uid]));
        Assert.Equal((0, false), (StatusOf(named).Succeeded, StatusOf(named).Conditions.IsTrue("Complete")));
        var counted = await FirstAsync(jobs, static job => StatusOf(job) is { Succeeded: 1, UncountedTerminatedPods.Succeeded.Count: 0 });
        var released = await FirstAsync(pods, static one => one is { Phase: "Succeeded", Finalizers.Count: 0 });
        Assert.InRange(released.ResourceVersion, named.ResourceVersion + 1, counted.ResourceVersion - 1);
        await cluster.UntilAsync(() => Status(cluster).Conditions.IsTrue("Complete"));

        static JobStatus StatusOf(StoredObject job) => job.As(KubernetesJson.TypeInfo<Job>()).Status;

        static async Task<StoredObject> FirstAsync(Subscription changes, Func<StoredObject, bool> wanted)
        {
            await foreach (var change in changes.Changes.ReadAllAsync(TestContext.Current.CancellationToken))
            {
                if (change.New is { } version && wanted(version))
                    return version;
            }
            throw new InvalidOperationException("the store has ended");
        }
    }

    [Fact]
    public async Task What_has_ended_is_told_also_when_the_next_pod_cannot_be_made()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":2""");
        await cluster.UntilAsync(() => Running(cluster).Count == 1);
        var pod = Running(cluster)[0];
        Forbid("restricted");
        End(cluster, pod, "Succeeded");
        await cluster.UntilAsync(() => cluster.Pods().Single().Finalizers.Count == 0);
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 1, UncountedTerminatedPods.Succeeded.Count: 0 });
        Assert.NotEmpty(cluster.Events("FailedCreate"));

        void Forbid(string level) => cluster.Registry.Update(new StoreKey(GroupResource.Namespaces, "", "default"), root =>
        {
            root["metadata"]!["labels"] = new JsonObject { ["pod-security.kubernetes.io/enforce"] = level };
            return true;
        });
    }

    [Fact]
    public async Task Counts_outlive_the_controller_and_the_pods()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","completions":4,"backoffLimit":5""");
        await cluster.UntilAsync(() => Running(cluster).Count == 1);
        End(cluster, Running(cluster)[0], "Succeeded");
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 1 } && Running(cluster).Count == 1);
        // One that was named and released, and is in no number yet, when the controllers end.
        var next = Running(cluster)[0];
        await cluster.RestartAsync(() =>
        {
            cluster.Registry.Update(new StoreKey(GroupResource.Jobs, "default", "work"), root =>
            {
                root["status"]!["uncountedTerminatedPods"] = new JsonObject { ["succeeded"] = new JsonArray(next.Uid) };
                return true;
            }, Part.Status);
            foreach (var pod in cluster.Pods())
            {
                if (pod.Finalizers.Count > 0)
                    cluster.Registry.Update(pod.Key, static root => ((JsonObject)root["metadata"]!).Remove("finalizers"));
                cluster.Registry.Delete(pod.Key, DeleteOptions.Now);
            }
        });
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 2, Failed: 0, Active: 1, UncountedTerminatedPods.Succeeded.Count: 0 } && Running(cluster).Count == 1);
        End(cluster, Running(cluster)[0], "Failed");
        await cluster.UntilAsync(() => Status(cluster) is { Succeeded: 2, Failed: 1, UncountedTerminatedPods.Failed.Count: 0 });
    }

    /// <summary>One that is only leaving is in no number: were its finalizer gone, nobody would know of its failure after a restart.</summary>
    [Theory]
    [InlineData(""","podReplacementPolicy":"Failed" """, false)]
    [InlineData(""","podFailurePolicy":{"rules":[{"action":"FailJob","onExitCodes":{"operator":"In","values":[42]}}]}""", false)]
    [InlineData(""","podReplacementPolicy":"Failed" """, true)]
    public async Task A_pod_that_is_leaving_is_held_until_its_failure_is_told(string policy, bool byForce)
    {
        await using var cluster = new Cluster(kubelets: false).Start();
        Make(cluster, "work", ""","completions":1,"backoffLimit":3""" + policy);
        await cluster.UntilAsync(() => cluster.Pods() is [{ NodeName.Length: > 0 }]);
        var pod = cluster.Pods()[0];
        cluster.Run(pod.Name, ready: true, "10.244.1.1");
        cluster.Registry.Delete(pod.Key);
        await cluster.UntilAsync(() => Status(cluster).Terminating == 1);
        await cluster.RestartAsync(() => Assert.Equal([Job.TrackingFinalizer], cluster.Store.Find(pod.Key)!.Finalizers));
        if (byForce)
            cluster.Registry.Delete(pod.Key, DeleteOptions.Now);
        else
            End(cluster, cluster.Store.Find(pod.Key)!, "Failed");
        await cluster.UntilAsync(() => Status(cluster) is { Failed: 1, UncountedTerminatedPods.Failed.Count: 0 } && cluster.Store.Find(pod.Key) is not { Finalizers.Count: > 0 });
    }

    public enum Way { Background, Foreground, Orphan, Namespace, ByHand, Unscheduled, WhileNobodyLooks }

    /// <summary>However a job ends, its finalizer keeps no pod.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task No_pod_stays_for_its_finalizer(Way way)
    {
        await using var cluster = new Cluster(nodes: way == Way.Unscheduled ? 0 : 3).Start();
        var registry = cluster.Registry;
        registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "team" } });
        var job = registry.Create(GroupResource.Jobs, "team", JsonNode.Parse(Manifest("work", ""","completions":4,"parallelism":3"""))!.AsObject());
        await cluster.UntilAsync(() => cluster.Pods().Count == 3 && (way == Way.Unscheduled || Running(cluster).Count == 3));
        if (way != Way.Unscheduled)
        {
            End(cluster, Running(cluster)[0], "Succeeded");
            await cluster.UntilAsync(() => cluster.Pods().Count == 4 && Running(cluster).Count == 3);
        }
        switch (way)
        {
            case Way.Namespace:
                registry.Delete(new StoreKey(GroupResource.Namespaces, "", "team"));
                await cluster.UntilAsync(() => cluster.Store.Find(new StoreKey(GroupResource.Namespaces, "", "team")) is null);
                break;
            case Way.ByHand:
                var lost = Running(cluster)[0];
                registry.Delete(lost.Key);
                await cluster.UntilAsync(() => cluster.Store.Find(lost.Key) is null);
                registry.Delete(job.Key, new DeleteOptions { Propagation = Propagation.Background });
                break;
            case Way.Orphan:
                registry.Delete(job.Key, new DeleteOptions { Propagation = Propagation.Orphan });
                await cluster.UntilAsync(() => cluster.Store.Find(job.Key) is null && cluster.Pods().All(static pod => pod.Finalizers.Count == 0 && pod.Owners.Count == 0));
                Assert.Equal(3, Running(cluster).Count);
                foreach (var pod in cluster.Pods())
                    registry.Delete(pod.Key);
                break;
            case Way.WhileNobodyLooks:
                await cluster.RestartAsync(() => registry.Delete(job.Key, new DeleteOptions { Propagation = Propagation.Background }));
                break;
            default:
                registry.Delete(job.Key, new DeleteOptions { Propagation = way == Way.Foreground ? Propagation.Foreground : Propagation.Background });
                break;
        }
        await cluster.UntilAsync(() => cluster.Store.Find(job.Key) is null && cluster.Pods().Count == 0);
    }

    public static TheoryData<Way> Ways => [.. Enum.GetValues<Way>()];

    private static JobStatus Status(Cluster cluster) => cluster.Find<Job>(GroupResource.Jobs, "work")!.Status;

    private static List<StoredObject> Running(Cluster cluster) => [.. cluster.Pods().Where(static pod => pod.Phase == "Running" && !pod.IsDeleting)];

    private static void Make(Cluster cluster, string name, string more) => cluster.Create(GroupResource.Jobs, Manifest(name, more));

    private static string Manifest(string name, string more) => $$$"""
        {"metadata":{"name":"{{{name}}}"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"a:1"}]} }{{{more}}} }}
        """;

    private static void Suspend(Cluster cluster, bool suspend) =>
        cluster.Registry.Update(new StoreKey(GroupResource.Jobs, "default", "work"), root => (root["spec"]!["suspend"] = suspend) is not null);

    private static void End(Cluster cluster, StoredObject pod, string phase, string? condition = null, int exitCode = 1) => cluster.Registry.Update(pod.Key, root =>
    {
        root["status"]!["phase"] = phase;
        root["status"]!["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "False" });
        if (condition is not null)
            ((JsonArray)root["status"]!["conditions"]!).Add(new JsonObject { ["type"] = condition, ["status"] = "True" });
        if (phase == "Failed")
            root["status"]!["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = "c", ["state"] = new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = exitCode } } });
        return true;
    }, Part.Status);
}
