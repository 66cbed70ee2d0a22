using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Controllers.Workloads;

/// <summary>Time stands at Saturday, 21 November 2026, 08:00 UTC.</summary>
public sealed class CronJobTests
{
    private static readonly GroupResource CronJobs = new("batch", "cronjobs");

    private static void Make(Cluster cluster, string more = "", string schedule = "*/5 * * * *") => cluster.Create(CronJobs,
        """{"metadata":{"name":"tick"},"spec":{"schedule":"SCHEDULE","jobTemplate":{"metadata":{"labels":{"a":"b"}},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i:1"}]}}}}MORE}}"""
            .Replace("SCHEDULE", schedule, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal));

    private static List<StoredObject> Jobs(Cluster cluster) => [.. cluster.Store.List(GroupResource.Jobs, "default").Where(static job => !job.IsDeleting).OrderBy(static job => job.Name, StringComparer.Ordinal)];

    private static JsonNode Status(Cluster cluster) => cluster.Store.Get(new StoreKey(CronJobs, "default", "tick")).ToNode()["status"]!;

    private static void End(Cluster cluster, StoredObject job, string how = "Complete") => cluster.Registry.Update(job.Key, root =>
    {
        root["status"]!["conditions"] = new JsonArray(new JsonObject { ["type"] = how, ["status"] = "True", ["lastTransitionTime"] = "2026-11-21T08:06:00Z" });
        return true;
    }, Part.Status);

    /// <summary>The controller waits for its next time before the clock is moved.</summary>
    private static async Task ForwardAsync(Cluster cluster, int minutes)
    {
        await cluster.UntilAsync(() => cluster.Time.Waits(TimeSpan.FromMinutes(minutes)));
        cluster.Time.Advance(TimeSpan.FromMinutes(minutes));
    }

    [Fact]
    public async Task A_job_is_made_when_its_time_has_come_and_old_ones_go()
    {
        await using var cluster = new Cluster(kubelets: false).Start();
        Make(cluster, ",\"successfulJobsHistoryLimit\":1");
        for (var times = 1; times <= 3; times++)
        {
            await ForwardAsync(cluster, 5);
            var name = $"tick-{cluster.Time.GetUtcNow().ToUnixTimeSeconds() / 60}";
            await cluster.UntilAsync(() => Jobs(cluster).Exists(job => job.Name == name) && (string?)Status(cluster)["active"]?[0]?["name"] == name);
            var job = Jobs(cluster).Find(job => job.Name == name)!;
            Assert.Equal(("tick", "b"), (job.Controller!.Name, job.Labels["a"]));
            Assert.Equal($"2026-11-21T08:{5 * times:00}:00Z", (string)job.ToNode()["metadata"]!["annotations"]!["batch.kubernetes.io/cronjob-scheduled-timestamp"]!);
            End(cluster, job);
            await cluster.UntilAsync(() => Status(cluster)["active"] is null && Jobs(cluster).Count == 1);
        }

        Assert.Equal(("2026-11-21T08:15:00Z", "2026-11-21T08:06:00Z"), ((string)Status(cluster)["lastScheduleTime"]!, (string)Status(cluster)["lastSuccessfulTime"]!));
        await cluster.UntilAsync(() => cluster.Events("SawCompletedJob").Count > 0);
    }

    [Theory]
    [InlineData("Allow", 2)]
    [InlineData("Forbid", 1)]
    [InlineData("Replace", 1)]
    public async Task The_policy_says_what_becomes_of_a_job_that_still_runs(string policy, int running)
    {
        await using var cluster = new Cluster(kubelets: false).Start();
        Make(cluster, $",\"concurrencyPolicy\":\"{policy}\"");
        await ForwardAsync(cluster, 5);
        await cluster.UntilAsync(() => Jobs(cluster).Count == 1 && Status(cluster)["active"] is JsonArray { Count: 1 });
        var first = Jobs(cluster)[0].Name;
        await ForwardAsync(cluster, 5);
        await cluster.UntilAsync(() => policy == "Forbid" ? cluster.Events("JobAlreadyActive").Count > 0 : Jobs(cluster).Count == running && Jobs(cluster)[^1].Name != first);
        Assert.Equal(running, Jobs(cluster).Count);
        Assert.Equal(policy != "Replace", Jobs(cluster).Exists(job => job.Name == first));
    }

