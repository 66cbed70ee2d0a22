using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Cel;

/// <summary>The functions of the language and its extensions for texts and lists. The first argument of a method is what it is called on.</summary>
internal static class CelFunctions
{
    /// <summary>Characters that a function may make.</summary>
    internal const int MostText = 1 << 20;
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly TimeSpan MostMatching = TimeSpan.FromSeconds(1);

    /// <param name="spend">Takes what a call costs beside itself: texts cost by their length.</param>
    /// <exception cref="CelException"/>
    public static object? Call(string name, object?[] arguments, Action<int> spend)
    {
        foreach (var argument in arguments)
        {
            if (argument is string text)
                spend(text.Length / 10);
            else if (argument is List<object?> list)
                spend(list.Count);
        }

        return (name, arguments) switch
        {
            ("size", [string text]) => (long)new StringInfo(text).LengthInTextElements,
            ("size", [List<object?> list]) => (long)list.Count,
            ("size", [JsonObject members]) => (long)members.Count,
            ("matches", [string text, string pattern]) => Matches(text, pattern),
            ("startsWith", [string text, string part]) => text.StartsWith(part, StringComparison.Ordinal),
            ("endsWith", [string text, string part]) => text.EndsWith(part, StringComparison.Ordinal),
            ("contains", [string text, string part]) => text.Contains(part, StringComparison.Ordinal),
            ("lowerAscii", [string text]) => string.Concat(text.Select(static letter => char.IsAsciiLetterUpper(letter) ? (char)(letter | 0x20) : letter)),
            ("upperAscii", [string text]) => string.Concat(text.Select(static letter => char.IsAsciiLetterLower(letter) ? (char)(letter & ~0x20) : letter)),
            ("trim", [string text]) => text.Trim(),
            ("replace", [string text, string old, string next]) => Bounded(text, old, next),
            ("split", [string text, string separator]) => (separator.Length == 0 ? text.Select(static letter => (object?)letter.ToString()) : text.Split(separator)).ToList(),
            ("join", [List<object?> list]) => Join(list, ""),
            ("join", [List<object?> list, string separator]) => Join(list, separator),
            ("indexOf", [string text, string part]) => (long)text.IndexOf(part, StringComparison.Ordinal),
            ("lastIndexOf", [string text, string part]) => (long)text.LastIndexOf(part, StringComparison.Ordinal),
            ("substring", [string text, long from]) => Part(text, from, text.Length),
            ("substring", [string text, long from, long to]) => Part(text, from, to),
            ("isSorted", [List<object?> list]) => list.Zip(list.Skip(1)).All(static pair => CelOperators.Order(pair.First, pair.Second) <= 0),
            ("sum", [List<object?> list]) => list.Count == 0 ? 0L : list.Skip(1).Aggregate(list[0], static (sum, item) => CelOperators.Apply("+", sum, item)),
            ("min", [List<object?> { Count: > 0 } list]) => list.Aggregate(static (least, item) => CelOperators.Order(item, least) < 0 ? item : least),
            ("max", [List<object?> { Count: > 0 } list]) => list.Aggregate(static (most, item) => CelOperators.Order(item, most) > 0 ? item : most),
            ("int", [long number]) => number,
            ("int", [double real]) when Math.Abs(real) < 9e18 => (long)real,
            ("int", [string text]) when long.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
            ("double", [long number]) => (double)number,
            ("double", [double real]) => real,
            ("double", [string text]) when double.TryParse(text, CultureInfo.InvariantCulture, out var real) => real,
            ("string", [string text]) => text,
            ("string", [long number]) => number.ToString(CultureInfo.InvariantCulture),
            ("string", [double real]) => real.ToString("R", CultureInfo.InvariantCulture),
            ("string", [bool truth]) => truth ? "true" : "false",
            ("duration", [string text]) => Duration(text),
            ("bool", [bool truth]) => truth,
            ("bool", [string text]) when text is "true" or "True" or "TRUE" or "t" or "1" => true,
            ("bool", [string text]) when text is "false" or "False" or "FALSE" or "f" or "0" => false,
            ("dyn", [var value]) => value,
            ("type", [var value]) => CelType.Of(value),
            ("timestamp", [string text]) when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time,
            ("charAt", [string text, long at]) => at == text.Length ? "" : Part(text, at, at + 1),
            ("reverse", [string text]) => string.Concat(text.Reverse()),
            ("format", [string text, List<object?> values]) => Printed(text, values, spend),
            ("strings.quote", [string text]) => JsonValue.Create(text).ToJsonString(Resources.Apply.KeyText.Options),
            ("find", [string text, string pattern]) => Found(text, pattern).FirstOrDefault() ?? "",
            ("findAll", [string text, string pattern]) => Found(text, pattern),
            ("findAll", [string text, string pattern, long most]) => Found(text, pattern).Take(most < 0 ? int.MaxValue : (int)Math.Min(most, int.MaxValue)).ToList(),
            ("int" or "double" or "bool" or "timestamp", _) => throw new CelException("type conversion error"),
            _ => CelLibraries.Call(name, arguments, spend),
        };
    }

    private static string Printed(string format, List<object?> values, Action<int> spend)
    {
        spend(CelValues.Size(values));
        return CelTextFormat.Format(format, values);
    }

    private static bool Matches(string text, string pattern) => Search(() => Regex.IsMatch(text, pattern, Linear, MostMatching));

    private static List<object?> Found(string text, string pattern) => Search(() => Regex.Matches(text, pattern, Linear, MostMatching).Select(static match => (object?)match.Value).ToList());

    private static T Search<T>(Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception broken) when (broken is ArgumentException or NotSupportedException or RegexMatchTimeoutException)
        {
            throw new CelException("error parsing regexp: " + broken.Message);
        }
    }

    private static string Bounded(string text, string old, string next)
    {
        var made = old.Length == 0 ? text : text.Replace(old, next, StringComparison.Ordinal);
        return made.Length <= MostText ? made : throw new CelException("operation cancelled: actual cost limit exceeded");
    }

    private static string Join(List<object?> list, string separator)
    {
        var made = string.Join(separator, list.Select(static item => item as string ?? throw CelEvaluation.Overload()));
        return made.Length <= MostText ? made : throw new CelException("operation cancelled: actual cost limit exceeded");
    }

    private static string Part(string text, long from, long to) =>
        from >= 0 && from <= to && to <= text.Length ? text[(int)from..(int)to] : throw new CelException($"index out of range: {(from < 0 || from > text.Length ? from : to)}");

    /// <exception cref="CelException"/>
    private static TimeSpan Duration(string text) =>
        GoDuration.TryParse(text, out var duration) ? duration : throw new CelException("type conversion error from 'string' to 'google.protobuf.Duration'");
}
