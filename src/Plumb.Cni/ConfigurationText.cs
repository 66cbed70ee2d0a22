namespace Plumb.Cni;

/// <summary>Finds a text of the configuration's own, without reading what it does not need: whether it is well formed is the agent's to say.</summary>
internal static unsafe class ConfigurationText
{
    /// <summary>What stands between the quotation marks of a value at the top level, escapes and all; empty: there is no such text.</summary>
    public static Text Find(Text json, Text key)
    {
        var depth = 0;
        var isKey = false;
        var isFound = false;
        for (nint i = 0; i < json.Length; i++)
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
                    var text = UpToQuote(json.From(i + 1));
                    if (isFound)
                    {
                        return text;
                    }
                    isFound = isKey && text.Is(key);
                    isKey = false;
                    i += text.Length + 1;
                    break;
            }
        }
        return default;
    }

    /// <summary>Takes the escapes out that a path may have; false: another one, or too long.</summary>
    public static bool TryUnescape(Text text, byte* into, nint room)
    {
        nint length = 0;
        for (nint i = 0; i < text.Length; i++, length++)
        {
            if (text[i] == '\\')
            {
                i++;
                if (text[i] is not ((byte)'\\' or (byte)'/' or (byte)'"'))
                {
                    return false;
                }
            }
            if (length == room)
            {
                return false;
            }
            into[length] = text[i];
        }
        return true;
    }

    private static Text UpToQuote(Text json)
    {
        nint end = 0;
        while (end < json.Length && json[end] != '"')
        {
            end += json[end] == '\\' ? 2 : 1;
        }
        return json.UpTo(end);
    }
}
