using System.Text.Json.Nodes;

namespace Plumb.Api.Resources;

/// <summary>`status.conditions`, as typed servers write them.</summary>
internal static class Conditions
{
    /// <summary>Times that a condition does not have are there, and null.</summary>
    public static void Complete(JsonObject root, params ReadOnlySpan<string> times)
    {
        foreach (var condition in Fields.Objects(Fields.Find(root, "status"), "conditions"))
        {
            foreach (var time in times)
            {
                if (!condition.ContainsKey(time))
                    condition[time] = null;
            }
        }
    }
}
