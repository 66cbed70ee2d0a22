using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

/// <summary>Whose a workload's replicas are after they were written through its scale: the writer's, where they had an owner at all.</summary>
internal static class ScaleOwner
{
    private static readonly string[] Replicas = ["f:spec", "f:replicas"];

    public static void Take(JsonObject root, JsonObject present, Writer writer)
    {
        if (Fields.Number(Fields.Find(root, "spec"), "replicas") == Fields.Number(Fields.Find(present, "spec"), "replicas"))
            return;
        var wanted = new FieldSet();
        wanted.Add(Replicas);
        var fields = ManagedFields.Of(root);
        if (!fields.Entries.Any(entry => !entry.Set.Intersect(wanted).IsEmpty))
            return;
        foreach (var entry in fields.Entries)
            entry.Set = entry.Set.Except(wanted);
        fields.Set(writer, wanted, "");
        fields.Write(root);
    }
}
