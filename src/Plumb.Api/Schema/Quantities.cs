using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Schema;

/// <summary>Amounts such as `100m`, `1.5Gi`, `2e3`: read only to compare them.</summary>
internal static class Quantities
{
    public static bool TryParse(string text, out decimal value) => Quantity.TryParse(text, out value);

    /// <summary>As a real server writes it back: no fraction, the largest suffix of its kind that leaves none.</summary>
    public static string Canonical(string text)
    {
        if (!TryParse(text, out var value) || text.AsSpan().IndexOfAny("eE") > 0)
            return text;
        if (value == 0)
            return "0";
        if (text.EndsWith('i') && value == decimal.Truncate(value))
            return Largest(value, 1024m, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);
        var (unit, suffixes) = value == decimal.Truncate(value)
            ? (value, ["", "k", "M", "G", "T", "P", "E"])
            : value * 1_000m == decimal.Truncate(value * 1_000m)
                ? (value * 1_000m, ["m"])
                : value * 1_000_000m == decimal.Truncate(value * 1_000_000m) ? (value * 1_000_000m, ["u"]) : (value * 1_000_000_000m, (string[])["n"]);
        return Largest(unit, 1_000m, suffixes);
    }

    /// <summary>The same for each of a list of resources.</summary>
    public static void Canonicalize(JsonObject? amounts)
    {
        foreach (var name in amounts?.Select(static amount => amount.Key).ToList() ?? [])
            Canonicalize(amounts!, name);
    }

    public static void Canonicalize(JsonObject parent, string member)
    {
        if (parent[member] is JsonValue amount && Canonical(amount.ToString()) is var canonical && (amount.GetValueKind() != JsonValueKind.String || canonical != amount.ToString()))
            parent[member] = canonical;
    }

    private static string Largest(decimal value, decimal step, string[] suffixes)
    {
        var index = 0;
        while (index + 1 < suffixes.Length && value % step == 0)
        {
            value /= step;
            index++;
        }

        return decimal.Truncate(value).ToString(CultureInfo.InvariantCulture) + suffixes[index];
    }
}
