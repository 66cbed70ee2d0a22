using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Controllers.Workloads;
using Plumb.Api.Custom;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

/// <summary>Counts for each PodDisruptionBudget the pods that it guards, how many of them must be healthy, and so how many may be evicted.</summary>
internal sealed class DisruptionController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const string Component = "controllermanager";

    /// <summary>A pod that somebody was allowed to evict counts as gone for so long; then it is believed to stay.</summary>
    private static readonly TimeSpan EvictionTimeout = TimeSpan.FromMinutes(2);

    private readonly Dictionary<StoreKey, JsonObject?> selectors = [];

    public override void Observe(in ObservedChange change)
    {
        var key = change.Latest.Key;
        if (key.Resource == DisruptionBudgetStrategy.Resource)
        {
            if (change.New is null)
                selectors.Remove(key);
            else
                selectors[key] = Fields.Find(Fields.Find(change.New.ToNode(), "spec"), "selector");
            Queue.Add(key);
        }
        else if (selectors.Count > 0 && (key.Resource == GroupResource.Pods || key.Resource.Group == "apps"))
        {
            foreach (var (budget, selector) in selectors)
            {
                if (budget.Namespace == key.Namespace && (key.Resource != GroupResource.Pods || Selects(selector, change.Old) || Selects(selector, change.New)))
                    Queue.Add(budget);
            }
        }
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!View.TryFind(key, out var stored) || !selectors.TryGetValue(key, out var selector))
            return;
        var root = stored.ToNode();
        List<PodFacts> pods = [.. View.PodsIn(key.Namespace).Where(pod => Selects(selector, pod.Stored))];
        if (pods.Count == 0)
            Context.Events.Normal(stored, Component, "NoPods", "No matching pods found");
        var (expected, desired) = Demand(Fields.Object(root, "spec"), pods);
        var evicted = Evicted(key, Fields.Find(Fields.Find(root, "status"), "disruptedPods"));
        var healthy = pods.Count(pod => pod.IsReady && !pod.Stored.IsDeleting && !evicted.ContainsKey(pod.Key.Name));
        var allowed = expected > 0 ? Math.Max(0, healthy - desired) : 0;
        Write(key, (allowed, healthy, desired, expected), evicted);
    }

    /// <summary>How many pods there should be, and how many of them healthy.</summary>
    private (int Expected, int Desired) Demand(JsonObject spec, List<PodFacts> pods)
    {
        if (spec["maxUnavailable"] is { } most)
        {
            int all = Scale(pods);
            return (all, Math.Max(0, all - Of(most, all)));
        }

        if (spec["minAvailable"] is not { } least)
            return (0, 0);
        int count = Fields.Number(least) is null ? Scale(pods) : pods.Count;
        return (count, Of(least, count));
    }

    /// <summary>The replicas that the pods' controllers want. Pods without one count as none.</summary>
    private int Scale(List<PodFacts> pods)
    {
        var counted = new HashSet<string>();
        int sum = 0;
        foreach (var pod in pods)
        {
            if (pod.Stored.Controller is not { } owner || Workload(pod.Key.Namespace, owner) is not { } workload || workload.Uid != owner.Uid)
                continue;
            if (workload.Controller is { Kind: "Deployment" } deployment && View.TryFind(new StoreKey(GroupResource.Deployments, pod.Key.Namespace, deployment.Name), out var over))
                workload = over;
            if (counted.Add(workload.Uid))
                sum += (int)(Fields.Number(ScalePaths.Find(workload.ToNode(), Registry.Catalog.Find(workload.Key.Resource).Scale.Spec)) ?? 0);
        }
        return sum;
    }

    private StoredObject? Workload(string @namespace, Owner owner) => owner.Kind switch
    {
        "ReplicaSet" => View.Find(new StoreKey(GroupResource.ReplicaSets, @namespace, owner.Name)),
        "ReplicationController" => View.Find(new StoreKey(GroupResource.ReplicationControllers, @namespace, owner.Name)),
        "StatefulSet" => View.Find(new StoreKey(GroupResource.StatefulSets, @namespace, owner.Name)),
        "Deployment" => View.Find(new StoreKey(GroupResource.Deployments, @namespace, owner.Name)),
        _ => Registry.Catalog.All.FirstOrDefault(custom => custom.Custom is not null && custom.Kind == owner.Kind && custom.ApiVersion == owner.ApiVersion && custom.Subresources.Any(static part => part.Name == "scale")) is { } custom
            ? Context.Store.Find(new StoreKey(custom.StoredIn, @namespace, owner.Name))
            : null,
    };

    /// <summary>A share is rounded up: of pods that may be missing, as of pods that must not.</summary>
    private static int Of(JsonNode amount, int all)
    {
        if (Fields.Number(amount) is { } number)
            return (int)number;
        return int.TryParse(amount.ToString().TrimEnd('%'), CultureInfo.InvariantCulture, out int percent) ? (int)Math.Ceiling(percent * (double)all / 100) : 0;
    }

    /// <summary>Those that are still on their way out.</summary>
    private Dictionary<string, string> Evicted(StoreKey key, JsonObject? known)
    {
        var evicted = new Dictionary<string, string>();
        foreach (var (name, since) in known ?? [])
        {
            if (!View.Pods.TryGetValue(new StoreKey(GroupResource.Pods, key.Namespace, name), out var pod) || pod.Stored.IsDeleting
                || !DateTimeOffset.TryParse(since?.ToString(), CultureInfo.InvariantCulture, out var at))
            {
                continue;
            }
            var left = at + EvictionTimeout - Context.Time.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                Context.Events.Warning(pod.Stored, Component, "NotDeleted", $"Pod was expected by PDB {key.Namespace}/{key.Name} to be deleted but it wasn't");
                continue;
            }
            evicted[name] = since!.ToString();
            Queue.AddAfter(key, left);
        }
        return evicted;
    }

    private void Write(StoreKey key, (int Allowed, int Healthy, int Desired, int Expected) counts, Dictionary<string, string> evicted)
    {
        try
        {
            Context.Show(Registry.Update(key, root =>
            {
                var before = Fields.Object(root, "status");
                var status = new JsonObject { ["observedGeneration"] = root["metadata"]?["generation"]?.DeepClone() };
                if (evicted.Count > 0)
                    status["disruptedPods"] = new JsonObject(evicted.Select(static pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
                status["disruptionsAllowed"] = counts.Allowed;
                status["currentHealthy"] = counts.Healthy;
                status["desiredHealthy"] = counts.Desired;
                status["expectedPods"] = counts.Expected;
                status["conditions"] = before["conditions"]?.DeepClone();
                DisruptionBudgets.SetCondition(status, Registry.Now());
                if (JsonNode.DeepEquals(before, status))
                    return false;
                root["status"] = status;
                return true;
            }, Part.Status));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // Nothing is left to count for.
        }
    }

    private static bool Selects(JsonObject? selector, StoredObject? pod)
    {
        if (pod is null || selector is null)
            return false;
        var labels = new JsonObject();
        foreach (var (name, value) in pod.Labels)
            labels[name] = value;
        return SelectorValidation.Selects(selector, labels);
    }
}
