using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Kubernetes.Json;

/// <summary>The real API server is written in Go, and some of its answers quote that language's own messages and values: this says them alike.</summary>
public static class GoJson
{
    /// <summary>`object`, `array`, `string`, `number`, `bool`, `null`: as encoding/json names what it could not decode.</summary>
    public static string TypeName(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "bool",
        _ => "null",
    };

    /// <summary>What is wrong with a text that is no JSON: `unexpected end of JSON input` or `invalid character 'x' …`.</summary>
    public static string SyntaxError(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, isFinalBlock: true, new JsonReaderState(new JsonReaderOptions { MaxDepth = int.MaxValue }));
        var last = JsonTokenType.None;
        var open = new Stack<JsonTokenType>();
        try
        {
            while (reader.Read())
            {
                last = reader.TokenType;
                if (last is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    open.Push(last);
                    if (open.Count > JsonTrees.MaxDepth)
                        return $"invalid character {(last == JsonTokenType.StartObject ? "'{'" : "'['")} exceeded max depth";
                }
                else if (last is JsonTokenType.EndObject or JsonTokenType.EndArray)
                    open.Pop();
            }
            // Nothing is wrong but that somebody would not read so far down.
            return "exceeded max depth";
        }
        catch (JsonException error)
        {
            int at = Offset(utf8, error);
            while (at < utf8.Length && IsSpace(utf8[at]))
                at++;
            if (at >= utf8.Length)
                return "unexpected end of JSON input";
            return $"invalid character {Quote(utf8[at])} {Place(utf8[..at], last, open)}";
        }
    }

    /// <summary>The text as Go's decoder takes it: bytes that are no UTF-8, and halves of surrogate pairs, become U+FFFD. The same bytes where there are none.</summary>
    public static byte[] Readable(byte[] utf8)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
            utf8 = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));
        return utf8.AsSpan().IndexOf("\\ud"u8) < 0 && utf8.AsSpan().IndexOf("\\uD"u8) < 0 ? utf8 : WithoutHalves(utf8);
    }

    private static byte[] WithoutHalves(byte[] utf8)
    {
        byte[] whole = [.. utf8];
        for (int i = 0; i + 1 < whole.Length; i++)
        {
            if (whole[i] != (byte)'\\')
                continue;
            int unit = Unit(utf8, i);
            if (unit is >= 0xd800 and <= 0xdbff && Unit(utf8, i + 6) is >= 0xdc00 and <= 0xdfff)
                i += 11;
            else if (unit is >= 0xd800 and <= 0xdfff)
                "fffd"u8.CopyTo(whole.AsSpan(i + 2));
            else
                i++;
        }
        return whole;
    }

    /// <returns>-1: no `\uXXXX` stands there.</returns>
    private static int Unit(byte[] utf8, int at) =>
        at + 6 <= utf8.Length && utf8[at] == (byte)'\\' && utf8[at + 1] == (byte)'u'
        && int.TryParse(utf8.AsSpan(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int unit) ? unit : -1;

    /// <summary>Where the scanner stood: seen from the last character that meant something.</summary>
    private static string Place(ReadOnlySpan<byte> before, JsonTokenType last, Stack<JsonTokenType> open)
    {
        bool inObject = open.TryPeek(out var container) && container == JsonTokenType.StartObject;
        while (before.Length > 0 && IsSpace(before[^1]))
            before = before[..^1];
        return before switch
        {
            [] or [.., (byte)':'] or [.., (byte)'['] => "looking for beginning of value",
            [.., (byte)','] when !inObject => "looking for beginning of value",
            [.., (byte)'{'] or [.., (byte)','] => "looking for beginning of object key string",
            [.., (byte)'"'] when inObject && last is JsonTokenType.StartObject => "after object key",
            _ when inObject => "after object key:value pair",
            _ when open.Count > 0 => "after array element",
            _ => "after top-level value",
        };
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    /// <summary>A value as `%v` prints it: `map[a:1 b:[x y]]`, keys sorted, strings bare.</summary>
    public static string Print(JsonNode? node)
    {
        var text = new StringBuilder();
        Print(text, node);
        return text.ToString();
    }

    private static void Print(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                string[] names = new string[map.Count];
                for (int i = 0; i < names.Length; i++)
                    names[i] = map.GetAt(i).Key;
                Array.Sort(names, StringComparer.Ordinal);
                text.Append("map[");
                for (int i = 0; i < names.Length; i++)
                {
                    text.Append(i > 0 ? " " : "").Append(names[i]).Append(':');
                    Print(text, map[names[i]]);
                }
                text.Append(']');
                break;
            case JsonArray list:
                text.Append('[');
                for (int i = 0; i < list.Count; i++)
                {
                    text.Append(i > 0 ? " " : "");
                    Print(text, list[i]);
                }
                text.Append(']');
                break;
            case null:
                text.Append("<nil>");
                break;
            default:
                text.Append(node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString());
                break;
        }
    }

    private static string Quote(byte value) => value switch
    {
        (byte)'\'' => "'\\''",
        (byte)'"' => "'\"'",
        < 0x20 => $"'\\x{value:x2}'",
        < 0x7f => $"'{(char)value}'",
        // Bytes are shown as if each were a code point of its own: as such where it can be printed.
        > 0xa0 and not 0xad => $"'{(char)value}'",
        _ => $"'\\u{((int)value).ToString("x4", CultureInfo.InvariantCulture)}'",
    };

    private static int Offset(ReadOnlySpan<byte> utf8, JsonException error)
    {
        int start = 0;
        for (long line = error.LineNumber ?? 0; line > 0; line--)
        {
            int end = utf8[start..].IndexOf((byte)'\n');
            if (end < 0)
                break;
            start += end + 1;
        }
        return (int)Math.Min(utf8.Length, start + (error.BytePositionInLine ?? 0));
    }
}
