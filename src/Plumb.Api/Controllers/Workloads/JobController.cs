using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// Runs pods until enough of them have succeeded. 1. What has ended is counted, once. 2. The job is over when it has its completions, too many failures, or no time
/// left. 3. Else it has as many pods as it may, those after a failure later each time. 4. Each pod carries a finalizer until it is counted.
/// </summary>
internal sealed class JobController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Component = "job-controller";
    private const int DefaultBackoffLimit = 6;

    private readonly Dictionary<StoreKey, JobTally> tallies = [];

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.Jobs)
        {
            if (change.New is null)
                tallies.Remove(change.Latest.Key);
            else
                Queue.Add(change.New.Key);
        }
        else if (change.Resource == GroupResource.Pods)
        {
            ObservePod(change);
        }
    }

    private void ObservePod(in ObservedChange change)
    {
        if (change.Latest.Controller is { Kind: "Job" } owner)
        {
            var key = new StoreKey(GroupResource.Jobs, change.Latest.Namespace, owner.Name);
            // It may be gone before the job is looked at.
            // Of a job of the same name that was before, nothing counts.
            if ((change.NewPod ?? change.OldPod) is { } pod && !(View.TryFind(key, out var present) && present.Uid != owner.Uid))
                TallyOf(key, owner.Uid).Count(pod, gone: change.NewPod is null, Context.Time.GetUtcNow());
        }
        change.QueueOwners(Queue, GroupResource.Jobs, "Job");
        // After its job, which has written by then what the pod counts for.
        if (change.New is { } held && IsToBeReleased(held))
            Queue.Add(held.Key);
    }

    /// <summary>It has ended, well or not, and all of its pods are told of.</summary>
    public static bool IsOver(Job job) => job.Status.Conditions.IsTrue("Complete") || job.Status.Conditions.IsTrue("Failed");

    protected override void Reconcile(StoreKey key)
    {
        if (key.Resource == GroupResource.Pods)
        {
            Release(key);
            return;
        }
        if (!View.TryFind(key, out var stored) || stored.IsDeleting)
            return;
        var job = stored.As(KubernetesJson.TypeInfo<Job>());
        var tally = TallyOf(key, stored.Uid);
        var pods = View.PodsOf(stored.Uid);
        tally.Seed(job.Status, pods.Pods);
        tally.Settle(job.Spec);
        if (IsOver(job))
        {
            Expire(stored, job);
            WriteStatus(stored, job, tally, null);
            return;
        }
        var now = Context.Time.GetUtcNow();
        var start = job.Spec.Suspend ? (DateTimeOffset?)null : job.Status.StartTime ?? now;
        var verdict = Judge(job, tally, pods, start, now);
        try
        {
            if (verdict is not null || job.Spec.Suspend)
            {
                foreach (var pod in Active(pods).ToList())
                    Delete(stored, pod);
            }
            else
            {
                if (job.Spec.ActiveDeadlineSeconds is { } seconds && start is { } since)
                    Queue.AddAfter(key, since.AddSeconds(seconds) - now);
                Man(stored, job, tally, pods, now);
            }
        }
        finally
        {
            // Also where the next pod cannot be made: what has ended is told.
            WriteStatus(stored, job, tally, verdict, start);
        }
    }

    private sealed record Verdict(string Type, string Reason, string Message);

    private static Verdict? Judge(Job job, JobTally tally, OwnedPods pods, DateTimeOffset? start, DateTimeOffset now)
    {
        // Once it is said what the job comes to, that does not change while its last pods are told of.
        if (job.Status.Conditions.Find("SuccessCriteriaMet") is { Status: "True" } said)
            return new("Complete", said.Reason ?? "", said.Message ?? "");
        if (job.Status.Conditions.Find("FailureTarget") is { Status: "True" } target)
            return new("Failed", target.Reason ?? "", target.Message ?? "");
        int limit = job.Spec.BackoffLimit ?? (job.Spec.BackoffLimitPerIndex is null ? DefaultBackoffLimit : int.MaxValue);
        int restarts = job.Spec.Template.Spec.RestartPolicy == "OnFailure" ? Restarts(pods) : 0;
        if (tally.Doom is { } rule)
            return new("Failed", "PodFailurePolicy", rule);
        if (tally.Failed > limit || (restarts > 0 && restarts >= Math.Max(1, limit)))
            return new("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        if (job.Spec.ActiveDeadlineSeconds is { } seconds && start is { } since && now - since >= TimeSpan.FromSeconds(seconds))
            return new("Failed", "DeadlineExceeded", "Job was active longer than specified deadline");
        if (tally.FailedIndexes.Count > (job.Spec.MaxFailedIndexes ?? int.MaxValue))
            return new("Failed", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
        if (tally.FailedIndexes.Count > 0 && tally.FailedIndexes.Count + tally.Indexes.Count >= job.Spec.Completions)
            return new("Failed", "FailedIndexes", "Job has failed indexes");
        if (job.Spec.CompletionMode == "Indexed" && tally.Suffices(job.Spec.SuccessPolicy) is { } met)
            return new("Complete", "SuccessPolicy", $"Matched rules at index {met}");
        bool enough = job.Spec.Completions is { } completions ? Succeeded(job, tally) >= completions : tally.Succeeded > 0 && !Active(pods).Any();
        return enough ? new("Complete", "CompletionsReached", "Reached expected number of succeeded pods") : null;
    }

    private void Man(StoredObject stored, Job job, JobTally tally, OwnedPods pods, DateTimeOffset now)
    {
        var active = Active(pods).ToList();
        int parallelism = job.Spec.Parallelism ?? 1;
        int wanted = job.Spec.Completions is { } completions ? Math.Min(parallelism, completions - Succeeded(job, tally) - tally.FailedIndexes.Count)
            : tally.Succeeded > 0 ? Math.Min(parallelism, active.Count)
            : parallelism;
        if (active.Count > wanted)
        {
            // Those go first that have done least.
            active.Sort(static (left, right) => left.IsReady.CompareTo(right.IsReady) is var order && order != 0 ? order : right.Stored.CreationTimestamp.CompareTo(left.Stored.CreationTimestamp));
            foreach (var pod in active.Take(active.Count - wanted))
                Delete(stored, pod);
            return;
        }
        int missing = wanted - active.Count - (job.Spec.PodReplacementPolicy == "Failed" ? Terminating(pods) : 0);
        if (missing <= 0)
            return;
        bool each = job.Spec.BackoffLimitPerIndex is not null;
        if (!each && tally.Wait(now) is var wait && wait > TimeSpan.Zero)
        {
            Queue.AddAfter(stored.Key, wait);
            return;
        }
        if (job.Spec.CompletionMode != "Indexed")
        {
            for (int i = 0; i < missing; i++)
                Create(stored, job, null);
            return;
        }
        var taken = active.Select(static pod => JobTally.IndexOf(pod)).ToHashSet();
        for (int index = 0; index < job.Spec.Completions && missing > 0; index++)
        {
            if (tally.Indexes.Contains(index) || tally.FailedIndexes.Contains(index) || !taken.Add(index))
                continue;
            if (each && tally.Wait(now, index) is var left && left > TimeSpan.Zero)
            {
                Queue.AddAfter(stored.Key, left);
                continue;
            }
            Create(stored, job, index);
            missing--;
        }
    }

    private void Create(StoredObject stored, Job job, int? index)
    {
        var template = (JsonObject)Fields.Object(Fields.Object(stored.ToNode(), "spec"), "template").DeepClone();
        var spec = Fields.Object(template, "spec");
        var metadata = new JsonObject { ["generateName"] = index is { } number ? $"{stored.Name}-{number}-" : stored.Name + "-" };
        foreach (string member in (ReadOnlySpan<string>)["labels", "annotations", "finalizers"])
        {
            if (Fields.Find(template, "metadata")?[member] is { } value)
                metadata[member] = value.DeepClone();
        }
        var finalizers = Fields.Array(metadata, "finalizers") ?? [];
        finalizers.Add(Job.TrackingFinalizer);
        metadata["finalizers"] = finalizers;
        if (index is { } own)
        {
            string text = own.ToString(CultureInfo.InvariantCulture);
            Fields.Object(metadata, "labels")[Job.IndexKey] = text;
            Fields.Object(metadata, "annotations")[Job.IndexKey] = text;
            Fields.DefaultText(spec, "hostname", $"{stored.Name}-{own}");
            foreach (string member in (ReadOnlySpan<string>)["containers", "initContainers"])
            {
                foreach (var container in Fields.Objects(spec, member))
                    Index(container);
            }
        }
        metadata["ownerReferences"] = new JsonArray(ControllerReference.To(stored, "batch/v1", "Job"));
        try
        {
            var made = Registry.Create(GroupResource.Pods, stored.Namespace, new JsonObject { ["metadata"] = metadata, ["spec"] = spec.DeepClone() });
            Context.Show(made);
            Context.Events.Normal(stored, Component, "SuccessfulCreate", $"Created pod: {made.Name}");
        }
        catch (ApiException refused)
        {
            Context.Events.Warning(stored, Component, "FailedCreate", $"Error creating: {refused.Message}");
            throw;
        }
    }

    private static void Index(JsonObject container)
    {
        const string variable = "JOB_COMPLETION_INDEX";
        foreach (var known in Fields.Objects(container, "env"))
        {
            if (Fields.Text(known, "name") == variable)
                return;
        }
        if (container["env"] is not JsonArray variables)
            container["env"] = variables = [];
        variables.Add(new JsonObject { ["name"] = variable, ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["fieldPath"] = $"metadata.labels['{Job.IndexKey}']" } } });
    }

    /// <summary>Counted or, unfinished, about to go, which is counted when it has gone; or let go of by its job.</summary>
    private static bool IsToBeReleased(StoredObject pod) =>
        JobTally.Holds(pod) && (pod.IsDeleting || pod.Phase is "Succeeded" or "Failed" || pod.Controller is not { Kind: "Job" });

    private void Release(StoreKey key)
    {
        if (!View.Pods.TryGetValue(key, out var facts) || facts.Stored is not { } pod || !IsToBeReleased(pod))
            return;
        // Not before its job's status names it; of a job that is going nobody asks any more.
        if (pod.Controller is { Kind: "Job" } owner && new StoreKey(GroupResource.Jobs, pod.Namespace, owner.Name) is var job
            && View.TryFind(job, out var present) && present.Uid == owner.Uid && !present.IsDeleting && !TallyOf(job, owner.Uid).MayLetGo(pod.Uid))
        {
            return;
        }
        try
        {
            Registry.Update(key, root =>
            {
                var metadata = Fields.Object(root, "metadata");
                return Fields.Text(metadata, "uid") == pod.Uid && JobTally.Free(metadata);
            });
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Somebody took the finalizer away by hand.
        }
    }

    private void Delete(StoredObject stored, PodFacts pod)
    {
        View.PodsOf(stored.Uid).Doom(pod);
        try
        {
            Registry.Delete(pod.Key, new DeleteOptions { Uid = pod.Stored.Uid });
            Context.Events.Normal(stored, Component, "SuccessfulDelete", $"Deleted pod: {pod.Key.Name}");
        }
        catch (ApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Somebody else was faster.
        }
    }

    /// <summary>A job that is over goes when its time has come (`ttlSecondsAfterFinished`).</summary>
    private void Expire(StoredObject stored, Job job)
    {
        if (job.Spec.TtlSecondsAfterFinished is not { } seconds)
            return;
        var over = (job.Status.Conditions.Find("Complete") ?? job.Status.Conditions.Find("Failed"))?.LastTransitionTime ?? Context.Time.GetUtcNow();
        var left = over.AddSeconds(seconds) - Context.Time.GetUtcNow();
        if (left > TimeSpan.Zero)
            Queue.AddAfter(stored.Key, left);
        else
            Registry.Delete(stored.Key, new DeleteOptions { Uid = stored.Uid, Propagation = Propagation.Foreground });
    }

    private void WriteStatus(StoredObject stored, Job job, JobTally tally, Verdict? verdict, DateTimeOffset? start = null)
    {
        var pods = View.PodsOf(stored.Uid);
        var now = Context.Time.GetUtcNow();
        bool isOver = verdict is not null || IsOver(job);
        int active = Active(pods).Count(), ready = Active(pods).Count(static pod => pod.IsReady), terminating = Terminating(pods);
        string indexes = job.Spec.CompletionMode == "Indexed" ? JobTally.Ranges(tally.Indexes) : "", failed = JobTally.Ranges(tally.FailedIndexes);
        var uncounted = tally.Uncounted(pods.Pods);
        int succeeded = Succeeded(job, tally), failures = tally.Failed - uncounted.Failed.Count;
        if (job.Spec.CompletionMode == "Indexed")
            uncounted = uncounted with { Succeeded = [] };
        else
            succeeded -= uncounted.Succeeded.Count;
        // Nor is a job over while one of its pods still goes.
        bool isLast = uncounted.Succeeded.Count + uncounted.Failed.Count + terminating == 0;
        var conditions = Conditions(job, verdict, isLast, now);
        var started = isOver && verdict is null ? job.Status.StartTime : start;
        bool same = job.Status.Active == active && job.Status.Ready == ready && job.Status.Terminating == terminating && job.Status.Succeeded == succeeded
            && job.Status.Failed == failures && AreSame(job.Status.UncountedTerminatedPods, uncounted) && (job.Status.CompletedIndexes ?? "") == indexes && (job.Status.FailedIndexes ?? "") == failed && job.Status.StartTime == started && conditions.SequenceEqual(job.Status.Conditions);
        if (same)
        {
            LetGo(tally, pods);
            return;
        }
        Context.Show(Registry.Update(stored.Key, root =>
        {
            var status = Fields.Object(root, "status");
            ReplicaSetController.Set(status, "active", active);
            status["ready"] = ready;
            status["terminating"] = terminating;
            ReplicaSetController.Set(status, "succeeded", succeeded);
            ReplicaSetController.Set(status, "failed", failures);
            status["uncountedTerminatedPods"] = Named(uncounted);
            Set(status, "completedIndexes", indexes);
            Set(status, "failedIndexes", failed);
            Set(status, "startTime", started is { } since ? Rfc3339.Format(since) : "");
            if (verdict?.Type == "Complete" && isLast)
                status["completionTime"] = Rfc3339.Format(now);
            if (conditions.Count > 0)
                status["conditions"] = new JsonArray([.. conditions.Select(static one => KubernetesJson.WriteNode(one))]);
            return true;
        }, Part.Status));
        LetGo(tally, pods);
        Tell(stored, job, isLast ? verdict : null);
    }

    /// <summary>The stored status tells of all that have ended: their finalizers may go.</summary>
    private void LetGo(JobTally tally, OwnedPods pods)
    {
        tally.Name(tally.Uncounted(pods.Pods));
        foreach (var pod in pods.Pods)
        {
            if (IsToBeReleased(pod.Stored))
                Queue.Add(pod.Key);
        }
    }

    private static bool AreSame(UncountedPods one, UncountedPods other) => one.Succeeded.SequenceEqual(other.Succeeded) && one.Failed.SequenceEqual(other.Failed);

    private static JsonObject Named(UncountedPods pods)
    {
        var named = new JsonObject();
        foreach (var (member, ids) in ((string, IReadOnlyList<string>)[])[("succeeded", pods.Succeeded), ("failed", pods.Failed)])
        {
            if (ids.Count > 0)
                named[member] = new JsonArray([.. ids.Select(static id => (JsonNode)id)]);
        }
        return named;
    }

    private void Tell(StoredObject stored, Job job, Verdict? verdict)
    {
        if (verdict is { Type: "Complete" })
            Context.Events.Normal(stored, Component, "Completed", "Job completed");
        else if (verdict is not null)
            Context.Events.Warning(stored, Component, verdict.Reason, verdict.Message);
        var suspended = job.Status.Conditions.Find("Suspended");
        if (job.Spec.Suspend && suspended?.Status != "True")
            Context.Events.Normal(stored, Component, "Suspended", "Job suspended");
        else if (!job.Spec.Suspend && suspended?.Status == "True")
            Context.Events.Normal(stored, Component, "Resumed", "Job resumed");
    }

    private static List<Condition> Conditions(Job job, Verdict? verdict, bool isLast, DateTimeOffset now)
    {
        var conditions = job.Status.Conditions.ToList();
        if (job.Spec.Suspend && !conditions.IsTrue("Suspended"))
            Turn("Suspended", "True", "JobSuspended", "Job suspended");
        else if (!job.Spec.Suspend && conditions.IsTrue("Suspended"))
            Turn("Suspended", "False", "JobResumed", "Job resumed");
        if (verdict is not null)
        {
            // The first of the two says what will be when all pods are told of.
            if (!conditions.IsTrue(verdict.Type == "Complete" ? "SuccessCriteriaMet" : "FailureTarget"))
                Turn(verdict.Type == "Complete" ? "SuccessCriteriaMet" : "FailureTarget", "True", verdict.Reason, verdict.Message);
            if (isLast)
                Turn(verdict.Type, "True", verdict.Reason, verdict.Message);
        }
        return conditions;

        void Turn(string type, string status, string reason, string message)
        {
            conditions.RemoveAll(one => one.Type == type);
            conditions.Add(new Condition { Type = type, Status = status, Reason = reason, Message = message, LastProbeTime = now, LastTransitionTime = now });
        }
    }

    private JobTally TallyOf(StoreKey key, string uid)
    {
        if (!tallies.TryGetValue(key, out var tally) || tally.Uid != uid)
            tallies[key] = tally = new JobTally(uid);
        return tally;
    }

    private static int Succeeded(Job job, JobTally tally) => job.Spec.CompletionMode == "Indexed" ? tally.Indexes.Count : tally.Succeeded;

    private static IEnumerable<PodFacts> Active(OwnedPods pods) => pods.Pods.Where(static pod => pod.IsActive);

    private static int Terminating(OwnedPods pods) => pods.Pods.Count(static pod => !pod.IsOver && (pod.IsDoomed || pod.Stored.IsDeleting));

    private static int Restarts(OwnedPods pods)
    {
        int restarts = 0;
        foreach (var pod in pods.Pods)
        {
            var status = pod.Stored.As(KubernetesJson.TypeInfo<Pod>()).Status;
            foreach (var container in pod.IsActive ? status.InitContainerStatuses.Concat(status.ContainerStatuses) : [])
                restarts += container.RestartCount;
        }
        return restarts;
    }

    private static void Set(JsonObject status, string member, string text)
    {
        if (text.Length > 0)
            status[member] = text;
        else
            status.Remove(member);
    }
}
