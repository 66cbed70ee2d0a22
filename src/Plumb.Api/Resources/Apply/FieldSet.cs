using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

/// <summary>
/// A set of fields of an object, as the tree that managedFields shows (FieldsV1 of meta/v1): steps are `f:name`, `k:{keys}` for an item of a list that is
/// known by keys, and `v:value` for one of a list of distinct values. `.` says that the node itself is in the set, not only what is below it.
/// </summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<string, FieldSet> _below = new(StringComparer.Ordinal);

    /// <summary>Whether this very field is in the set.</summary>
    public bool Holds { get; private set; }

    public bool IsEmpty => !Holds && _below.Count == 0;

    public IReadOnlyDictionary<string, FieldSet> Below => _below;

    public static FieldSet Parse(JsonNode? fieldsV1)
    {
        var set = new FieldSet();
        foreach (var (step, inner) in fieldsV1 as JsonObject ?? [])
        {
            if (step == ".")
                set.Holds = true;
            else
                set._below[step] = inner is JsonObject { Count: > 0 } ? Parse(inner) : new FieldSet { Holds = true };
        }

        return set;
    }

    public JsonObject ToFieldsV1()
    {
        var root = new JsonObject();
        if (Holds && _below.Count > 0)
            root["."] = new JsonObject();
        foreach (var (step, inner) in _below)
            root[step] = inner.ToFieldsV1();
        return root;
    }

    public void Add(ReadOnlySpan<string> path)
    {
        var at = this;
        foreach (var step in path)
        {
            if (!at._below.TryGetValue(step, out var next))
                at._below[step] = next = new FieldSet();
            at = next;
        }

        at.Holds = true;
    }

    public FieldSet? Find(string step) => _below.GetValueOrDefault(step);

    public FieldSet Union(FieldSet other) => Combine(this, other, static (left, right) => left || right);

    public FieldSet Except(FieldSet other) => Combine(this, other, static (left, right) => left && !right);

    public FieldSet Intersect(FieldSet other) => Combine(this, other, static (left, right) => left && right);

    /// <summary>Without all that is at and below a path.</summary>
    public void Cut(params ReadOnlySpan<string> path)
    {
        if (path.Length == 1)
            _below.Remove(path[0]);
        else if (_below.TryGetValue(path[0], out var next))
        {
            next.Cut(path[1..]);
            if (next.IsEmpty)
                _below.Remove(path[0]);
        }
    }

    public bool SameAs(FieldSet other)
    {
        if (Holds != other.Holds || _below.Count != other._below.Count)
            return false;
        foreach (var (step, inner) in _below)
        {
            if (!other._below.TryGetValue(step, out var same) || !inner.SameAs(same))
                return false;
        }

        return true;
    }

    /// <summary>Each field in the set, as messages write it: `.spec.containers[name="c"].image`.</summary>
    public IEnumerable<string> Paths(string prefix = "")
    {
        if (Holds)
            yield return prefix;
        foreach (var (step, inner) in _below)
        {
            foreach (var path in inner.Paths(prefix + Show(step)))
                yield return path;
        }
    }

    public static string Show(string step) => step[0] switch
    {
        'k' => $"[{string.Join(',', JsonNode.Parse(step[2..])!.AsObject().Select(static key => $"{key.Key}={key.Value?.ToJsonString() ?? "null"}"))}]",
        'v' => $"[={step[2..]}]",
        _ => "." + step[2..],
    };

    private static FieldSet Combine(FieldSet left, FieldSet right, Func<bool, bool, bool> rule)
    {
        var made = new FieldSet { Holds = rule(left.Holds, right.Holds) };
        foreach (var (step, inner) in left._below)
            made.Put(step, Combine(inner, right._below.GetValueOrDefault(step) ?? new FieldSet(), rule));
        foreach (var (step, inner) in right._below)
        {
            if (!left._below.ContainsKey(step))
                made.Put(step, Combine(new FieldSet(), inner, rule));
        }

        return made;
    }

    private void Put(string step, FieldSet inner)
    {
        if (!inner.IsEmpty)
            _below[step] = inner;
    }
}
