using System;

namespace Plumb.Cni;

/// <summary>Finds a text of the configuration's own, without reading what it does not need: whether it is well formed is the agent's to say.</summary>
internal static class ConfigurationText
{
    /// <summary>What stands between the quotation marks of a value at the top level, escapes and all; empty: there is no such text.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> key)
    {
        var depth = 0;
        var isKey = false;
        var isFound = false;
        for (var i = 0; i < json.Length; i++)
        {
            switch (json[i])
            {
                case (byte)'{' or (byte)'[':
                    depth++;
                    isKey = depth == 1;
                    isFound = false;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    break;
                case (byte)',':
                    isKey = depth == 1;
                    isFound = false;
                    break;
                case (byte)'"':
                    var text = TextFrom(json[(i + 1)..]);
                    if (isFound)
                    {
                        return text;
                    }
                    isFound = isKey && text.SequenceEqual(key);
                    isKey = false;
                    i += text.Length + 1;
                    break;
            }
        }
        return [];
    }

    /// <summary>Takes the escapes out that a path may have; false: another one, or too long.</summary>
    public static bool TryUnescape(ReadOnlySpan<byte> text, Span<byte> into)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++, length++)
        {
            if (text[i] == '\\')
            {
                i++;
                if (i == text.Length || text[i] is not ((byte)'\\' or (byte)'/' or (byte)'"'))
                {
                    return false;
                }
            }
            if (length == into.Length)
            {
                return false;
            }
            into[length] = text[i];
        }
        return true;
    }

    private static ReadOnlySpan<byte> TextFrom(ReadOnlySpan<byte> json)
    {
        var end = 0;
        while (end < json.Length && json[end] != '"')
        {
            end += json[end] == '\\' ? 2 : 1;
        }
        return json[..Math.Min(end, json.Length)];
    }
}
