using System.Globalization;

namespace Plumb.Api.Schema;

/// <summary>Amounts such as `100m`, `1.5Gi`, `2e3`: read only to compare them.</summary>
internal static class Quantities
{
    public static bool TryParse(string text, out decimal value)
    {
        value = 0;
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.' || (end == 0 && text[end] is '+' or '-')))
            end++;
        if (!decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        if (Scale(text[end..]) is not { } scale)
            return false;
        value = number * scale;
        return true;
    }

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

    private static decimal? Scale(string suffix) => suffix switch
    {
        "" => 1m,
        "n" => 0.000_000_001m,
        "u" => 0.000_001m,
        "m" => 0.001m,
        "k" => 1_000m,
        "M" => 1_000_000m,
        "G" => 1_000_000_000m,
        "T" => 1_000_000_000_000m,
        "P" => 1_000_000_000_000_000m,
        "E" => 1_000_000_000_000_000_000m,
        "Ki" => 1024m,
        "Mi" => 1024m * 1024,
        "Gi" => 1024m * 1024 * 1024,
        "Ti" => 1024m * 1024 * 1024 * 1024,
        "Pi" => 1024m * 1024 * 1024 * 1024 * 1024,
        "Ei" => 1024m * 1024 * 1024 * 1024 * 1024 * 1024,
        _ when suffix[0] is 'e' or 'E' && int.TryParse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && power is >= -18 and <= 18 =>
            (decimal)Math.Pow(10, power),
        _ => null,
    };
}
