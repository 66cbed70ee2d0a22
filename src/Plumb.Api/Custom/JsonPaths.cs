using System.Globalization;
using System.Text.Json;

namespace Plumb.Api.Custom;

/// <summary>The JSON paths of printer columns: members, indexes, and a filter for one member's value.</summary>
internal static class JsonPaths
{
    /// <summary>`.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.metadata.labels['a.b']`, `.spec.hosts[*]`.</summary>
    public static List<JsonElement> Find(JsonElement root, string path)
    {
        var found = new List<JsonElement> { root };
        foreach (var step in Steps(path))
        {
            var next = new List<JsonElement>();
            foreach (var at in found)
                Take(at, step, next);
            found = next;
        }

        return found;
    }

    private static List<string> Steps(string path)
    {
        var steps = new List<string>();
        for (var i = 0; i < path.Length;)
        {
            if (path[i] == '[')
            {
                var close = path.IndexOf(']', i);
                if (close < 0)
                    break;
                var inside = path[(i + 1)..close];
                steps.Add(inside is ['\'', .. var quoted, '\''] ? quoted : "[" + inside);
                i = close + 1;
            }
            else
            {
                var from = path[i] == '.' ? i + 1 : i;
                var to = from;
                while (to < path.Length && path[to] is not ('.' or '['))
                    to += path[to] == '\\' ? 2 : 1;
                to = Math.Min(to, path.Length);
                if (to > from)
                    steps.Add(path[from..to].Replace("\\", "", StringComparison.Ordinal));
                i = Math.Max(to, i + 1);
            }
        }

        return steps;
    }

    private static void Take(JsonElement at, string step, List<JsonElement> found)
    {
        if (step[0] != '[')
        {
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(step, out var member))
                found.Add(member);
            return;
        }

        if (at.ValueKind != JsonValueKind.Array)
            return;
        if (int.TryParse(step.AsSpan(1), CultureInfo.InvariantCulture, out var index))
        {
            index = index < 0 ? at.GetArrayLength() + index : index;
            if (index >= 0 && index < at.GetArrayLength())
                found.Add(at[index]);
            return;
        }

        foreach (var item in at.EnumerateArray())
        {
            if (step == "[*" || Matches(item, step))
                found.Add(item);
        }
    }

    /// <summary>`[?(@.type=="Ready")`.</summary>
    private static bool Matches(JsonElement item, string step)
    {
        var equals = step.IndexOf("==", StringComparison.Ordinal);
        var from = step.IndexOf("@.", StringComparison.Ordinal);
        if (equals < 0 || from < 0 || item.ValueKind != JsonValueKind.Object)
            return false;
        var member = step[(from + 2)..equals].Trim();
        var wanted = step[(equals + 2)..].Trim(' ', ')', '\'', '"');
        return item.TryGetProperty(member, out var value) && (value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()) == wanted;
    }
}
