using System.Text.Json.Nodes;
using Plumb.Api.Custom;

namespace Plumb.Api.Resources.Apply;

/// <summary>Whose a workload's replicas are after they were written through its scale: the writer's, where they had an owner at all.</summary>
internal static class ScaleOwner
{
    /// <param name="replicas">Where the replicas are: `.spec.replicas`.</param>
    public static void Take(JsonObject root, JsonObject present, string replicas, Writer writer)
    {
        if (JsonNode.DeepEquals(ScalePaths.Find(root, replicas), ScalePaths.Find(present, replicas)))
            return;
        var wanted = new FieldSet();
        wanted.Add([.. replicas.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(static step => "f:" + step)]);
        var fields = ManagedFields.Of(root);
        if (!fields.Entries.Any(entry => !entry.Set.Intersect(wanted).IsEmpty))
            return;
        foreach (var entry in fields.Entries)
            entry.Set = entry.Set.Except(wanted);
        fields.Set(writer, wanted, "");
        fields.Write(root);
    }
}
