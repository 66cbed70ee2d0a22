using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Api.Cel;

/// <summary>The functions of the language for texts, and those of its library `strings` (version 2). Places in a text count its code points.</summary>
internal static class CelTexts
{
    /// <exception cref="CelException"/>
    public static object? Call(string name, object?[] arguments, Action<int> spend) => (name, arguments) switch
    {
        ("startsWith", [string text, string part]) => text.StartsWith(part, StringComparison.Ordinal),
        ("endsWith", [string text, string part]) => text.EndsWith(part, StringComparison.Ordinal),
        ("contains", [string text, string part]) => text.Contains(part, StringComparison.Ordinal),
        ("lowerAscii", [string text]) => string.Concat(text.Select(static letter => char.IsAsciiLetterUpper(letter) ? (char)(letter | 0x20) : letter)),
        ("upperAscii", [string text]) => string.Concat(text.Select(static letter => char.IsAsciiLetterLower(letter) ? (char)(letter & ~0x20) : letter)),
        ("trim", [string text]) => text.Trim(),
        ("replace", [string text, string old, string next]) => Replaced(text, old, next, -1),
        ("replace", [string text, string old, string next, long most]) => Replaced(text, old, next, most),
        ("split", [string text, string separator]) => Split(text, separator, -1),
        ("split", [string text, string separator, long most]) => Split(text, separator, most),
        ("join", [List<object?> list]) => Join(list, ""),
        ("join", [List<object?> list, string separator]) => Join(list, separator),
        ("indexOf", [string text, string part]) => Place(text, text.IndexOf(part, StringComparison.Ordinal)),
        ("indexOf", [string text, string part, long from]) => Place(text, text.IndexOf(part, Index(text, from), StringComparison.Ordinal)),
        ("lastIndexOf", [string text, string part]) => Place(text, text.LastIndexOf(part, StringComparison.Ordinal)),
        ("lastIndexOf", [string text, string part, long to]) => Place(text, text[..Math.Min(text.Length, Index(text, to) + part.Length)].LastIndexOf(part, StringComparison.Ordinal)),
        ("substring", [string text, long from]) => text[Index(text, from)..],
        ("substring", [string text, long from, long to]) => from <= to ? text[Index(text, from)..Index(text, to)] : throw new CelException($"invalid substring range. start: {from}, end: {to}"),
        ("charAt", [string text, long at]) => Index(text, at) is var index && index == text.Length ? "" : text[index..Index(text, at + 1)],
        ("format", [string text, List<object?> values]) => Printed(text, values, spend),
        ("strings.quote", [string text]) => JsonValue.Create(text).ToJsonString(Resources.Apply.KeyText.Options),
        _ => CelLibraries.Call(name, arguments, spend),
    };

    /// <summary>Code points.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var letter in text)
            count += char.IsLowSurrogate(letter) ? 0 : 1;
        return count;
    }

    private static long Place(string text, int index) => index < 0 ? -1 : Count(text.AsSpan(0, index));

    /// <exception cref="CelException">There is no such place.</exception>
    private static int Index(string text, long place)
    {
        var left = place;
        for (var index = 0; left >= 0 && index <= text.Length; index++)
        {
            if (index < text.Length && char.IsLowSurrogate(text[index]))
                continue;
            if (left-- == 0)
                return index;
        }

        throw new CelException($"index out of range: {place}");
    }

    private static string Replaced(string text, string old, string next, long most)
    {
        var made = new StringBuilder();
        var from = 0;
        // An empty one is found before each letter and at the end.
        for (var at = Found(0); at >= 0 && most-- != 0; at = Found(at + Math.Max(1, old.Length)))
        {
            made.Append(text, from, at - from).Append(next);
            from = at + old.Length;
            Bound(made.Length);
        }

        return Bounded(made.Append(text, from, text.Length - from).ToString());

        int Found(int at) => at > text.Length ? -1 : text.IndexOf(old, at, StringComparison.Ordinal);
    }

    private static List<object?> Split(string text, string separator, long most) => most == 0 ? [] :
        [.. separator.Length > 0 ? text.Split(separator, most < 0 ? int.MaxValue : (int)Math.Min(most, int.MaxValue)) : Letters(text, most)];

    private static IEnumerable<string> Letters(string text, long most)
    {
        for (var at = 0; at < text.Length;)
        {
            var next = --most == 0 ? text.Length : at + (char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1);
            yield return text[at..next];
            at = next;
        }
    }

    private static string Join(List<object?> list, string separator) =>
        Bounded(string.Join(separator, list.Select(static item => item as string ?? throw CelEvaluation.Overload())));

    private static string Printed(string format, List<object?> values, Action<int> spend)
    {
        spend(CelValues.Size(values));
        return CelTextFormat.Format(format, values);
    }

    private static string Bounded(string made)
    {
        Bound(made.Length);
        return made;
    }

    private static void Bound(int length)
    {
        if (length > CelFunctions.MostText)
            throw new CelException("operation cancelled: actual cost limit exceeded");
    }
}
