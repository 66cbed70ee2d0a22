using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Apply;

/// <summary>A configuration laid over an object, and fields taken out of one, both by the object's shape.</summary>
internal static class Merging
{
    public static JsonObject Merge(JsonObject live, JsonObject applied, Shape shape)
    {
        var merged = live.DeepClone().AsObject();
        Members(merged, applied, shape);
        return merged;
    }

    /// <summary>Takes out what is in <paramref name="gone"/>, but for what somebody still wants.</summary>
    public static void Prune(JsonObject root, FieldSet gone, FieldSet wanted, Shape shape)
    {
        foreach (var (step, inner) in gone.Below)
        {
            var name = step[2..];
            if (step[0] != 'f' || !root.TryGetPropertyValue(name, out var value))
                continue;
            var kept = wanted.Find(step);
            if (inner.Holds && kept is null)
            {
                root.Remove(name);
                continue;
            }

            var member = shape.Member(name) ?? Shape.Unknown;
            if (value is JsonObject members)
            {
                var had = members.Count > 0;
                Prune(members, inner, kept ?? new FieldSet(), member);

                // A map that only its owner filled goes with what was in it.
                if (had && members.Count == 0 && kept is null)
                    root.Remove(name);
            }
            else if (value is JsonArray list)
            {
                Prune(list, inner, kept ?? new FieldSet(), member);
                if (list.Count == 0 && kept is null)
                    root.Remove(name);
            }
        }
    }

    private static void Prune(JsonArray list, FieldSet gone, FieldSet wanted, Shape shape)
    {
        for (var i = list.Count - 1; i >= 0; i--)
        {
            if (shape.StepOf(list[i]) is not { } step || gone.Find(step) is not { } inner)
                continue;
            var kept = wanted.Find(step);
            if (inner.Holds && kept is null)
                list.RemoveAt(i);
            else if (list[i] is JsonObject members)
                Prune(members, inner, kept ?? new FieldSet(), shape.Item());
        }
    }

    private static void Members(JsonObject into, JsonObject applied, Shape shape)
    {
        foreach (var (name, value) in applied)
        {
            var member = shape.Member(name) ?? Shape.Unknown;
            var kind = member.KindOf(value);
            if (kind == ShapeKind.Members && value is JsonObject members && into[name] is JsonObject there)
                Members(there, members, member);
            else if (kind is ShapeKind.Keyed or ShapeKind.Distinct && value is JsonArray list && into[name] is JsonArray present)
                Items(present, list, member);
            else
                into[name] = value?.DeepClone();
        }
    }

    private static void Items(JsonArray into, JsonArray applied, Shape shape)
    {
        var present = FieldChanges.Index(into, shape);
        foreach (var item in applied)
        {
            if (shape.StepOf(item) is { } step && present.TryGetValue(step, out var there))
            {
                if (there is JsonObject members && item is JsonObject wanted)
                    Members(members, wanted, shape.Item());
            }
            else
            {
                into.Add(item?.DeepClone());
            }
        }
    }
}
