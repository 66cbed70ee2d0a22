using System.Buffers.Binary;
using System.Text;

namespace Plumb.Api.Streaming.Spdy;

/// <summary>
/// The text with which both sides prime zlib before the first header (SPDY/3 section 2.6.10.1): words with a 32-bit length each, then running text.
/// 1,423 bytes, Adler-32 e3c6a7c2.
/// </summary>
internal static class SpdyDictionary
{
    public const uint Adler32 = 0xe3c6a7c2;

    private const string Words =
        "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|accept-ranges|age|allow|authorization|" +
        "cache-control|connection|content-base|content-encoding|content-language|content-length|content-location|content-md5|content-range|" +
        "content-type|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|" +
        "location|max-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer|transfer-encoding|" +
        "upgrade|user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|keep-alive|origin";

    private const string Tail =
        "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
        "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found" +
        "500 Internal Server Error501 Not Implemented503 Service Unavailable" +
        "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
        "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public" +
        "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

    private static readonly Lazy<byte[]> Built = new(Build);

    public static ReadOnlySpan<byte> Bytes => Built.Value;

    private static byte[] Build()
    {
        var text = new MemoryStream(1423);
        Span<byte> length = stackalloc byte[4];
        foreach (var word in Words.Split('|'))
        {
            BinaryPrimitives.WriteInt32BigEndian(length, word.Length);
            text.Write(length);
            text.Write(Encoding.ASCII.GetBytes(word));
        }

        text.Write(Encoding.ASCII.GetBytes(Tail));
        return text.ToArray();
    }
}
