using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Plumb.Diagnosis.Observe;

/// <summary>A URL to be asked for once the connection stands.</summary>
/// <param name="Host">As it was typed: a server may answer by it.</param>
/// <param name="Path">With a slash in front, and with query.</param>
/// <param name="IsTls">https</param>
public sealed record UrlQuestion(string Host, string Path, bool IsTls);

/// <summary>What becomes of a request when the connection stands: TLS, then the first line of HTTP/1.1 (RFC 9112).</summary>
internal static class UrlTalk
{
    private const int MostLineBytes = 1024;

    public static async Task<ProbeEnd> AskAsync(Socket connected, UrlQuestion asked, TimeProvider time, CancellationToken cancel)
    {
        TlsReport? tls = null;
        try
        {
            Stream? stream = new NetworkStream(connected);
            if (asked.IsTls)
            {
                (tls, stream) = await TlsTalk.ShakeHandsAsync(stream, asked.Host, [], time, cancel);
            }
            if (stream is null)
            {
                return new ProbeEnd(ProbeAnswer.Answered, "connected, and then no TLS") { Tls = tls };
            }
            await using (stream)
            {
                return await StatusAsync(stream, asked, cancel) with { Tls = tls };
            }
        }
        catch (IOException broken)
        {
            return new ProbeEnd(ProbeAnswer.Answered, $"connected, and then: {(broken.InnerException ?? broken).Message}") { Tls = tls };
        }
        catch (OperationCanceledException)
        {
            return new ProbeEnd(ProbeAnswer.Answered, $"connected, and then no answer to the {(asked.IsTls && tls is null ? "handshake" : "request")}") { Tls = tls };
        }
    }

    private static async Task<ProbeEnd> StatusAsync(Stream stream, UrlQuestion asked, CancellationToken cancel)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {asked.Path} HTTP/1.1\r\nHost: {asked.Host}\r\nConnection: close\r\nUser-Agent: plumb-trace\r\n\r\n"), cancel);
        var buffer = new byte[MostLineBytes];
        var length = await stream.ReadAtLeastAsync(buffer, "HTTP/1.1 200".Length, throwOnEndOfStream: false, cancel);
        var words = Encoding.ASCII.GetString(buffer, 0, length).Split([' ', '\r', '\n'], 3);
        return words.Length > 1 && words[0].StartsWith("HTTP/", StringComparison.Ordinal) && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            ? new ProbeEnd(ProbeAnswer.Answered, null, status)
            : new ProbeEnd(ProbeAnswer.Answered, "the answer is no HTTP");
    }
}
