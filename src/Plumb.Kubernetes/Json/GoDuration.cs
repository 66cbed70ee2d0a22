using System.Globalization;
using System.Text.RegularExpressions;

namespace Plumb.Kubernetes.Json;

/// <summary>Durations as programs in Go read and write them (<c>time.ParseDuration</c>): `300ms`, `-1.5h`, `2h45m`, `0`.</summary>
public static partial class GoDuration
{
    private const decimal MostSeconds = 9_000_000_000; // Go's own end is at 292 years

    /// <summary>False for what is none, null and the empty text among them, and for what is longer than 285 years.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0")
        {
            return true;
        }
        if (text is null || Form().Match(text) is not { Success: true } parts)
        {
            return false;
        }
        var seconds = 0m;
        for (var i = 0; i < parts.Groups["amount"].Captures.Count; i++)
        {
            var unit = parts.Groups["unit"].Captures[i].Value switch { "ns" => 1e-9m, "us" or "µs" => 1e-6m, "ms" => 1e-3m, "s" => 1m, "m" => 60m, _ => 3600m };
            if (!decimal.TryParse(parts.Groups["amount"].Captures[i].ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var amount) || amount > 1e12m)
            {
                return false;
            }
            seconds += amount * unit;
        }
        if (seconds >= MostSeconds)
        {
            return false;
        }
        duration = TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond) * (parts.Groups["sign"].Value == "-" ? -1 : 1));
        return true;
    }

    [GeneratedRegex(@"^(?<sign>[+-]?)(?:(?<amount>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?<unit>ns|us|µs|ms|s|m|h))+$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
