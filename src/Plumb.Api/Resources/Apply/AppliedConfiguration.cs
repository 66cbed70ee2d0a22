using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Apply;

/// <summary>
/// Server-side apply: what one manager wants of an object. Its fields are merged in; fields that it wanted before and no longer does are taken out, unless
/// somebody else owns them; a change of fields that somebody else owns is a conflict, unless forced.
/// </summary>
internal sealed class AppliedConfiguration(ResourceDefinition definition, JsonObject applied, string manager, string subresource)
{
    /// <summary>The owner of what was there before anybody applied anything.</summary>
    private const string BeforeFirstApply = "before-first-apply";

    private readonly Writer _writer = new(manager, Applies: true, definition.ApiVersion, subresource);

    public JsonObject Create(string now)
    {
        var root = applied.DeepClone().AsObject();
        var fields = new ManagedFields();
        fields.Set(_writer, Wanted(definition.Shape), now);
        fields.Write(root);
        return root;
    }

    /// <exception cref="ApiException">409 with every field in conflict.</exception>
    public JsonObject ApplyTo(JsonObject present, bool force, string now)
    {
        var shape = definition.Shape;
        var fields = ManagedFields.Of(present);
        var live = present.DeepClone().AsObject();
        Fields.Object(live, "metadata").Remove("managedFields");
        if (fields.IsEmpty)
            fields.Update(FieldChanges.Between(ManagedFields.Zero(live, isTyped: definition.Custom is null), live, shape), new Writer(BeforeFirstApply, Applies: false, definition.ApiVersion, ""), now);

        // 1. Merge, then take out what only this manager wanted before.
        var wanted = Wanted(shape);
        var mine = fields.Find(_writer);
        var had = mine?.Set ?? new FieldSet();
        var time = mine?.Time ?? now;
        fields.Set(_writer, wanted, time);
        var next = Merging.Merge(live, Configuration(), shape);
        var all = wanted;
        foreach (var entry in fields.Entries)
            all = all.Union(entry.Set);
        Merging.Prune(next, had, all, shape);

        // 2. Whose fields does that change?
        var changes = FieldChanges.Between(live, next, shape);
        var changed = changes.Added.Union(changes.Modified);
        var conflicts = new List<(Writer Owner, FieldSet Fields)>();
        foreach (var entry in fields.Entries)
        {
            if (entry.Writer.Is(_writer))
                continue;
            var disputed = entry.Set.Intersect(changed);
            if (!disputed.IsEmpty)
                conflicts.Add((entry.Writer, disputed));
            entry.Set = entry.Set.Except(disputed).Except(changes.Removed);
        }

        if (conflicts.Count > 0 && !force)
            throw Conflict(conflicts);

        // 3. The time tells of the last change that it made.
        fields.Set(_writer, wanted, changes.IsNone ? time : now);
        var root = next;
        var kept = new ManagedFields();
        foreach (var entry in fields.Entries)
            kept.Set(entry.Writer, entry.Set, entry.Time);
        kept.Write(root);
        return root;
    }

    private JsonObject Configuration()
    {
        var configuration = applied.DeepClone().AsObject();
        var metadata = Fields.Object(configuration, "metadata");
        foreach (var member in (ReadOnlySpan<string>)["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"])
            metadata.Remove(member);
        if (subresource.Length == 0)
        {
            if (definition.HasStatus)
                configuration.Remove("status");
        }
        else if (subresource == "resize")
        {
            KeepAmounts(configuration);
        }
        else
        {
            configuration.Remove("spec");
        }

        return configuration;
    }

    /// <summary>Of containers what a resize may say; their names lead to it.</summary>
    private static void KeepAmounts(JsonObject configuration)
    {
        var spec = new JsonObject();
        foreach (var list in (ReadOnlySpan<string>)["containers", "initContainers"])
        {
            var containers = new JsonArray([.. Fields.Objects(Fields.Find(configuration, "spec"), list).Select(static container =>
                new JsonObject(container.Where(static member => member.Key is "name" or "resources" or "resizePolicy").Select(static member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))))]);
            if (containers.Count > 0)
                spec[list] = containers;
        }

        configuration["spec"] = spec;
        configuration.Remove("status");
    }

    private FieldSet Wanted(Shape shape)
    {
        var set = FieldChanges.In(Configuration(), shape);
        ManagedFields.Strip(set);
        return set;
    }

    private static ApiException Conflict(List<(Writer Owner, FieldSet Fields)> conflicts)
    {
        var causes = new JsonArray();
        var parts = new List<(string Owner, List<string> Paths)>();
        foreach (var (owner, fields) in conflicts.OrderBy(static conflict => conflict.Owner.Manager, StringComparer.Ordinal))
        {
            var who = $"\"{owner.Manager}\"" + (owner.Subresource.Length > 0 ? $" with subresource \"{owner.Subresource}\"" : "") + (owner.Applies ? "" : $" using {owner.ApiVersion}");
            var paths = fields.Paths().ToList();
            parts.Add((who, paths));
            foreach (var path in paths)
                causes.Add(new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = $"conflict with {who}", ["field"] = path });
        }

        var text = causes.Count == 1
            ? $"Apply failed with 1 conflict: conflict with {parts[0].Owner}: {parts[0].Paths[0]}"
            : $"Apply failed with {causes.Count} conflicts: " + string.Join('\n', parts.Select(static part => $"conflicts with {part.Owner}:\n{string.Join('\n', part.Paths.Select(static path => "- " + path))}"));
        throw new ApiException(409, "Conflict", text, new JsonObject { ["causes"] = causes });
    }
}
