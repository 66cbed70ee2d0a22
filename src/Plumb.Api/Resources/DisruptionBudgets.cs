using System.Text.Json.Nodes;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

/// <summary>What a PodDisruptionBudget lets the eviction of a pod do.</summary>
internal static class DisruptionBudgets
{
    private const string Condition = "DisruptionAllowed";
    private const int MostEvicted = 2000;
    private const string Refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

    /// <summary>Takes one disruption from the budget that guards the pod, where one does.</summary>
    /// <returns>The version of the pod that must not have changed until it is deleted; null: any may go.</returns>
    /// <exception cref="ApiException">429: the budget has none left; 500: two budgets guard the pod.</exception>
    public static long? Take(Registry registry, StoredObject pod, bool dryRun)
    {
        if (pod.IsDeleting || pod.Phase is "Succeeded" or "Failed")
            return null;
        if (pod.Phase == "Pending")
            return pod.ResourceVersion;
        var root = pod.ToNode();
        var labels = Fields.Find(Fields.Find(root, "metadata"), "labels");
        List<StoredObject> budgets =
            [.. registry.Store.List(DisruptionBudgetStrategy.Resource, pod.Namespace).Where(budget => Selects(budget, labels))];
        if (budgets.Count > 1)
            throw new ApiException(500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
        if (budgets.Count == 0)
            return null;
        var status = Fields.Object(budgets[0].ToNode(), "status");
        var isReady = Fields.Objects(Fields.Find(root, "status"), "conditions").Any(static one => Fields.Text(one, "type") == "Ready" && Fields.Text(one, "status") == "True");
        if (!isReady && LetsUnhealthyGo(budgets[0], status))
            return pod.ResourceVersion;
        registry.Update(budgets[0].Key, budget => Take(budget, budgets[0].Name, pod.Name, registry.Now()) && !dryRun, Part.Status);
        return null;
    }

    /// <summary>The pod was to be deleted as it was, and has changed.</summary>
    public static ApiException StillProcessed(string budget) => TooMany($"The disruption budget {budget} is still being processed by the server.", retryAfter: 10);

    /// <summary>`DisruptionAllowed`, from the counts.</summary>
    public static void SetCondition(JsonObject status, string now)
    {
        var allows = Fields.Number(status, "disruptionsAllowed") > 0;
        if (status["conditions"] is not JsonArray conditions)
            status["conditions"] = conditions = [];
        var present = conditions.OfType<JsonObject>().FirstOrDefault(static one => Fields.Text(one, "type") == Condition);
        var text = allows ? "True" : "False";
        var since = present is not null && Fields.Text(present, "status") == text ? Fields.Text(present, "lastTransitionTime") : now;
        if (present is not null)
            conditions.Remove(present);
        conditions.Add(new JsonObject
        {
            ["type"] = Condition,
            ["status"] = text,
            ["observedGeneration"] = status["observedGeneration"]?.DeepClone(),
            ["lastTransitionTime"] = since,
            ["reason"] = allows ? "SufficientPods" : "InsufficientPods",
            ["message"] = "",
        });
    }

    private static bool Selects(StoredObject budget, JsonObject? labels) =>
        Fields.Find(Fields.Find(budget.ToNode(), "spec"), "selector") is { } selector && SelectorValidation.Selects(selector, labels);

    /// <summary>What is not ready is no loss: always, or as long as enough others are.</summary>
    private static bool LetsUnhealthyGo(StoredObject budget, JsonObject status) =>
        Fields.Text(Fields.Find(budget.ToNode(), "spec"), "unhealthyPodEvictionPolicy") == "AlwaysAllow"
        || (Fields.Number(status, "desiredHealthy") > 0 && Fields.Number(status, "currentHealthy") >= Fields.Number(status, "desiredHealthy"));

    private static bool Take(JsonObject budget, string name, string pod, string now)
    {
        var status = Fields.Object(budget, "status");
        if ((Fields.Number(status, "observedGeneration") ?? 0) < (Fields.Number(Fields.Find(budget, "metadata"), "generation") ?? 0))
            throw StillProcessed(name);
        var allowed = Fields.Number(status, "disruptionsAllowed") ?? 0;
        if (allowed < 0)
            throw ApiException.Forbidden(new GroupResource("policy", "poddisruptionbudget"), name, "pdb disruptions allowed is negative");
        if (Fields.Find(status, "disruptedPods")?.Count > MostEvicted)
            throw ApiException.Forbidden(new GroupResource("policy", "poddisruptionbudget"), name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
        if (allowed == 0)
        {
            throw TooMany(
                $"The disruption budget {name} needs {Fields.Number(status, "desiredHealthy") ?? 0} healthy pods and has {Fields.Number(status, "currentHealthy") ?? 0} currently", retryAfter: 0);
        }

        status["disruptionsAllowed"] = allowed - 1;
        if (allowed == 1)
            SetCondition(status, now);
        Fields.Object(status, "disruptedPods")[pod] = now;
        return true;
    }

    private static ApiException TooMany(string cause, int retryAfter)
    {
        var details = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "DisruptionBudget", ["message"] = cause }) };
        if (retryAfter > 0)
            details["retryAfterSeconds"] = retryAfter;
        return new ApiException(429, "TooManyRequests", Refusal, details);
    }
}
