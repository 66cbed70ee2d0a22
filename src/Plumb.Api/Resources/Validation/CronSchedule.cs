using System.Globalization;
using System.Numerics;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Resources.Validation;

/// <summary>When a CronJob begins: five fields (minute, hour, day of the month, month, day of the week), `@hourly` and its like, or `@every 5m`; in the words of robfig/cron, which reads them in a real cluster.</summary>
internal sealed class CronSchedule
{
    /// <summary>Beyond this nothing is looked for: 30 February never comes.</summary>
    private const int MostYears = 5;

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly ulong _minutes;
    private readonly ulong _hours;
    private readonly ulong _days;
    private readonly ulong _months;
    private readonly ulong _weekdays;
    private readonly bool _isEveryDay;
    private readonly bool _isEveryWeekday;
    private readonly TimeSpan? _every;

    /// <exception cref="FormatException">What is wrong.</exception>
    public CronSchedule(string text)
    {
        if (text.StartsWith('@'))
        {
            const string every = "@every ";
            if (text.StartsWith(every, StringComparison.Ordinal))
            {
                _every = Every(text, text[every.Length..]);
                return;
            }

            text = text switch
            {
                "@yearly" or "@annually" => "0 0 1 1 *",
                "@monthly" => "0 0 1 * *",
                "@weekly" => "0 0 * * 0",
                "@daily" or "@midnight" => "0 0 * * *",
                "@hourly" => "0 * * * *",
                _ => throw new FormatException($"unrecognized descriptor: {text}"),
            };
        }

        var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
            throw new FormatException($"expected exactly 5 fields, found {fields.Length}: [{string.Join(' ', fields)}]");
        _minutes = Field(fields[0], 0, 59, []);
        _hours = Field(fields[1], 0, 23, []);
        _days = Field(fields[2], 1, 31, []);
        _months = Field(fields[3], 1, 12, Months);
        _weekdays = Field(fields[4], 0, 6, Days);
        _isEveryDay = IsStar(fields[2]);
        _isEveryWeekday = IsStar(fields[4]);
    }

    /// <summary>The first time after this one.</summary>
    /// <returns>Null: there is none.</returns>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        if (_every is { } every)
            return new DateTimeOffset(after.Ticks - (after.Ticks % TimeSpan.TicksPerSecond), after.Offset) + every;
        var local = TimeZoneInfo.ConvertTime(after, zone).DateTime;
        var next = Next(after, local, at => Offset(zone, at, isSecond: false), zone);
        if (!zone.IsAmbiguousTime(local))
            return next;
        // In an hour that comes twice what is still due may be earlier on the clock.
        var again = Next(after, after.ToOffset(Offset(zone, local, isSecond: true)).DateTime, at => Offset(zone, at, isSecond: true), zone);
        return next < again ? next : again;
    }

    private static TimeSpan Offset(TimeZoneInfo zone, DateTime at, bool isSecond) =>
        !zone.IsAmbiguousTime(at) ? zone.GetUtcOffset(at) : isSecond ? zone.GetAmbiguousTimeOffsets(at).Min() : zone.GetAmbiguousTimeOffsets(at).Max();

    private DateTimeOffset? Next(DateTimeOffset after, DateTime local, Func<DateTime, TimeSpan> offset, TimeZoneInfo zone)
    {
        var at = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0).AddMinutes(1);
        for (var last = at.Year + MostYears; at.Year <= last;)
        {
            if (!Has(_months, at.Month))
                at = new DateTime(at.Year, at.Month, 1).AddMonths(1);
            else if (!IsDay(at))
                at = at.Date.AddDays(1);
            else if (!Has(_hours, at.Hour))
                at = at.Date.AddHours(at.Hour + 1);
            else if (!Has(_minutes, at.Minute))
                at = at.AddMinutes(1);
            else if (zone.IsInvalidTime(at) || new DateTimeOffset(at, offset(at)) <= after)
                at = at.AddMinutes(1);
            else
                return new DateTimeOffset(at, offset(at)).ToUniversalTime();
        }

        return null;
    }

    /// <summary>Where both kinds of days are told, one of them is enough.</summary>
    private bool IsDay(DateTime at)
    {
        bool day = Has(_days, at.Day), weekday = Has(_weekdays, (int)at.DayOfWeek);
        return _isEveryDay || _isEveryWeekday ? day && weekday : day || weekday;
    }

    private static bool Has(ulong set, int value) => (set & (1UL << value)) != 0;

    private static bool IsStar(string field) => field.Split(',').Any(static part => part.Split('/') is ["*" or "?"]);

    private static ulong Field(string text, int least, int most, string[] names)
    {
        var set = 0UL;
        foreach (var part in text.Split(','))
            set |= Range(part, least, most, names);
        return set;
    }

    private static ulong Range(string text, int least, int most, string[] names)
    {
        var steps = text.Split('/');
        var ends = steps[0].Split('-');
        int from, to;
        if (ends[0] is "*" or "?")
        {
            (from, to) = (least, most);
        }
        else
        {
            from = Number(ends[0], names, least);
            to = ends.Length switch { 1 => from, 2 => Number(ends[1], names, least), _ => throw new FormatException($"too many hyphens: {text}") };
        }

        var step = 1;
        if (steps.Length > 2)
            throw new FormatException($"too many slashes: {text}");
        if (steps.Length == 2)
        {
            step = Number(steps[1], [], 0);
            // `5/15` is `5-59/15`.
            if (ends.Length == 1)
                to = most;
        }

        if (from < least)
            throw new FormatException($"beginning of range ({from}) below minimum ({least}): {text}");
        if (to > most)
            throw new FormatException($"end of range ({to}) above maximum ({most}): {text}");
        if (from > to)
            throw new FormatException($"beginning of range ({from}) beyond end of range ({to}): {text}");
        if (step == 0)
            throw new FormatException($"step of range should be a positive number: {text}");
        var set = 0UL;
        for (long value = from; value <= to; value += step)
            set |= 1UL << (int)value;
        return set;
    }

    private static int Number(string text, string[] names, int first)
    {
        var named = Array.IndexOf(names, text.ToLowerInvariant());
        if (named >= 0)
            return named + first;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            throw new FormatException($"failed to parse int from {text}: strconv.Atoi: parsing {FieldErrors.Quote(text)}: {(text.Length > 0 && BigInteger.TryParse(text, out _) ? "value out of range" : "invalid syntax")}");
        return number >= 0 ? number : throw new FormatException($"negative number ({number}) not allowed: {text}");
    }

    private static TimeSpan Every(string whole, string text)
    {
        if (!GoDuration.TryParse(text, out var span))
            throw new FormatException($"failed to parse duration {whole}: time: invalid duration {FieldErrors.Quote(text)}");
        return span < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(Math.Floor(span.TotalSeconds));
    }
}
