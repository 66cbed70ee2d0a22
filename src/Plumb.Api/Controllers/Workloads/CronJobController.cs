using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// Makes a Job when its time has come. 1. Jobs that are over are told, and the oldest of them deleted. 2. Of the times that have passed since the last one only the
/// latest counts. 3. Where a Job still runs, the policy says whether the next one waits for another time (Forbid) or takes its place (Replace).
/// </summary>
internal sealed class CronJobController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Component = "cronjob-controller";
    private const string ScheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

    /// <summary>More missed times than these are worth a warning.</summary>
    private const int ManyMissed = 100;

    /// <summary>Of the times that were missed: a year of minutes is not walked through.</summary>
    private const int MostMissed = 10_000;

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == CronJobStrategy.Resource && change.New is { } stored)
            Queue.Add(stored.Key);
        else if (change.Resource == GroupResource.Jobs && change.Latest.Controller is { Kind: "CronJob" } owner)
            Queue.Add(new StoreKey(CronJobStrategy.Resource, change.Latest.Namespace, owner.Name));
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.TryFind(key, out var stored) || stored.IsDeleting)
            return;
        var root = stored.ToNode();
        var spec = Fields.Object(root, "spec");
        var status = Fields.Object(root, "status");
        var jobs = Context.Store.Dependents(stored.Uid).Where(static job => job.Key.Resource == GroupResource.Jobs && !job.IsDeleting)
            .Select(static job => (Job: job, Over: Over(job))).OrderBy(static job => job.Job.CreationTimestamp).ThenBy(static job => job.Job.Name, StringComparer.Ordinal).ToList();
        Tell(stored, status, jobs);
        Trim(stored, jobs, "Complete", Fields.Number(spec, "successfulJobsHistoryLimit"));
        Trim(stored, jobs, "Failed", Fields.Number(spec, "failedJobsHistoryLimit"));
        var active = jobs.FindAll(static job => job.Over is null).ConvertAll(static job => job.Job);
        var last = Due(stored, spec, status, active) ?? Time(status, "lastScheduleTime");
        Write(key, active, last, jobs.Where(static job => job.Over is ("Complete", _)).Select(static job => (DateTimeOffset?)job.Over!.Value.At).Append(Time(status, "lastSuccessfulTime")).Max());
    }

    /// <summary>Begins what is due.</summary>
    /// <returns>The time that was due; null: none was begun.</returns>
    private DateTimeOffset? Due(StoredObject stored, JsonObject spec, JsonObject status, List<StoredObject> active)
    {
        if (Fields.Flag(spec, "suspend") || CronJobStrategy.Zone(spec) is not { } zone)
            return null;
        var now = Context.Time.GetUtcNow();
        var schedule = new CronSchedule(Fields.Text(spec, "schedule"));
        var from = Time(status, "lastScheduleTime") ?? stored.CreationTimestamp;
        if (Fields.Number(spec, "startingDeadlineSeconds") is { } deadline && deadline < 1L << 32 && from < now.AddSeconds(-deadline))
            from = now.AddSeconds(-deadline);
        DateTimeOffset? due = null;
        var next = schedule.Next(from, zone);
        for (var missed = 0; next <= now; missed++)
        {
            due = next;
            if (missed == ManyMissed)
                Context.Events.Warning(stored, Component, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
            next = schedule.Next(missed < MostMissed ? next.Value : now, zone);
        }

        if (next is { } later)
            Queue.AddAfter(stored.Key, later - now);
        return due is { } time && Begin(stored, spec, active, time) ? time : null;
    }

    private bool Begin(StoredObject stored, JsonObject spec, List<StoredObject> active, DateTimeOffset due)
    {
        var policy = Fields.Text(spec, "concurrencyPolicy");
        if (policy == "Forbid" && active.Count > 0)
        {
            Context.Events.Normal(stored, Component, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
            return false;
        }

        foreach (var job in policy == "Replace" ? active.ToList() : [])
        {
            Delete(stored, job);
            active.Remove(job);
        }

        var template = Fields.Object(spec, "jobTemplate");
        var metadata = new JsonObject { ["name"] = $"{stored.Name}-{due.ToUnixTimeSeconds() / 60}" };
        foreach (var member in (ReadOnlySpan<string>)["labels", "annotations"])
            metadata[member] = Fields.Find(template, "metadata")?[member]?.DeepClone() ?? new JsonObject();
        metadata["annotations"]![ScheduledAnnotation] = Rfc3339.Format(due);
        metadata["ownerReferences"] = new JsonArray(ControllerReference.To(stored, "batch/v1", "CronJob"));
        if (metadata["labels"] is JsonObject { Count: 0 })
            metadata.Remove("labels");
        try
        {
            var made = Registry.Create(GroupResource.Jobs, stored.Namespace, new JsonObject { ["metadata"] = metadata, ["spec"] = template["spec"]?.DeepClone() });
            Context.Show(made);
            active.Add(made);
            Context.Events.Normal(stored, Component, "SuccessfulCreate", $"Created job {made.Name}");
        }
        catch (ApiException made) when (made.IsAlreadyExists)
        {
            // The time was written by nobody, the Job was.
        }
        catch (ApiException refused)
        {
            Context.Events.Warning(stored, Component, "FailedCreate", $"Error creating job: {refused.Message}");
            throw;
        }

        return true;
    }

    /// <summary>Of those that ran when it was last looked.</summary>
    private void Tell(StoredObject stored, JsonObject status, List<(StoredObject Job, (string Type, DateTimeOffset At)? Over)> jobs)
    {
        var known = Fields.Objects(status, "active").Select(static job => Fields.Text(job, "uid")).ToHashSet();
        foreach (var (job, over) in jobs)
        {
            if (over is { } end && known.Contains(job.Uid))
                Context.Events.Normal(stored, Component, "SawCompletedJob", $"Saw completed job: {job.Name}, condition: {end.Type}");
        }
    }

    private void Trim(StoredObject stored, List<(StoredObject Job, (string Type, DateTimeOffset At)? Over)> jobs, string type, long? most)
    {
        var over = jobs.FindAll(job => job.Over?.Type == type);
        foreach (var job in most is { } limit ? over.Take(Math.Max(0, over.Count - (int)Math.Min(limit, int.MaxValue))) : [])
        {
            Delete(stored, job.Job);
            jobs.Remove(job);
        }
    }

    private void Delete(StoredObject stored, StoredObject job)
    {
        try
        {
            Registry.Delete(job.Key, new DeleteOptions { Uid = job.Uid, Propagation = Propagation.Background });
            Context.Events.Normal(stored, Component, "SuccessfulDelete", $"Deleted job {job.Name}");
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Somebody else was faster.
        }
    }

    private void Write(StoreKey key, List<StoredObject> active, DateTimeOffset? last, DateTimeOffset? lastSuccess)
    {
        Context.Show(Registry.Update(key, root =>
        {
            var before = Fields.Object(root, "status");
            var status = new JsonObject();
            if (active.Count > 0)
            {
                status["active"] = new JsonArray([.. active.Select(static job => (JsonNode)new JsonObject
                {
                    ["kind"] = "Job", ["namespace"] = job.Namespace, ["name"] = job.Name, ["uid"] = job.Uid, ["apiVersion"] = "batch/v1",
                    ["resourceVersion"] = job.ResourceVersion.ToString(CultureInfo.InvariantCulture),
                })]);
            }

            if (last is { } time)
                status["lastScheduleTime"] = Rfc3339.Format(time);
            if (lastSuccess is { } success)
                status["lastSuccessfulTime"] = Rfc3339.Format(success);
            if (Uids(before).SequenceEqual(Uids(status)) && Time(before, "lastScheduleTime") == last && Time(before, "lastSuccessfulTime") == lastSuccess)
                return false;
            root["status"] = status;
            return true;
        }, Part.Status));
    }

    private static IEnumerable<string> Uids(JsonObject status) => Fields.Objects(status, "active").Select(static job => Fields.Text(job, "uid"));

    /// <summary>How and when a Job ended; null: it runs.</summary>
    private static (string Type, DateTimeOffset At)? Over(StoredObject job)
    {
        foreach (var condition in Fields.Objects(Fields.Find(job.ToNode(), "status"), "conditions"))
        {
            if (Fields.Text(condition, "type") is "Complete" or "Failed" && Fields.Text(condition, "status") == "True")
                return (Fields.Text(condition, "type"), Time(condition, "lastTransitionTime") ?? job.CreationTimestamp);
        }

        return null;
    }

    private static DateTimeOffset? Time(JsonObject parent, string member) =>
        DateTimeOffset.TryParse(Fields.Text(parent, member), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
