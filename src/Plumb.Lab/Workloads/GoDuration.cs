using System.Globalization;
using System.Text.RegularExpressions;

namespace Plumb.Lab.Workloads;

/// <summary>Durations as programs in Go read them from arguments: `300ms`, `1.5h`, `2h45m`, `0`.</summary>
internal static partial class GoDuration
{
    /// <summary>False for what is none, null and the empty text among them. At most 24 days.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is null || !Whole().IsMatch(text))
        {
            return false;
        }
        var milliseconds = 0.0;
        foreach (Match part in Part().Matches(text))
        {
            milliseconds += double.Parse(part.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * part.Groups[2].Value switch
            {
                "ns" => 1e-6,
                "us" or "µs" => 1e-3,
                "ms" => 1,
                "s" => 1e3,
                "m" => 6e4,
                _ => 3.6e6,
            };
        }
        duration = TimeSpan.FromMilliseconds(Math.Min(milliseconds, int.MaxValue));
        return true;
    }

    [GeneratedRegex(@"^(0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|s|m|h)")]
    private static partial Regex Part();
}
