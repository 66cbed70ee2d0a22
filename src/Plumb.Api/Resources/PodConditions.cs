using System.Text.Json.Nodes;

namespace Plumb.Api.Resources;

internal static class PodConditions
{
    /// <summary>Sets a condition of a pod to True.</summary>
    public static void Set(JsonObject pod, string type, DateTimeOffset now)
    {
        var status = Fields.Object(pod, "status");
        if (status["conditions"] is not JsonArray conditions)
            status["conditions"] = conditions = [];
        foreach (var condition in conditions)
        {
            if (condition is JsonObject found && Fields.Text(found, "type") == type)
            {
                found["status"] = "True";
                found["lastTransitionTime"] = Registry.FormatTime(now);
                found.Remove("reason");
                found.Remove("message");
                return;
            }
        }

        conditions.Add(new JsonObject
        {
            ["type"] = type,
            ["status"] = "True",
            ["lastProbeTime"] = null,
            ["lastTransitionTime"] = Registry.FormatTime(now),
        });
    }
}
