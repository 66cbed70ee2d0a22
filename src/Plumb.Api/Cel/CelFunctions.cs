using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Plumb.Api.Cel;

/// <summary>The functions of the language, and Kubernetes' own for lists and regular expressions. The first argument of a method is what it is called on.</summary>
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
            else if (argument is CelBytes bytes)
                spend(bytes.Count / 10);
        }

        return (name, arguments) switch
        {
            ("size", [string text]) => (long)CelTexts.Count(text),
            ("size", [CelBytes bytes]) => (long)bytes.Count,
            ("size", [List<object?> list]) => (long)list.Count,
            ("size", [JsonObject members]) => (long)members.Count,
            ("indexOf", [List<object?> list, var item]) => (long)list.FindIndex(there => CelOperators.Same(there, item)),
            ("lastIndexOf", [List<object?> list, var item]) => (long)list.FindLastIndex(there => CelOperators.Same(there, item)),
            ("isSorted", [List<object?> list]) => list.Zip(list.Skip(1)).All(static pair => CelOperators.Order(pair.First, pair.Second) <= 0),
            ("sum", [List<object?> list]) => list.Count == 0 ? 0L : list.Skip(1).Aggregate(list[0], static (sum, item) => CelOperators.Apply("+", sum, item)),
            ("min", [List<object?> { Count: > 0 } list]) => list.Aggregate(static (least, item) => CelOperators.Order(item, least) < 0 ? item : least),
            ("max", [List<object?> { Count: > 0 } list]) => list.Aggregate(static (most, item) => CelOperators.Order(item, most) > 0 ? item : most),
            ("dyn", [var value]) => value,
            ("type", [var value]) => CelType.Of(value),
            ("min" or "max", [List<object?>]) => throw new CelException($"{name} called on empty list"),
            ("matches", [string text, string pattern]) => Matches(text, pattern),
            ("find", [string text, string pattern]) => Found(text, pattern).FirstOrDefault() ?? "",
            ("findAll", [string text, string pattern]) => Found(text, pattern),
            ("findAll", [string text, string pattern, long most]) => Found(text, pattern).Take(most < 0 ? int.MaxValue : (int)Math.Min(most, int.MaxValue)).ToList(),
            ("int" or "uint" or "double" or "bool" or "bytes" or "string" or "timestamp" or "duration", [not null and not IPAddress and not CelCidr]) => CelConversions.Convert(name, arguments[0]!),
            (_, [DateTimeOffset or TimeSpan, ..]) => CelTimes.Call(name, arguments),
            (_, [string, ..]) or ("join", _) => CelTexts.Call(name, arguments, spend),
            _ => CelLibraries.Call(name, arguments, spend),
        };
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
}
