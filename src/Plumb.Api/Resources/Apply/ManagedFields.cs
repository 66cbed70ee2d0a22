using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

/// <summary>Who wrote which fields of an object: `metadata.managedFields`.</summary>
internal sealed class ManagedFields
{
    private static readonly string[] Identity = ["name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"];

    /// <summary>Members that a typed server's objects have from the start, empty.</summary>
    private static readonly HashSet<string> Inline =
        ["metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate", "loadBalancer", "source", "deprecatedSource", "names", "acceptedNames", "podSelector", "scaleTargetRef"];

    private readonly List<Entry> _entries = [];

    public bool IsEmpty => _entries.Count == 0;

    public IEnumerable<Entry> Entries => _entries;

    public static ManagedFields Of(JsonObject root)
    {
        var fields = new ManagedFields();
        foreach (var entry in Fields.Objects(Fields.Find(root, "metadata"), "managedFields"))
        {
            if (Fields.Text(entry, "operation").Length > 0)
                fields._entries.Add(new Entry(new Writer(Fields.Text(entry, "manager"), Fields.Text(entry, "operation") == "Apply", Fields.Text(entry, "apiVersion"), Fields.Text(entry, "subresource")), Fields.Text(entry, "time"), FieldSet.Parse(entry["fieldsV1"])));
        }

        return fields;
    }

    /// <summary>The fields of a write's object: a client may hand back what it read, or `[{}]` to have all forgotten.</summary>
    /// <param name="old">Null: the object is new.</param>
    public static ManagedFields Sent(JsonObject root, JsonObject? old)
    {
        if (Fields.Array(Fields.Find(root, "metadata"), "managedFields") is [JsonObject { Count: 0 }])
            return new ManagedFields();
        var sent = Of(root);
        return sent.IsEmpty && old is not null ? Of(old) : sent;
    }

    public Entry? Find(Writer writer) => _entries.Find(entry => entry.Writer.Is(writer));

    /// <summary>What a create or update changed is its writer's; others lose it.</summary>
    public void Update(FieldChanges changes, Writer writer, string now)
    {
        var written = changes.Added.Union(changes.Modified);
        Strip(written);
        foreach (var entry in _entries)
            entry.Set = entry.Set.Except(written).Except(changes.Removed);
        _entries.RemoveAll(static entry => entry.Set.IsEmpty);
        if (written.IsEmpty)
            return;
        if (Find(writer) is { } mine)
        {
            mine.Set = mine.Set.Union(written);
            mine.Time = now;
        }
        else
        {
            _entries.Add(new Entry(writer, now, written));
        }
    }

    public void Set(Writer writer, FieldSet set, string time)
    {
        _entries.RemoveAll(entry => entry.Writer.Is(writer));
        if (!set.IsEmpty)
            _entries.Add(new Entry(writer, time, set));
    }

    public void Write(JsonObject root)
    {
        var metadata = Fields.Object(root, "metadata");
        metadata.Remove("managedFields");
        if (_entries.Count == 0)
            return;
        _entries.Sort(Entry.Compare);
        metadata["managedFields"] = new JsonArray([.. _entries.Select(static entry => (JsonNode)entry.ToJson())]);
    }

    /// <summary>What names an object and what the server counts has no owner.</summary>
    public static void Strip(FieldSet set)
    {
        set.Cut("f:apiVersion");
        set.Cut("f:kind");
        foreach (var member in Identity)
            set.Cut("f:metadata", "f:" + member);
    }

    /// <summary>An object with nothing but what a typed server's zero value has: nobody is taken to have added that.</summary>
    public static JsonObject Zero(JsonObject root, bool isTyped)
    {
        var zero = Empty(root, isTyped);
        foreach (var member in (ReadOnlySpan<string>)["apiVersion", "kind"])
            zero[member] = root[member]?.DeepClone();
        return zero;
    }

    private static JsonObject Empty(JsonObject root, bool isTyped)
    {
        var zero = new JsonObject();
        foreach (var (name, value) in root)
        {
            if (value is JsonObject members && (isTyped ? (Inline.Contains(name) && !IsLedTo(name, root)) || IsClaimed(name, root) : name == "metadata"))
                zero[name] = name == "podSelector" ? new JsonObject() : Empty(members, isTyped);
            else if (isTyped && (value is null || name == "containers"))
                zero[name] = null;
            else if (isTyped && name is "serviceName" or "reportingComponent" or "reportingInstance")
                zero[name] = "";
        }

        return zero;
    }

    /// <summary>A ReplicationController, whose selector is a plain map, is led to its template; in others it lies.</summary>
    private static bool IsLedTo(string name, JsonObject parent) =>
        name == "template" && Fields.Find(parent, "selector") is { } selector && !selector.ContainsKey("matchLabels") && !selector.ContainsKey("matchExpressions");

    /// <summary>A claim's resources lie in it; those of a pod are led to.</summary>
    private static bool IsClaimed(string name, JsonObject parent) => name == "resources" && parent.ContainsKey("accessModes");

    internal sealed class Entry(Writer writer, string time, FieldSet set)
    {
        public Writer Writer { get; } = writer;

        public string Time { get; set; } = time;

        public FieldSet Set { get; set; } = set;

        public JsonObject ToJson()
        {
            var entry = new JsonObject { ["manager"] = Writer.Manager, ["operation"] = Writer.Applies ? "Apply" : "Update", ["apiVersion"] = Writer.ApiVersion };
            if (Time.Length > 0)
                entry["time"] = Time;
            entry["fieldsType"] = "FieldsV1";
            entry["fieldsV1"] = Set.ToFieldsV1();
            if (Writer.Subresource.Length > 0)
                entry["subresource"] = Writer.Subresource;
            return entry;
        }

        /// <summary>Appliers first, then by time.</summary>
        public static int Compare(Entry left, Entry right)
        {
            if (left.Writer.Applies != right.Writer.Applies)
                return left.Writer.Applies ? -1 : 1;
            var order = string.CompareOrdinal(left.Time, right.Time);
            if (order == 0)
                order = string.CompareOrdinal(left.Writer.Manager, right.Writer.Manager);
            if (order == 0)
                order = string.CompareOrdinal(left.Writer.ApiVersion, right.Writer.ApiVersion);
            return order != 0 ? order : string.CompareOrdinal(left.Writer.Subresource, right.Writer.Subresource);
        }
    }
}

/// <summary>One who writes: a name, how (apply, or create, update and patch), in which version, and through which subresource.</summary>
internal readonly record struct Writer(string Manager, bool Applies, string ApiVersion, string Subresource)
{
    /// <summary>An applier is the same one in every version.</summary>
    public bool Is(Writer other) =>
        Manager == other.Manager && Applies == other.Applies && Subresource == other.Subresource && (Applies || ApiVersion == other.ApiVersion);
}
