using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace Plumb.Api.Http.Endpoints;

/// <summary>
/// A page of HTML on its way through the API: links to its own server's root (`/style.css`) go to where the proxy has that root, as a real API server rewrites them. All else stays as
/// it is, byte by byte: what is no tag, comments, what scripts and styles hold. Any encoding will do in which ASCII is ASCII.
/// </summary>
/// <param name="prefix">Path of the proxied root, without a slash at its end.</param>
/// <param name="host">What the page's server is called in links that name it; in lower case.</param>
internal sealed class PageLinks(string prefix, string host)
{
    // What is longer is no tag that anybody wrote.
    private const int MostTagBytes = 64 * 1024;

    /// <summary>Attributes that hold an address, by tag (HTML, index of attributes).</summary>
    private static readonly FrozenDictionary<string, string[]> Addresses = new Dictionary<string, string[]>
    {
        ["a"] = ["href"], ["area"] = ["href"], ["audio"] = ["src"], ["base"] = ["href"], ["blockquote"] = ["cite"], ["body"] = ["background"], ["button"] = ["formaction"],
        ["del"] = ["cite"], ["embed"] = ["src"], ["form"] = ["action"], ["frame"] = ["longdesc", "src"], ["html"] = ["manifest"], ["iframe"] = ["longdesc", "src"],
        ["img"] = ["longdesc", "src", "usemap"], ["input"] = ["src", "usemap", "formaction"], ["ins"] = ["cite"], ["link"] = ["href"], ["object"] = ["classid", "codebase", "data", "usemap"],
        ["q"] = ["cite"], ["script"] = ["src"], ["source"] = ["src"], ["track"] = ["src"], ["video"] = ["poster", "src"],
    }.ToFrozenDictionary();

    private static readonly SearchValues<byte> BareEnds = SearchValues.Create(" \t\r\n\f>"u8);
    private static readonly SearchValues<byte> WordEnds = SearchValues.Create(" \t\r\n\f=/>\"'"u8);

    private readonly byte[] _prefix = Encoding.UTF8.GetBytes(prefix);
    private readonly ArrayBufferWriter<byte> _output = new();

    /// <summary>Null in text and tags; else what ends a comment, a script or a style.</summary>
    private byte[]? _until;

