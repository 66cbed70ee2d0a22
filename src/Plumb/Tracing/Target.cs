using Plumb.CommandLine;

namespace Plumb.Tracing;

/// <summary>What a packet is sent to, as it was typed.</summary>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">Null: not said.</param>
/// <param name="Path">Of a URL; null: it was none.</param>
internal sealed record Target(string Host, ushort? Port, string? Scheme, string? Path = null)
{
    /// <exception cref="UsageException">It is nothing that could be sent to.</exception>
    public static Target Parse(string text)
    {
        var (rest, scheme, path) = (text, (string?)null, (string?)null);
        var at = text.IndexOf("://", StringComparison.Ordinal);
        if (at >= 0)
        {
            scheme = text[..at].ToLowerInvariant();
            rest = text[(at + 3)..];
            var end = rest.IndexOfAny(['/', '?', '#']);
            path = end < 0 ? "/" : rest[end] == '/' ? rest[end..].Split('#')[0] : $"/{rest[end..].Split('#')[0]}";
            rest = end < 0 ? rest : rest[..end];
        }
        ushort? port = scheme switch
        {
            null => null,
            "http" => 80,
            "https" => 443,
            _ => throw new UsageException($"DST: '{scheme}' is not a scheme that is known here: http, https"),
        };
        var host = rest;
        if (rest.StartsWith('[') && rest.IndexOf(']', StringComparison.Ordinal) is > 0 and var bracket)
        {
            host = rest[1..bracket];
            port = bracket + 1 < rest.Length ? Number(rest[(bracket + 1)..], text) : port;
        }
        else if (rest.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon && colon == rest.LastIndexOf(':'))
        {
            host = rest[..colon];
            port = Number(rest[colon..], text);
        }
        return host.Length == 0 ? throw new UsageException($"DST: '{text}' names nobody") : new Target(host, port, scheme, path);
    }

    private static ushort Number(string colonAndPort, string text) =>
        colonAndPort.Length > 1 && ushort.TryParse(colonAndPort.AsSpan(1), System.Globalization.NumberStyles.None, null, out var port) && port != 0
            ? port
            : throw new UsageException($"DST: '{text}' has no port from 1 to 65535 after its colon");
}
