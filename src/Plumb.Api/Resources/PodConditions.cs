using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Resources;

internal static class PodConditions
{
    /// <summary>Sets a condition of a pod to True.</summary>
    public static void Set(JsonObject pod, string type, DateTimeOffset now, string? reason = null, string? message = null)
    {
        var status = Fields.Object(pod, "status");
        if (status["conditions"] is not JsonArray conditions)
            status["conditions"] = conditions = [];
        var condition = conditions.OfType<JsonObject>().FirstOrDefault(one => Fields.Text(one, "type") == type);
        if (condition is null)
            conditions.Add(condition = new JsonObject { ["type"] = type, ["status"] = "True", ["lastProbeTime"] = null });
        condition["status"] = "True";
        condition["lastTransitionTime"] = Rfc3339.Format(now);
        condition.Remove("reason");
        condition.Remove("message");
        if (reason is not null)
            condition["reason"] = reason;
        if (message is not null)
            condition["message"] = message;
    }
}