    [Fact]
    public async Task Of_many_times_that_were_missed_only_the_last_counts()
    {
        await using var cluster = new Cluster(kubelets: false).Start();
        Make(cluster, ",\"suspend\":true");
        await cluster.UntilAsync(() => Status(cluster) is not null);
        cluster.Time.Advance(TimeSpan.FromHours(20));
        cluster.Registry.Update(new StoreKey(CronJobs, "default", "tick"), static root =>
        {
            root["spec"]!["suspend"] = false;
            return true;
        });
        await cluster.UntilAsync(() => (string?)Status(cluster)["lastScheduleTime"] == "2026-11-22T04:00:00Z");
        Assert.Single(Jobs(cluster));
        Assert.NotEmpty(cluster.Events("TooManyMissedTimes"));
    }

    [Theory]
    [InlineData("*/15 * * * *", "2026-11-21T08:00:00Z", "2026-11-21T08:15:00Z")]
    [InlineData("0 9-17/4 * * mon-fri", "2026-11-21T08:00:00Z", "2026-11-23T09:00:00Z")]
    [InlineData("30 5 1,15 * *", "2026-11-21T08:00:00Z", "2026-12-01T05:30:00Z")]
    [InlineData("0 0 13 * fri", "2026-11-21T08:00:00Z", "2026-11-27T00:00:00Z")]
    [InlineData("0 0 29 2 *", "2026-11-21T08:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("0 0 30 2 *", "2026-11-21T08:00:00Z", null)]
    [InlineData("@weekly", "2026-11-21T08:00:00Z", "2026-11-22T00:00:00Z")]
    [InlineData("@every 1h30m", "2026-11-21T08:00:00Z", "2026-11-21T09:30:00Z")]
    [InlineData("5/20 * * * ?", "2026-11-21T08:25:00Z", "2026-11-21T08:45:00Z")]
    [InlineData("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z", "Europe/Berlin")]
    [InlineData("0 9 * * *", "2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z", "Europe/Berlin")]
    [InlineData("*/5 * * * *", "2026-10-24T23:58:00Z", "2026-10-25T00:00:00Z", "Europe/Berlin")]
    [InlineData("*/5 * * * *", "2026-10-25T00:00:00Z", "2026-10-25T00:05:00Z", "Europe/Berlin")]
    [InlineData("*/5 * * * *", "2026-10-25T00:55:00Z", "2026-10-25T01:00:00Z", "Europe/Berlin")]
    [InlineData("*/5 * * * *", "2026-10-25T01:00:00Z", "2026-10-25T01:05:00Z", "Europe/Berlin")]
    [InlineData("*/5 * * * *", "2026-10-25T01:55:00Z", "2026-10-25T02:00:00Z", "Europe/Berlin")]
    public void A_schedule_says_when_it_is_next(string schedule, string after, string? next, string zone = "UTC")
    {
        var found = new CronSchedule(schedule).Next(DateTimeOffset.Parse(after, null), TimeZoneInfo.FindSystemTimeZoneById(zone));
        Assert.Equal(next is null ? null : DateTimeOffset.Parse(next, null), found);
    }

    [Theory]
    [InlineData("* * * *", "expected exactly 5 fields, found 4: [* * * *]")]
    [InlineData("60 * * * *", "end of range (60) above maximum (59): 60")]
    [InlineData("* * 0 * *", "beginning of range (0) below minimum (1): 0")]
    [InlineData("9-5 * * * *", "beginning of range (9) beyond end of range (5): 9-5")]
    [InlineData("*/0 * * * *", "step of range should be a positive number: */0")]
    [InlineData("1-2-3 * * * *", "too many hyphens: 1-2-3")]
    [InlineData("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax")]
    [InlineData("@never", "unrecognized descriptor: @never")]
    [InlineData("@every x", "failed to parse duration @every x: time: invalid duration \"x\"")]
    public void What_is_no_schedule_says_why(string schedule, string why) => Assert.Equal(why, Assert.Throws<FormatException>(() => new CronSchedule(schedule)).Message);
}