    /// <summary>Sends on what can be told by now, so that a page that is written slowly is seen as slowly.</summary>
    public async Task CopyAsync(Stream from, Stream to, CancellationToken cancel)
    {
        var buffer = new byte[16 * 1024];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = await from.ReadAsync(buffer.AsMemory(length), cancel);
            length += read;
            var done = Rewrite(buffer.AsSpan(0, length), isEnd: read == 0);
            buffer.AsSpan(done, length - done).CopyTo(buffer);
            length -= done;
            await to.WriteAsync(_output.WrittenMemory, cancel);
            await to.FlushAsync(cancel);
            _output.ResetWrittenCount();
            if (read == 0)
                return;
        }
    }

    /// <returns>How many bytes are done with; the others are the beginning of something.</returns>
    private int Rewrite(ReadOnlySpan<byte> page, bool isEnd)
    {
        var at = 0;
        while (at < page.Length)
        {
            var rest = page[at..];
            if (_until is not null)
            {
                var end = IndexOf(rest, _until);
                // The end may have begun.
                var sure = end >= 0 ? end : isEnd ? rest.Length : Math.Max(0, rest.Length - _until.Length + 1);
                _output.Write(rest[..sure]);
                at += sure;
                if (end < 0)
                    return at;
                _until = null;
                continue;
            }

            var text = rest.IndexOf((byte)'<');
            if (text != 0)
            {
                text = text < 0 ? rest.Length : text;
                _output.Write(rest[..text]);
                at += text;
                continue;
            }

            if (rest.StartsWith("<!--"u8))
            {
                _until = "-->"u8.ToArray();
                _output.Write(rest[..4]);
                at += 4;
            }
            else if (TagBytes(rest) is > 0 and var tag)
            {
                Tag(rest[..tag]);
                at += tag;
            }
            else if (rest.Length >= 4 && !char.IsAsciiLetter((char)rest[1]))
            {
                _output.Write(rest[..1]);
                at++;
            }
            else if (isEnd || rest.Length > MostTagBytes)
            {
                // All of it was looked at, and is not looked at again.
                var looked = Math.Min(rest.Length, MostTagBytes);
                _output.Write(rest[..looked]);
                at += looked;
            }
            else
            {
                return at;
            }
        }

        return at;
    }

    /// <returns>0: not one, or not all of one.</returns>
    private static int TagBytes(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2 || !char.IsAsciiLetter((char)rest[1]))
            return 0;
        byte quote = 0;
        for (var i = 1; i < Math.Min(rest.Length, MostTagBytes); i++)
        {
            if (quote != 0)
                quote = rest[i] == quote ? (byte)0 : quote;
            else if (rest[i] is (byte)'"' or (byte)'\'' && rest[i - 1] is (byte)'=' or (byte)' ')
                quote = rest[i];
            else if (rest[i] == (byte)'>')
                return i + 1;
        }

        return 0;
    }

    private void Tag(ReadOnlySpan<byte> tag)
    {
        var name = Encoding.ASCII.GetString(Word(tag[1..])).ToLowerInvariant();
        if (name is "script" or "style" or "textarea" or "title")
            _until = Encoding.ASCII.GetBytes("</" + name);
        var addresses = Addresses.GetValueOrDefault(name) ?? [];
        var written = 0;
        for (var at = 1 + name.Length; addresses.Length > 0 && at < tag.Length;)
        {
            var attribute = Word(tag[at..]);
            if (attribute.IsEmpty)
            {
                at++;
                continue;
            }

            at += attribute.Length;
            var equals = at + Spaces(tag[at..]);
            if (equals >= tag.Length || tag[equals] != (byte)'=')
                continue;
            at = equals + 1 + Spaces(tag[(equals + 1)..]);
            if (at >= tag.Length)
                break;
            var quoted = tag[at] is (byte)'"' or (byte)'\'';
            var value = quoted ? tag[(at + 1)..] : tag[at..];
            var end = quoted ? value.IndexOf(tag[at]) : value.IndexOfAny(BareEnds);
            value = end < 0 ? value : value[..end];
            at += quoted ? 1 : 0;
            if (addresses.Contains(Encoding.ASCII.GetString(attribute), StringComparer.OrdinalIgnoreCase) && RootIn(value) is >= 0 and var root)
            {
                _output.Write(tag[written..at]);
                _output.Write(_prefix);
                written = at + root;
            }

            at += value.Length + (quoted ? 1 : 0);
        }

        _output.Write(tag[written..]);
    }

    /// <returns>Where the path from the server's root begins in an address; negative: it is relative, leads elsewhere, or has been rewritten.</returns>
    private int RootIn(ReadOnlySpan<byte> address)
    {
        var root = 0;
        var scheme = address.IndexOf("://"u8);
        if (scheme > 0 || address.StartsWith("//"u8))
        {
            var authority = scheme > 0 ? scheme + 3 : 2;
            var path = address[authority..].IndexOf((byte)'/');
            if (path < 0 || !Encoding.ASCII.GetString(address.Slice(authority, path)).Equals(host, StringComparison.OrdinalIgnoreCase))
                return -1;
            root = authority + path;
        }

        var rest = address[root..];
        return rest.StartsWith("/"u8) && !rest.StartsWith(_prefix) ? root : -1;
    }

    private static ReadOnlySpan<byte> Word(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny(WordEnds);
        return end < 0 ? text : text[..end];
    }

    private static int Spaces(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExcept(" \t\r\n\f"u8);
        return end < 0 ? text.Length : end;
    }

    /// <summary>Letters of <paramref name="end"/>, which is in lower case, stand for both.</summary>
    private static int IndexOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> end)
    {
        for (var at = 0; at + end.Length <= text.Length; at++)
        {
            var found = text[at..].IndexOf(end[0]);
            if (found < 0 || at + found + end.Length > text.Length)
                return -1;
            at += found;
            if (Ascii.EqualsIgnoreCase(text.Slice(at, end.Length), end))
                return at;
        }

        return -1;
    }
}
