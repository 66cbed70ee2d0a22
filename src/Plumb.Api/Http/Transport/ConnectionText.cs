using System.Text;

namespace Plumb.Api.Http.Transport;

/// <summary>
/// How the bytes of a request's `Connection` header become text. Where Kestrel knows exactly one of the header's options it puts that word in the place of the whole header (its
/// `HttpHeaders.ParseConnection`): who asks with `keep-alive, X-Mine` is a client whose X-Mine a proxy would then pass on. It knows two or none in what this gives, also of several such headers together.
/// </summary>
internal sealed class ConnectionText : Encoding
{
    public static readonly ConnectionText Instance = new();

    // HTTP/1.1 keeps a connection without the word (RFC 9112, 9.3), HTTP/1.0 then closes it; beside `close` and `upgrade` it changes nothing.
    private const string KeepAlive = "keep-alive";

    private static string Of(ReadOnlySpan<byte> bytes)
    {
        var options = Latin1.GetString(bytes).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToList();
        options.RemoveAll(static option => Is(option, KeepAlive));
        if (options.Exists(static option => Is(option, "close") || Is(option, "upgrade")))
            options.Add(KeepAlive);
        return string.Join(", ", options);
    }

    private static bool Is(string option, string known) => option.Equals(known, StringComparison.OrdinalIgnoreCase);

    public override int GetCharCount(byte[] bytes, int index, int count) => Of(bytes.AsSpan(index, count)).Length;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        var text = Of(bytes.AsSpan(byteIndex, byteCount));
        text.CopyTo(chars.AsSpan(charIndex));
        return text.Length;
    }

    // As much as all commas may gain a space.
    public override int GetMaxCharCount(int byteCount) => (2 * byteCount) + KeepAlive.Length + 2;

    public override int GetMaxByteCount(int charCount) => throw new NotSupportedException();

    public override int GetByteCount(char[] chars, int index, int count) => throw new NotSupportedException();

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => throw new NotSupportedException();
}
