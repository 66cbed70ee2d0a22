using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

/// <summary>When an indexed Job has succeeded before all of its indexes have (KEP-3998).</summary>
internal static class SuccessPolicyValidation
{
    private const int MostRules = 20;

    /// <summary>Bytes, of one rule's ranges.</summary>
    private const int MostRanges = 64 * 1024;

    /// <param name="spec">A Job's.</param>
    /// <param name="path">Where it stands.</param>
    public static void Validate(JsonObject spec, string path, FieldErrors errors)
    {
        var isIndexed = Fields.Text(spec, "completionMode") == "Indexed";
        var completions = Fields.Number(spec, "completions");
        if (isIndexed && completions is null)
            errors.Required(path + ".completions", "when completion mode is Indexed");
        if (Fields.Find(spec, "successPolicy") is not { } policy)
            return;
        var rules = Fields.Array(policy, "rules");
        path += ".successPolicy";
        if (!isIndexed)
        {
            errors.Invalid(path, Shown(rules), "requires indexed completion mode");
            return;
        }

        path += ".rules";
        if (rules is not { Count: > 0 })
            errors.Required(path, "at least one rules must be specified when the successPolicy is specified");
        if (rules?.Count > MostRules)
            errors.TooMany(path, rules.Count, MostRules);
        // Without completions there is nothing to compare with.
        for (var i = 0; i < rules?.Count && completions is not null; i++)
            Rule(rules[i] as JsonObject ?? [], completions.Value, $"{path}[{i}]", errors);
    }

    private static void Rule(JsonObject rule, long completions, string path, FieldErrors errors)
    {
        var hasIndexes = rule["succeededIndexes"] is not null;
        if (!hasIndexes && rule["succeededCount"] is null)
            errors.Required(path, "at least one of succeededCount or succeededIndexes must be specified");
        long total = 0;
        if (hasIndexes)
        {
            var ranges = Fields.Text(rule, "succeededIndexes");
            if (Encoding.UTF8.GetByteCount(ranges) > MostRanges)
                errors.TooLong(path + ".succeededIndexes", MostRanges);
            (total, var fault) = Total(ranges, completions);
            if (fault is not null)
                errors.InvalidText(path + ".succeededIndexes", ranges, $"error parsing succeededIndexes: {fault}");
        }

        if (Fields.Number(rule, "succeededCount") is not { } count)
            return;
        path += ".succeededCount";
        var shown = count.ToString(CultureInfo.InvariantCulture);
        if (count < 0)
            errors.Invalid(path, shown, "must be greater than or equal to 0");
        if (count > completions)
            errors.Invalid(path, shown, $"must be less than or equal to {completions} (the number of specified completions)");
        if (hasIndexes && count > total)
            errors.Invalid(path, shown, $"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)");
    }

    /// <returns>How many indexes there are in `1,3-5`; 0 where there is a fault.</returns>
    private static (long Total, string? Fault) Total(string ranges, long completions)
    {
        long total = 0;
        long? previous = null;
        foreach (var range in ranges.Length == 0 ? [] : ranges.Split(','))
        {
            var ends = range.Split('-');
            if (ends.Length > 2)
                return (0, $"the fragment {FieldErrors.Quote(range)} violates the requirement that an index interval can have at most two parts separated by '-'");
            var indexes = new long[ends.Length];
            for (var i = 0; i < ends.Length; i++)
            {
                if (!TryRead(ends[i], out indexes[i]))
                    return (0, $"cannot convert string to integer for index: {FieldErrors.Quote(ends[i])}");
                if (indexes[i] >= completions)
                    return (0, $"too large index: {FieldErrors.Quote(ends[i])}");
            }

            if (ends.Length == 2 && indexes[0] >= indexes[1])
                return (0, $"non-increasing order, previous: {indexes[0]}, current: {indexes[1]}");
            if (previous >= indexes[0])
                return (0, $"non-increasing order, previous: {previous}, current: {indexes[0]}");
            total += indexes[^1] - indexes[0] + 1;
            previous = indexes[^1];
        }

        return (total, null);
    }

    /// <summary>As Go's `Atoi` reads it, but for the minus, which cannot come here.</summary>
    private static bool TryRead(string text, out long number)
    {
        number = 0;
        var digits = text.AsSpan(text.StartsWith('+') ? 1 : 0);
        return !digits.ContainsAnyExceptInRange('0', '9') && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>The server shows it by the names that it has inside.</summary>
    private static JsonObject Shown(JsonArray? rules) => new()
    {
        ["Rules"] = rules is null ? null : new JsonArray([.. rules.Select(static rule => new JsonObject
        {
            ["SucceededIndexes"] = (rule as JsonObject)?["succeededIndexes"]?.DeepClone(),
            ["SucceededCount"] = (rule as JsonObject)?["succeededCount"]?.DeepClone(),
        })]),
    };
}
