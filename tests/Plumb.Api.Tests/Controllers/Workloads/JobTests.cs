using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
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
            cluster.Time.Advance(TimeSpan.FromSeconds(seconds - 1));
            Poke(cluster);
            Assert.Equal(made, cluster.Pods().Count);
            cluster.Time.Advance(TimeSpan.FromSeconds(1));
            await cluster.UntilAsync(() =>
            {
                cluster.Time.Ring();
                return cluster.Pods().Count == made + 1 || Poke(cluster);
            });
        }
        await cluster.UntilAsync(() => Running(cluster).Count == 1);
        End(cluster, Running(cluster)[0], "Failed");
        await cluster.UntilAsync(() => Status(cluster).Conditions.IsTrue("Failed"));
        Assert.Equal(("BackoffLimitExceeded", 3), (Status(cluster).Conditions.Find("Failed")!.Reason, Status(cluster).Failed));
        Assert.True(Status(cluster).Conditions.IsTrue("FailureTarget"));
    }

    [Fact]
    public async Task A_job_out_of_time_fails_and_its_pods_go()
    {
        await using var cluster = new Cluster().Start();
        Make(cluster, "work", ""","activeDeadlineSeconds":60""");
        await cluster.UntilAsync(() => Running(cluster).Count == 1 && Status(cluster).Active == 1);
        cluster.Time.Advance(TimeSpan.FromSeconds(61));
        await cluster.UntilAsync(() =>
        {
            cluster.Time.Ring();
            return (cluster.Pods().Count == 0 && Status(cluster).Conditions.Find("Failed")?.Reason == "DeadlineExceeded") || Poke(cluster);
        });
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
        cluster.Time.Advance(TimeSpan.FromSeconds(30));
        await cluster.UntilAsync(() =>
        {
            cluster.Time.Ring();
            return (cluster.Find<Job>(GroupResource.Jobs, "work") is null && cluster.Pods().Count == 0) || Poke(cluster);
        });
    }

    private static JobStatus Status(Cluster cluster) => cluster.Find<Job>(GroupResource.Jobs, "work")!.Status;

    private static List<StoredObject> Running(Cluster cluster) => [.. cluster.Pods().Where(static pod => pod.Phase == "Running" && !pod.IsDeleting)];

    private static void Make(Cluster cluster, string name, string more) => cluster.Create(GroupResource.Jobs, $$$"""
        {"metadata":{"name":"{{{name}}}"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"a:1"}]} }{{{more}}} }}
        """);

    private static void Suspend(Cluster cluster, bool suspend) =>
        cluster.Registry.Update(new StoreKey(GroupResource.Jobs, "default", "work"), root => (root["spec"]!["suspend"] = suspend) is not null);

    private static void End(Cluster cluster, StoredObject pod, string phase) => cluster.Registry.Update(pod.Key, root =>
    {
        root["status"]!["phase"] = phase;
        root["status"]!["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "False" });
        return true;
    }, Part.Status);

    /// <summary>Any write: the condition is asked again.</summary>
    private static bool Poke(Cluster cluster)
    {
        cluster.Registry.Create(GroupResource.ConfigMaps, "default", new() { ["metadata"] = new JsonObject { ["generateName"] = "poke-" } });
        return false;
    }
}
