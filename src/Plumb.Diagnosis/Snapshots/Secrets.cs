using System.Text.Json.Nodes;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>What must not leave the cluster in a file that is sent to somebody: contents of Secrets, and copies of them.</summary>
internal static class Secrets
{
    // kubectl's annotation is the whole object as it was applied.
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>Takes it out of an object of the API; the names of a Secret's entries stay, since pods refer to them.</summary>
    public static void Remove(JsonObject subject)
    {
        if (subject["kind"] is not JsonValue kind || !kind.TryGetValue<string>(out var name))
        {
            return;
        }
        if (name == "Secret")
        {
            Blank(subject["data"]);
            Blank(subject["stringData"]);
            ((subject["metadata"] as JsonObject)?["annotations"] as JsonObject)?.Remove(LastApplied);
        }
        else if (name is "TokenReview" or "TokenRequest")
        {
            subject.Remove("spec");
            subject.Remove("status");
        }
    }

    private static void Blank(JsonNode? map)
    {
        if (map is not JsonObject entries)
        {
            return;
        }
        foreach (var key in entries.Select(static entry => entry.Key).ToList())
        {
            entries[key] = "";
        }
    }
}
