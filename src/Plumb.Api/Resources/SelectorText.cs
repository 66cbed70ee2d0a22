using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Api.Resources;

/// <summary>Label selectors as kubectl shows and takes them.</summary>
internal static class SelectorText
{
    /// <summary>Of a LabelSelector (`matchLabels`, `matchExpressions`); empty for none.</summary>
    public static string Of(JsonObject? selector)
    {
        var parts = new List<(string Key, string Text)>();
        foreach (var (key, value) in Fields.Find(selector, "matchLabels") ?? [])
            parts.Add((key, $"{key}={value}"));
        foreach (var expression in Fields.Objects(selector, "matchExpressions"))
        {
            var key = Fields.Text(expression, "key");
            var values = string.Join(',', (Fields.Array(expression, "values") ?? []).Select(static value => value!.ToString()).Order(StringComparer.Ordinal));
            parts.Add((key, Fields.Text(expression, "operator") switch
            {
                "In" => $"{key} in ({values})",
                "NotIn" => $"{key} notin ({values})",
                "DoesNotExist" => "!" + key,
                _ => key,
            }));
        }

        return Join(parts);
    }

    /// <summary>Of a plain map, as Services have.</summary>
    public static string OfMap(JsonObject? map)
    {
        var parts = new List<(string Key, string Text)>();
        foreach (var (key, value) in map ?? [])
            parts.Add((key, $"{key}={value}"));
        return Join(parts);
    }

    private static string Join(List<(string Key, string Text)> parts)
    {
        parts.Sort(static (left, right) => string.CompareOrdinal(left.Key, right.Key));
        var text = new StringBuilder();
        foreach (var part in parts)
            text.Append(text.Length > 0 ? "," : "").Append(part.Text);
        return text.ToString();
    }
}
