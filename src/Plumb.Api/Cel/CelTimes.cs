using System.Globalization;

namespace Plumb.Api.Cel;

/// <summary>Parts of a time, in UTC or in a zone that is named (`Europe/Vienna`) or counted (`-08:00`), and of a duration as a whole.</summary>
internal static class CelTimes
{
    /// <exception cref="CelException"/>
    public static object Call(string name, object?[] arguments) => arguments switch
    {
        [TimeSpan span] => name switch
        {
            "getHours" => (long)span.TotalHours,
            "getMinutes" => (long)span.TotalMinutes,
            "getSeconds" => (long)span.TotalSeconds,
            "getMilliseconds" => (long)span.TotalMilliseconds,
            _ => throw CelEvaluation.Overload(),
        },
        [DateTimeOffset time] => Part(name, time.UtcDateTime),
        [DateTimeOffset time, string zone] => Part(name, In(time, zone)),
        _ => throw CelEvaluation.Overload(),
    };

    /// <summary>Months, days of months and days of years begin with 0, weeks with Sunday.</summary>
    private static long Part(string name, DateTime time) => name switch
    {
        "getFullYear" => time.Year,
        "getMonth" => time.Month - 1,
        "getDate" => time.Day,
        "getDayOfMonth" => time.Day - 1,
        "getDayOfWeek" => (int)time.DayOfWeek,
        "getDayOfYear" => time.DayOfYear - 1,
        "getHours" => time.Hour,
        "getMinutes" => time.Minute,
        "getSeconds" => time.Second,
        "getMilliseconds" => time.Millisecond,
        _ => throw CelEvaluation.Overload(),
    };

    private static DateTime In(DateTimeOffset time, string zone)
    {
        if (zone.Contains(':', StringComparison.Ordinal))
        {
            return TimeSpan.TryParseExact(zone.TrimStart('-', '+'), "hh\\:mm", CultureInfo.InvariantCulture, out var offset)
                ? time.UtcDateTime + (zone[0] == '-' ? -offset : offset)
                : throw new CelException($"invalid time zone: {zone}");
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? TimeZoneInfo.ConvertTime(time, found).DateTime : throw new CelException($"unknown time zone {zone}");
    }
}
