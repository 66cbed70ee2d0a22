using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Plumb.Kubernetes.Manifests;

/// <summary>
/// What an unquoted word means. Kubernetes reads YAML 1.1 with the choices of its Go library: `yes`, `on` and `y` are true, 010 is eight, 1_000 a thousand;
/// dates and `1:20` stay texts.
/// </summary>
internal static class YamlScalar
{
    private const string TagPrefix = "tag:yaml.org,2002:";

    public static JsonNode? Value(Scalar scalar, Func<string, Exception> fault)
    {
        string tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
        string text = scalar.Value;
        if (tag.StartsWith(TagPrefix, StringComparison.Ordinal))
        {
            switch (tag[TagPrefix.Length..])
            {
                case "str":
                    return JsonValue.Create(text);
                case "binary":
                    return Binary(text, fault);
                case "null":
                    return null;
                case "bool":
                    return Boolean(text) is { } boolean ? JsonValue.Create(boolean) : throw fault($"\"{text}\" is no boolean");
                case "int":
                    return Integer(text) ?? throw fault($"\"{text}\" is no integer");
                case "float":
                    return Integer(text) ?? Float(text, fault) ?? throw fault($"\"{text}\" is no number");
            }
        }
        // A tag of its own, `!x`, says nothing that JSON could carry; the mark `!` alone means text.
        if (scalar.Style != ScalarStyle.Plain || tag == "!")
            return JsonValue.Create(text);
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return null;
        if (Boolean(text) is { } truth)
            return JsonValue.Create(truth);
        if (text[0] is (>= '0' and <= '9') or '+' or '-' or '.')
            return Integer(text) ?? Float(text, fault) ?? JsonValue.Create(text);
        return JsonValue.Create(text);
    }

    private static bool? Boolean(string text) => text switch
    {
        "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => true,
        "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => false,
        _ => null,
    };

    private static JsonValue? Integer(string text)
    {
        string plain = text.Replace("_", "", StringComparison.Ordinal);
        bool negative = plain.StartsWith('-');
        var digits = plain.AsSpan(negative || plain.StartsWith('+') ? 1 : 0);
        if (digits.Length == 0 || !char.IsAsciiDigit(digits[0]))
            return null;
        int radix = 10;
        if (digits.Length > 1 && digits[0] == '0')
        {
            (radix, int skip) = digits[1] switch
            {
                'x' or 'X' => (16, 2),
                'b' or 'B' => (2, 2),
                'o' or 'O' => (8, 2),
                _ => (8, 1),
            };
            digits = digits[skip..];
        }
        if (digits.Length == 0)
            return null;
        ulong value = 0;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix || value > (ulong.MaxValue - (ulong)digit) / (ulong)radix)
                return null;
            value = (value * (ulong)radix) + (ulong)digit;
        }
        if (negative)
            return value <= (ulong)long.MaxValue + 1 ? JsonValue.Create(unchecked(-(long)value)) : null;
        return value <= long.MaxValue ? JsonValue.Create((long)value) : JsonValue.Create((ulong)value);
    }

    private static JsonValue? Float(string text, Func<string, Exception> fault)
    {
        string plain = text.Replace("_", "", StringComparison.Ordinal);
        string unsigned = plain.TrimStart('+', '-');
        if (unsigned is ".inf" or ".Inf" or ".INF" or ".nan" or ".NaN" or ".NAN")
            throw fault($"{text} cannot be said in JSON");
        foreach (char c in plain)
        {
            if (!char.IsAsciiDigit(c) && c is not ('.' or 'e' or 'E' or '+' or '-'))
                return null;
        }
        return double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? JsonValue.Create(number) : null;
    }

    private static JsonValue Binary(string text, Func<string, Exception> fault)
    {
        try
        {
            return JsonValue.Create(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(text)));
        }
        catch (FormatException)
        {
            throw fault("!!binary is not base64");
        }
    }
}
