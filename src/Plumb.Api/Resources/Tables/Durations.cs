namespace Plumb.Api.Resources.Tables;

/// <summary>Ages as kubectl's tables show them: the shorter, the finer.</summary>
internal static class Durations
{
    public static string Since(DateTimeOffset? then, DateTimeOffset now) => then is null || then == default(DateTimeOffset) ? "<unknown>" : Show(now - then.Value);

    public static string Show(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        if (seconds < -1)
            return "<invalid>";
        if (seconds < 0)
            return "0s";
        if (seconds < 120)
            return $"{seconds}s";
        var minutes = seconds / 60;
        if (minutes < 10)
            return Two(minutes, "m", seconds % 60, "s");
        if (minutes < 180)
            return $"{minutes}m";
        var hours = minutes / 60;
        if (hours < 8)
            return Two(hours, "h", minutes % 60, "m");
        if (hours < 48)
            return $"{hours}h";
        var days = hours / 24;
        if (hours < 192)
            return Two(days, "d", hours % 24, "h");
        if (days < 365 * 2)
            return $"{days}d";
        var years = days / 365;
        return days < 365 * 8 ? Two(years, "y", days % 365, "d") : $"{years}y";
    }

    private static string Two(long coarse, string coarseUnit, long fine, string fineUnit) =>
        fine == 0 ? $"{coarse}{coarseUnit}" : $"{coarse}{coarseUnit}{fine}{fineUnit}";
}
