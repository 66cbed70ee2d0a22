using System.Text.Json.Nodes;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Api.Resources.Apply;

/// <summary>
/// Server-side apply: what one manager wants of an object. Its fields are merged in; fields that it wanted before and no longer does are taken out,
/// unless another manager applies them too; fields that another manager applied with another value are a conflict, unless forced.
/// </summary>
/// <remarks>Only apply is tracked in managedFields. Writers that update or patch own nothing here, so they never conflict with an apply.</remarks>
internal sealed class AppliedConfiguration(ResourceDefinition definition, JsonObject applied, string manager, string subresource)
{
    private static readonly string[] Untracked = ["name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"];

    public JsonObject Create(string now)
    {
        var root = applied.DeepClone().AsObject();
        Fields.Object(root, "metadata")["managedFields"] = new JsonArray(Entry(FieldSet.Of(Tracked(applied)), now));
        return root;
    }

    /// <exception cref="ApiException">409 with every field in conflict.</exception>
    public JsonObject ApplyTo(JsonObject present, bool force, string now)
    {
        var wanted = FieldSet.Of(Tracked(applied));
        var entries = (Fields.Array(Fields.Object(present, "metadata"), "managedFields") ?? []).OfType<JsonObject>().Select(static entry => entry.DeepClone().AsObject()).ToList();
        var mine = entries.Find(IsMine);
        var others = entries.FindAll(entry => !IsMine(entry));
        Resolve(present, wanted, others, force);

        var root = present.DeepClone().AsObject();
        if (mine is not null)
        {
            foreach (var path in FieldSet.From(mine["fieldsV1"]).Except(wanted))
            {
                if (!others.Exists(other => FieldSet.From(other["fieldsV1"]).Contains(path)))
                    path.RemoveFrom(root);
            }
        }

        root = new StrategicMergePatch(Mergeable()).Apply(root, new GroupVersionKind(definition.Resource.Group, definition.Version, definition.Kind));
        var next = new JsonArray([.. others.Select(static other => (JsonNode)other)]);
        var unchanged = mine is not null && FieldSet.From(mine["fieldsV1"]).SequenceEqual(wanted);
        next.Add(Entry(wanted, unchanged ? Fields.Text(mine!, "time") : now));
        Fields.Object(root, "metadata")["managedFields"] = next;
        return root;
    }

    private void Resolve(JsonObject present, List<FieldPath> wanted, List<JsonObject> others, bool force)
    {
        var conflicts = new List<(string Manager, string Version, FieldPath Path)>();
        foreach (var other in others)
        {
            var owned = FieldSet.From(other["fieldsV1"]);
            foreach (var path in wanted)
            {
                if (!owned.Contains(path) || JsonNode.DeepEquals(path.Find(applied), path.Find(present)))
                    continue;
                conflicts.Add((Fields.Text(other, "manager"), Fields.Text(other, "apiVersion"), path));
                owned.Remove(path);
            }

            if (force)
                other["fieldsV1"] = FieldSet.ToFieldsV1(owned);
        }

        if (force || conflicts.Count == 0)
            return;
        var causes = new JsonArray();
        foreach (var (who, version, path) in conflicts)
        {
            causes.Add(new JsonObject
            {
                ["reason"] = "FieldManagerConflict",
                ["message"] = $"conflict with \"{who}\" using {version}",
                ["field"] = path.ToString(),
            });
        }

        var first = conflicts[0];
        var text = conflicts.Count == 1
            ? $"Apply failed with 1 conflict: conflict with \"{first.Manager}\" using {first.Version}: {first.Path}"
            : $"Apply failed with {conflicts.Count} conflicts: " + string.Join('\n', conflicts.GroupBy(static conflict => (conflict.Manager, conflict.Version))
                .Select(static group => $"conflicts with \"{group.Key.Manager}\" using {group.Key.Version}:\n{string.Join('\n', group.Select(static conflict => "- " + conflict.Path))}"));
        throw new ApiException(409, "Conflict", text, new JsonObject { ["causes"] = causes });
    }

    private JsonObject Mergeable()
    {
        var patch = applied.DeepClone().AsObject();
        Fields.Object(patch, "metadata").Remove("managedFields");
        return patch;
    }

    private static JsonObject Tracked(JsonObject root)
    {
        var tracked = root.DeepClone().AsObject();
        tracked.Remove("apiVersion");
        tracked.Remove("kind");
        var metadata = Fields.Object(tracked, "metadata");
        foreach (var member in Untracked)
            metadata.Remove(member);
        if (metadata.Count == 0)
            tracked.Remove("metadata");
        return tracked;
    }

    private bool IsMine(JsonObject entry) =>
        Fields.Text(entry, "manager") == manager && Fields.Text(entry, "operation") == "Apply" && Fields.Text(entry, "subresource") == subresource;

    private JsonObject Entry(List<FieldPath> fields, string time)
    {
        var entry = new JsonObject
        {
            ["manager"] = manager,
            ["operation"] = "Apply",
            ["apiVersion"] = definition.ApiVersion,
            ["time"] = time,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = FieldSet.ToFieldsV1(fields),
        };
        if (subresource.Length > 0)
            entry["subresource"] = subresource;
        return entry;
    }
}
