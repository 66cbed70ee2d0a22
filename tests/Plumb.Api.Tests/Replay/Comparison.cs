using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Plumb.Api.Tests.Replay;

/// <summary>Holds an answer against the recorded one. Times and what is random by nature count as equal when both are there.</summary>
internal static partial class Comparison
{
    /// <param name="chosen">Values that the server makes up: any other is as good, the same thing recorded twice is the same here.</param>
    /// <returns>Null, or the first path at which the answer is another.</returns>
    public static string? Difference(JsonNode? recorded, JsonNode? ours, Correspondence chosen, string path = "")
    {
        switch (recorded, ours)
        {
            case (JsonObject left, JsonObject right):
                foreach (var name in left.Select(static member => member.Key).Union(right.Select(static member => member.Key)))
                {
                    if (name == "description" && path.Contains("olumnDefinitions[", StringComparison.Ordinal))
                        continue;
                    if (!left.ContainsKey(name))
                        return $"{path}.{name} is {Shown(right[name])}, not absent";
                    if (!right.ContainsKey(name))
                        return $"{path}.{name} is absent, not {Shown(left[name])}";
                    if (Difference(left[name], right[name], chosen, $"{path}.{name}") is { } inner)
                        return inner;
                }

                return null;
            case (JsonArray left, JsonArray right):
                if (path.EndsWith(".managedFields", StringComparison.Ordinal))
                    (left, right) = (ByWriter(left), ByWriter(right));
                if (left.Count != right.Count)
                    return $"{path} has {right.Count} items, not {left.Count}: {Shown(right)}, not {Shown(left)}";
                for (var i = 0; i < left.Count; i++)
                {
                    if (Difference(left[i], right[i], chosen, $"{path}[{i}]") is { } inner)
                        return inner;
                }

                return null;
            case (JsonValue left, JsonValue right) when left.GetValueKind() == JsonValueKind.String && right.GetValueKind() == JsonValueKind.String:
                var said = Normal(left.GetValue<string>());
                var says = Normal(right.GetValue<string>());
                return said == says ? null : $"{path} is {Shown(right)}, not {Shown(left)}";
            default:
                return JsonNode.DeepEquals(recorded, ours) ? null : $"{path} is {Shown(ours)}, not {Shown(recorded)}";
        }
    }

    /// <summary>Writers are listed by time, and all of ours wrote in another second.</summary>
    private static JsonArray ByWriter(JsonArray entries) =>
        [.. entries.OrderBy(static entry => $"{entry!["manager"]}/{entry["operation"]}/{entry["subresource"]}", StringComparer.Ordinal).Select(static entry => entry!.DeepClone())];

    private static string Shown(JsonNode? node)
    {
        var text = node?.ToJsonString() ?? "null";
        return text.Length > 700 ? text[..700] + "…" : text;
    }

    private static string Normal(string text) => Age().Replace(Current().Replace(MadeName().Replace(Uid().Replace(Time().Replace(text, "<time>"), "<uid>"), "Bad_<made>"), "${word}<version>"), "<age>");

    [GeneratedRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?Z")]
    private static partial Regex Time();

    [GeneratedRegex("(?<word>in record \\(|current: |version: [0-9]+ \\()[0-9]+")]
    private static partial Regex Current();

    [GeneratedRegex("\\bBad_[a-z0-9]{5}\\b")]
    private static partial Regex MadeName();

    /// <summary>In a text that tells more: of an object that was never made.</summary>
    [GeneratedRegex("(?<=.)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    /// <summary>A whole cell of a table that tells an age.</summary>
    [GeneratedRegex("(?<=^|\\()(?:[0-9]+[dhms])+(?=$| ago\\)$)")]
    private static partial Regex Age();
}
