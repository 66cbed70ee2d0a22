using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>A Deployment's status: what `kubectl rollout status` waits for.</summary>
internal sealed class DeploymentStatusWriter(ControllerContext context)
{
    /// <returns>When to look again: the deadline of a roll-out that goes on.</returns>
    public TimeSpan? Write(StoredObject stored, Deployment deployment, List<RolledSet> sets, RolledSet? current)
    {
        int desired = deployment.Spec.Replicas ?? 1;
        int replicas = DeploymentController.Sum(sets, set => set.Set.Status.Replicas);
        int updated = current?.Set.Status.Replicas ?? 0;
        int ready = DeploymentController.Sum(sets, set => set.Set.Status.ReadyReplicas);
        int available = DeploymentController.Sum(sets, set => set.Set.Status.AvailableReplicas);
        int wanted = DeploymentController.Sum(sets, set => set.Replicas);
        var before = deployment.Status;
        var now = context.Time.GetUtcNow();

        // 1. Does it move?
        bool complete = updated == desired && replicas == desired && available == desired;
        bool progressed = updated > before.UpdatedReplicas || ready > before.ReadyReplicas || available > before.AvailableReplicas
            || replicas - updated < before.Replicas - before.UpdatedReplicas;
        var progressing = Progress(deployment, current, complete, progressed, now, out var again);

        // 2. Does it serve?
        bool enough = available >= RollingLimits.Of(deployment).LeastAvailable;
        var availability = Keep(before.Conditions.Find("Available"), new Condition
        {
            Type = "Available",
            Status = enough ? "True" : "False",
            Reason = enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            Message = enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
        }, now);

        // 3. Write what is new.
        bool same = before.ObservedGeneration == stored.Generation && before.Replicas == replicas && before.UpdatedReplicas == updated && before.ReadyReplicas == ready
            && before.AvailableReplicas == available && before.UnavailableReplicas == Math.Max(0, wanted - available)
            && before.Conditions.Find("Available") == availability && before.Conditions.Find("Progressing") == progressing;
        if (!same)
        {
            long generation = stored.Generation;
            context.Show(context.Registry.Update(stored.Key, root =>
            {
                var status = Fields.Object(root, "status");
                ReplicaSetController.Set(status, "observedGeneration", generation);
                ReplicaSetController.Set(status, "replicas", replicas);
                ReplicaSetController.Set(status, "updatedReplicas", updated);
                ReplicaSetController.Set(status, "readyReplicas", ready);
                ReplicaSetController.Set(status, "availableReplicas", available);
                ReplicaSetController.Set(status, "unavailableReplicas", Math.Max(0, wanted - available));
                var conditions = new JsonArray();
                foreach (var other in before.Conditions)
                {
                    if (other.Type is not ("Available" or "Progressing"))
                        conditions.Add(KubernetesJson.WriteNode(other));
                }
                conditions.Add(KubernetesJson.WriteNode(availability));
                if (progressing is not null)
                    conditions.Add(KubernetesJson.WriteNode(progressing));
                status["conditions"] = conditions;
                return true;
            }, Part.Status));
        }
        return again;
    }

    private static Condition? Progress(Deployment deployment, RolledSet? current, bool complete, bool progressed, DateTimeOffset now, out TimeSpan? again)
    {
        again = null;
        var before = deployment.Status.Conditions.Find("Progressing");
        string name = current?.Stored.Name ?? deployment.Metadata.Name;
        string subject = current is null ? "Deployment" : "ReplicaSet";
        if (deployment.Spec.Paused)
        {
            return before?.Reason == "DeploymentPaused" ? before
                : Keep(before, new Condition { Type = "Progressing", Status = "Unknown", Reason = "DeploymentPaused", Message = "Deployment is paused" }, now);
        }
        if (complete)
        {
            return Keep(before, new Condition
            {
                Type = "Progressing", Status = "True", Reason = "NewReplicaSetAvailable", Message = $"{subject} \"{name}\" has successfully progressed.",
            }, now);
        }
        if (current is { IsNew: true })
        {
            again = Deadline(deployment);
            return new Condition
            {
                Type = "Progressing", Status = "True", Reason = "NewReplicaSetCreated", Message = $"Created new replica set \"{name}\"", LastUpdateTime = Whole(now),
                LastTransitionTime = before?.Status == "True" ? before.LastTransitionTime : Whole(now),
            };
        }
        // A finished roll-out that has lost pods since is not a roll-out that is stuck.
        if (progressed || before is null || before.Reason is "DeploymentPaused" || (before.Reason == "NewReplicaSetAvailable" && current?.Set.Status.Replicas != (deployment.Spec.Replicas ?? 1)))
        {
            again = Deadline(deployment);
            return new Condition
            {
                Type = "Progressing", Status = "True", Reason = "ReplicaSetUpdated", Message = $"{subject} \"{name}\" is progressing.", LastUpdateTime = Whole(now),
                LastTransitionTime = before?.Status == "True" ? before.LastTransitionTime : Whole(now),
            };
        }
        if (before.Status == "True" && before.Reason != "NewReplicaSetAvailable" && Deadline(deployment) is { } limit && before.LastUpdateTime is { } since)
        {
            var left = since + limit - now;
            if (left > TimeSpan.Zero)
            {
                again = left;
                return before;
            }
            return Keep(before, new Condition
            {
                Type = "Progressing", Status = "False", Reason = "ProgressDeadlineExceeded", Message = $"{subject} \"{name}\" has timed out progressing.",
            }, now);
        }
        return before;
    }

    private static TimeSpan? Deadline(Deployment deployment) => TimeSpan.FromSeconds(deployment.Spec.ProgressDeadlineSeconds ?? 600);

    private static Condition Keep(Condition? before, Condition next, DateTimeOffset now)
    {
        if (before is not null && before.Status == next.Status && before.Reason == next.Reason && before.Message == next.Message)
            return before;
        return next with { LastUpdateTime = Whole(now), LastTransitionTime = before?.Status == next.Status ? before.LastTransitionTime : Whole(now) };
    }

    /// <summary>The API keeps whole seconds.</summary>
    private static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
