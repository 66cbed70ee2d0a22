using System.Globalization;
using System.Text;

namespace Plumb.Api.Cel;

internal enum CelTokenKind
{
    End,
    Name,
    Text,

    /// <summary>Its text has a letter, from 0 to 255, for each byte.</summary>
    Bytes,
    Integer,
    Real,

    /// <summary>An operator, a bracket, a dot, a comma.</summary>
    Sign,
}

/// <param name="At">Its place in the rule, from 0.</param>
internal readonly record struct CelToken(CelTokenKind Kind, string Text, int At);

/// <summary>What is wrong with a rule before it ever runs.</summary>
internal sealed class CelSyntaxException(string message, int at) : Exception(message)
{
    public int At { get; } = at;
}

/// <summary>Cuts a rule in the Common Expression Language into its tokens (github.com/google/cel-spec, doc/langdef.md, "Syntax").</summary>
internal static class CelLexer
{
    private static readonly string[] Signs = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];

    /// <exception cref="CelSyntaxException"/>
    public static List<CelToken> Read(string rule)
    {
        var tokens = new List<CelToken>();
        for (var at = 0; at < rule.Length;)
        {
            var letter = rule[at];
            if (char.IsWhiteSpace(letter))
            {
                at++;
            }
            else if (rule.AsSpan(at).StartsWith("//"))
            {
                var end = rule.IndexOf('\n', at);
                at = end < 0 ? rule.Length : end;
            }
            else if (Prefix(rule, at) is { } prefix)
            {
                tokens.Add(Text(rule, prefix, ref at));
            }
            else if (char.IsAsciiDigit(letter))
            {
                tokens.Add(Number(rule, ref at));
            }
            else if (char.IsAsciiLetter(letter) || letter == '_')
            {
                var from = at;
                while (at < rule.Length && (char.IsAsciiLetterOrDigit(rule[at]) || rule[at] == '_'))
                    at++;
                tokens.Add(new CelToken(CelTokenKind.Name, rule[from..at], from));
            }
            else
            {
                var sign = Array.Find(Signs, sign => rule.AsSpan(at).StartsWith(sign)) ?? throw new CelSyntaxException($"Syntax error: token recognition error at: '{letter}'", at);
                tokens.Add(new CelToken(CelTokenKind.Sign, sign, at));
                at += sign.Length;
            }
        }

        tokens.Add(new CelToken(CelTokenKind.End, "<EOF>", rule.Length));
        return tokens;
    }

    private static CelToken Number(string rule, ref int at)
    {
        var from = at;
        while (at < rule.Length && (char.IsAsciiLetterOrDigit(rule[at]) || (rule[at] == '.' && at + 1 < rule.Length && char.IsAsciiDigit(rule[at + 1]))))
            at++;
        var text = rule[from..at];
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return new CelToken(!isHex && text.AsSpan().ContainsAny('.', 'e', 'E') ? CelTokenKind.Real : CelTokenKind.Integer, text, from);
    }

    /// <returns>What stands before the quote of a text: nothing, `r`, `b`, or both. Null: no text begins here.</returns>
    private static string? Prefix(string rule, int at)
    {
        var end = at;
        while (end < rule.Length && end < at + 2 && rule[end] is 'r' or 'R' or 'b' or 'B')
            end++;
        var prefix = rule[at..end].ToLowerInvariant();
        return end < rule.Length && rule[end] is '"' or '\'' && prefix is "" or "r" or "b" or "rb" or "br" ? prefix : null;
    }

    /// <summary>`'…'`, `"…"`, `r'…'` without escapes, `b'…'`, and the same between three quotes.</summary>
    private static CelToken Text(string rule, string prefix, ref int at)
    {
        var from = at;
        var isRaw = prefix.Contains('r', StringComparison.Ordinal);
        var isBytes = prefix.Contains('b', StringComparison.Ordinal);
        at += prefix.Length;
        var quote = rule.AsSpan(at).StartsWith(new string(rule[at], 3)) ? new string(rule[at], 3) : rule[at].ToString();
        at += quote.Length;
        var text = new StringBuilder();
        while (!rule.AsSpan(at).StartsWith(quote))
        {
            if (at >= rule.Length)
                throw new CelSyntaxException("Syntax error: a text has no end", from);
            if (rule[at] == '\\' && !isRaw)
                text.Append(Escaped(rule, isBytes, ref at));
            else if (isBytes && rule[at] > 0x7f)
                text.Append(Utf8(rule, ref at));
            else
                text.Append(rule[at++]);
        }

        at += quote.Length;
        return new CelToken(isBytes ? CelTokenKind.Bytes : CelTokenKind.Text, text.ToString(), from);
    }

    private static string Utf8(string rule, ref int at)
    {
        var from = at;
        at += char.IsHighSurrogate(rule[at]) && at + 1 < rule.Length ? 2 : 1;
        return Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(rule[from..at]));
    }

    private static string Escaped(string rule, bool isByte, ref int at)
    {
        var from = at;
        var letter = at + 1 < rule.Length ? rule[at + 1] : '\0';
        if (letter is >= '0' and <= '3' && at + 4 <= rule.Length && rule[at + 2] is >= '0' and <= '7' && rule[at + 3] is >= '0' and <= '7')
        {
            at += 4;
            return ((char)Convert.ToInt32(rule[(from + 1)..at], 8)).ToString();
        }

        at += 2;
        var digits = letter switch { 'x' or 'X' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (at + digits > rule.Length || !int.TryParse(rule.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > 0x10ffff || code is >= 0xd800 and < 0xe000 || (isByte && digits > 2))
                throw new CelSyntaxException("Syntax error: an escape is none", from);
            at += digits;
            return char.ConvertFromUtf32(code);
        }

        return letter switch
        {
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'a' => "\a",
            'b' => "\b",
            'f' => "\f",
            'v' => "\v",
            '\\' or '\'' or '"' or '`' or '?' => letter.ToString(),
            _ => throw new CelSyntaxException("Syntax error: an escape is none", from),
        };
    }
}
