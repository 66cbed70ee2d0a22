using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>Makes a ReplicaSet for each template of a Deployment and moves the replicas from the old ones to the new one, as the strategy says.</summary>
internal sealed class DeploymentController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Component = "deployment-controller";
    private const string RevisionAnnotation = "deployment.kubernetes.io/revision";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private readonly DeploymentStatusWriter statusWriter = new(context);

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.Deployments && change.New is not null)
        {
            Queue.Add(change.New.Key);
        }
        else if (change.Resource == GroupResource.ReplicaSets)
        {
            change.QueueOwners(Queue, GroupResource.Deployments, "Deployment");
        }
        else if (change is { NewPod: null, OldPod.OwnerUid.Length: > 0 } && change.Latest.Controller is { Kind: "ReplicaSet" } set
            && View.Find(new StoreKey(GroupResource.ReplicaSets, change.Latest.Namespace, set.Name))?.Controller is { Kind: "Deployment" } deployment)
        {
            // `Recreate` waits for the last old pod to be gone.
            Queue.Add(new StoreKey(GroupResource.Deployments, change.Latest.Namespace, deployment.Name));
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.TryFind(key, out var stored) || stored.IsDeleting)
            return;
        var deployment = stored.As(KubernetesJson.TypeInfo<Deployment>());
        var sets = Sets(stored);
        string hash = PodTemplateHash.Of(stored.ToNode().At("spec", "template"), deployment.Status.CollisionCount ?? 0);
        var current = sets.Find(set => set.Stored.Labels.TryGetValue(PodTemplateHash.Label, out string? label) && label == hash);
        bool isRecreate = deployment.Spec.Strategy?.Type == "Recreate";

        if (!deployment.Spec.Paused)
        {
            if (isRecreate && !OldAreGone(sets, current))
            {
                foreach (var set in sets)
                {
                    if (set != current)
                        Scale(stored, set, 0);
                }
            }
            else
            {
                if (current is null && (current = Create(stored, deployment, sets, hash)) is null)
                    return;
                Renumber(stored, deployment, sets, current);
                if (isRecreate)
                    Scale(stored, current, deployment.Spec.Replicas ?? 1);
                else
                    Roll(stored, deployment, sets, current);
                CleanUp(deployment, sets, current);
            }
        }
        else if (Newest(sets) is { } latest)
        {
            Scale(stored, latest, Math.Max(0, (deployment.Spec.Replicas ?? 1) - Sum(sets, set => set == latest ? 0 : set.Replicas)));
        }
        if (statusWriter.Write(stored, deployment, sets, current) is { } again)
            Queue.AddAfter(key, again);
    }

    private List<RolledSet> Sets(StoredObject deployment)
    {
        var sets = new List<RolledSet>();
        foreach (var key in View.ReplicaSetsOf(deployment.Uid))
        {
            if (View.TryFind(key, out var stored) && !stored.IsDeleting)
                sets.Add(new RolledSet(stored));
        }
        sets.Sort(static (left, right) => left.Stored.CreationTimestamp.CompareTo(right.Stored.CreationTimestamp) is var order && order != 0
            ? order
            : string.CompareOrdinal(left.Stored.Name, right.Stored.Name));
        return sets;
    }

    private bool OldAreGone(List<RolledSet> sets, RolledSet? current)
    {
        foreach (var set in sets)
        {
            if (set == current)
                continue;
            foreach (var pod in View.PodsOf(set.Stored.Uid).Pods)
            {
                if (!pod.IsOver)
                    return false;
            }
            if (set.Replicas > 0)
                return false;
        }
        return true;
    }

    private RolledSet? Create(StoredObject stored, Deployment deployment, List<RolledSet> sets, string hash)
    {
        var root = stored.ToNode();
        var spec = Fields.Object(root, "spec");
        var template = (JsonObject)Fields.Object(spec, "template").DeepClone();
        var selector = (JsonObject)Fields.Object(spec, "selector").DeepClone();
        Fields.Object(selector, "matchLabels")[PodTemplateHash.Label] = hash;
        var labels = Fields.Object(Fields.Object(template, "metadata"), "labels");
        labels[PodTemplateHash.Label] = hash;
        var annotations = new JsonObject();
        foreach (var (name, value) in Inherited(deployment))
            annotations[name] = value;
        annotations[RevisionAnnotation] = (HighestRevision(sets) + 1).ToString(CultureInfo.InvariantCulture);
        int replicas = deployment.Spec.Strategy?.Type == "Recreate" ? deployment.Spec.Replicas ?? 1 : RollingLimits.Of(deployment).NewReplicas(0, Sum(sets, set => set.Replicas));
        var proposed = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{stored.Name}-{hash}",
                ["labels"] = labels.DeepClone(),
                ["annotations"] = annotations,
                ["ownerReferences"] = new JsonArray(ControllerReference.To(stored, "apps/v1", "Deployment")),
            },
            ["spec"] = new JsonObject { ["replicas"] = replicas, ["selector"] = selector, ["template"] = template },
        };
        if (deployment.Spec.MinReadySeconds > 0)
            proposed["spec"]!["minReadySeconds"] = deployment.Spec.MinReadySeconds;
        try
        {
            var made = Registry.Create(GroupResource.ReplicaSets, stored.Namespace, proposed);
            Context.Show(made);
            if (replicas > 0)
                Context.Events.Normal(stored, Component, "ScalingReplicaSet", $"Scaled up replica set {made.Name} from 0 to {replicas}");
            var set = new RolledSet(made) { IsNew = true };
            sets.Add(set);
            return set;
        }
        catch (ApiException taken) when (taken.IsAlreadyExists)
        {
            // Another's set has the name: the next hash will be another one.
            Context.Show(Registry.Update(stored.Key, target =>
            {
                Fields.Object(target, "status")["collisionCount"] = (deployment.Status.CollisionCount ?? 0) + 1;
                return true;
            }, Part.Status));
            Queue.Add(stored.Key);
            return null;
        }
    }

    /// <summary>What the current set takes over from the Deployment: `kubectl rollout history` reads the cause of a change there.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Inherited(Deployment deployment) =>
        deployment.Metadata.Annotations.Where(static one => one.Key is not (LastApplied or RevisionAnnotation));

    /// <summary>The current set has the highest revision: one that was rolled back to is numbered anew.</summary>
    private void Renumber(StoredObject stored, Deployment deployment, List<RolledSet> sets, RolledSet current)
    {
        long highest = 0;
        foreach (var set in sets)
            highest = set == current ? highest : Math.Max(highest, set.Revision);
        long revision = current.Revision > highest ? current.Revision : highest + 1;
        string text = revision.ToString(CultureInfo.InvariantCulture);
        var has = current.Annotations;
        if (current.Revision != revision || Inherited(deployment).Any(one => has.GetValueOrDefault(one.Key) != one.Value))
            current.Take(Annotate(current.Stored.Key, [.. Inherited(deployment), new(RevisionAnnotation, text)]));
        if (deployment.Metadata.Annotations.GetValueOrDefault(RevisionAnnotation) != text)
            Annotate(stored.Key, [new(RevisionAnnotation, text)]);
    }

    private StoredObject Annotate(StoreKey key, IReadOnlyList<KeyValuePair<string, string>> wanted)
    {
        var written = Registry.Update(key, root =>
        {
            var annotations = Fields.Object(Fields.Object(root, "metadata"), "annotations");
            foreach (var (name, value) in wanted)
                annotations[name] = value;
            return true;
        });
        Context.Show(written);
        return written;
    }

    private void Roll(StoredObject stored, Deployment deployment, List<RolledSet> sets, RolledSet current)
    {
        var limits = RollingLimits.Of(deployment);
        // 1. The new set grows as far as the surge allows, or shrinks to what is asked.
        int all = Sum(sets, set => set.Replicas);
        Scale(stored, current, limits.NewReplicas(current.Replicas, all));

        // 2. Of the old ones first those go that serve nobody.
        all = Sum(sets, set => set.Replicas);
        int spare = all - limits.LeastAvailable - Math.Max(0, current.Replicas - current.Available);
        foreach (var set in sets)
        {
            int broken = Math.Min(spare, set.Replicas - set.Available);
            if (set == current || broken <= 0)
                continue;
            Scale(stored, set, set.Replicas - broken);
            spare -= broken;
        }

        // 3. Then as many others as the new ones have come to replace, the oldest first.
        int available = 0;
        foreach (var set in sets)
            available += Math.Min(set.Available, set.Replicas);
        int dispensable = Math.Min(spare, available - limits.LeastAvailable);
        foreach (var set in sets)
        {
            int fewer = Math.Min(dispensable, set.Replicas);
            if (set == current || fewer <= 0)
                continue;
            Scale(stored, set, set.Replicas - fewer);
            dispensable -= fewer;
        }
    }

    private void Scale(StoredObject deployment, RolledSet set, int replicas)
    {
        int before = set.Replicas;
        if (before == replicas)
            return;
        var written = Registry.Update(set.Stored.Key, root =>
        {
            Fields.Object(root, "spec")["replicas"] = replicas;
            return true;
        });
        set.Take(written);
        Context.Show(written);
        Context.Events.Normal(deployment, Component, "ScalingReplicaSet", $"Scaled {(replicas > before ? "up" : "down")} replica set {set.Stored.Name} from {before} to {replicas}");
    }

    private void CleanUp(Deployment deployment, List<RolledSet> sets, RolledSet current)
    {
        var idle = sets.FindAll(set => set != current && set.Replicas == 0 && set.Set.Status.Replicas == 0);
        idle.Sort(static (left, right) => left.Revision.CompareTo(right.Revision));
        for (int i = 0; i < idle.Count - (deployment.Spec.RevisionHistoryLimit ?? 10); i++)
        {
            Registry.Delete(idle[i].Stored.Key, new DeleteOptions { Uid = idle[i].Stored.Uid });
            sets.Remove(idle[i]);
        }
    }

    private static RolledSet? Newest(List<RolledSet> sets)
    {
        RolledSet? newest = null;
        foreach (var set in sets)
        {
            if (newest is null || set.Revision > newest.Revision)
                newest = set;
        }
        return newest;
    }

    private static long HighestRevision(List<RolledSet> sets) => Newest(sets)?.Revision ?? 0;

    internal static int Sum(List<RolledSet> sets, Func<RolledSet, int> count)
    {
        int sum = 0;
        foreach (var set in sets)
            sum += count(set);
        return sum;
    }
}
