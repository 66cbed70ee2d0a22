using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Apply;

namespace Plumb.Api.Cel;

/// <summary>`'%s has %d'.format([name, count])`: the verbs s, d, f, e, b, x, X, o and %.</summary>
internal static class CelTextFormat
{
    /// <exception cref="CelException"/>
    public static string Format(string format, List<object?> values)
    {
        var made = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            if (made.Length > CelFunctions.MostText)
                throw new CelException("operation cancelled: actual cost limit exceeded");
            if (format[i] != '%')
            {
                made.Append(format[i]);
                continue;
            }

            var precision = -1;
            i++;
            if (i < format.Length && format[i] == '.')
            {
                var from = ++i;
                while (i < format.Length && char.IsAsciiDigit(format[i]))
                    i++;
                if (!int.TryParse(format.AsSpan(from, i - from), NumberStyles.None, CultureInfo.InvariantCulture, out precision) || precision > 100)
                    throw new CelException("could not parse formatting clause: illegal precision");
            }

            if (i >= format.Length)
                throw new CelException("unexpected end of string");
            if (format[i] == '%')
                made.Append('%');
            else if (next >= values.Count)
                throw new CelException($"index {next} out of range");
            else
                made.Append(Verb(format[i], precision, values[next++]));
        }

        return made.ToString();
    }

    private static string Verb(char verb, int precision, object? value) => (verb, value) switch
    {
        ('s', _) => Text(value),
        ('d', long or ulong) => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        ('f', long or double) => Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("F" + (precision < 0 ? 6 : precision), CultureInfo.InvariantCulture),
        ('e', long or double) => Scientific(Convert.ToDouble(value, CultureInfo.InvariantCulture), precision),
        ('b', bool truth) => truth ? "1" : "0",
        ('b', long number) => (number < 0 ? "-" : "") + Magnitude(number).ToString("b", CultureInfo.InvariantCulture),
        ('x', CelBytes bytes) => Convert.ToHexStringLower(bytes.Bytes),
        ('X', CelBytes bytes) => Convert.ToHexString(bytes.Bytes),
        ('b' or 'x' or 'X', ulong number) => number.ToString(verb.ToString(), CultureInfo.InvariantCulture),
        ('o', ulong number) => Convert.ToString((long)number, 8),
        ('x', string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
        ('X', string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text)),
        ('x' or 'X', long number) => (number < 0 ? "-" : "") + Magnitude(number).ToString(verb.ToString(), CultureInfo.InvariantCulture),
        ('o', long number) => (number < 0 ? "-" : "") + Convert.ToString((long)Magnitude(number), 8),
        _ => throw new CelException($"could not parse formatting clause: unrecognized formatting clause \"{verb}\""),
    };

    private static ulong Magnitude(long number) => number < 0 ? (ulong)(-(number + 1)) + 1 : (ulong)number;

    private static string Scientific(double real, int precision)
    {
        var text = real.ToString("e" + (precision < 0 ? 6 : precision), CultureInfo.InvariantCulture);
        // Go writes at least two digits of an exponent, .NET three.
        var at = text.IndexOf('e', StringComparison.Ordinal);
        return $"{text[..(at + 2)]}{text[(at + 2)..].TrimStart('0').PadLeft(2, '0')}";
    }

    private static string Text(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        string text => text,
        long or ulong or double or CelBytes or TimeSpan or DateTimeOffset => (string)CelConversions.Convert("string", value),
        CelType type => type.Name,
        List<object?> list => $"[{string.Join(", ", list.Select(Quoted))}]",
        JsonObject members => $"{{{string.Join(", ", members.OrderBy(static member => member.Key, StringComparer.Ordinal).Select(static member => $"{Quoted(member.Key)}: {Quoted(CelEvaluation.From(member.Value))}"))}}}",
        _ => value.ToString() ?? "",
    };

    private static string Quoted(object? value) => value is string text ? JsonValue.Create(text).ToJsonString(KeyText.Options) : Text(value);
}
