using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Plumb.Api.Streaming;

/// <summary>The two ways in which clients leave HTTP: SPDY/3.1 (all of kubectl until 1.30, and its fall-back since) and WebSocket (RFC 6455).</summary>
internal static class StreamUpgrade
{
    private const string SpdyToken = "SPDY/3.1";
    private const string ProtocolHeader = "X-Stream-Protocol-Version";
    private const string AcceptedHeader = "X-Accepted-Stream-Protocol-Versions";
    private const string WebSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    public static bool IsSpdy(HttpContext http) => Upgrades(http, SpdyToken);

    public static bool IsWebSocket(HttpContext http) => Upgrades(http, "websocket");

    /// <param name="supported">Protocols, best first.</param>
    /// <param name="whenUnnamed">What a client means that names none; null refuses it.</param>
    /// <returns>Null when the request was refused; it is answered then.</returns>
    public static async Task<(Stream Transport, string Protocol)?> ToSpdyAsync(HttpContext http, string[] supported, string? whenUnnamed)
    {
        var offered = Values(http.Request.Headers[ProtocolHeader]);
        var protocol = Choose(offered, supported) ?? (offered.Count == 0 ? whenUnnamed : null);
        if (protocol is null)
        {
            http.Response.Headers[AcceptedHeader] = new StringValues(supported);
            await StatusAnswer.SendAsync(http, new PodStreamException(
                403, "Forbidden", $"unable to upgrade: unable to negotiate protocol: client supports [{string.Join(' ', offered)}], server supports [{string.Join(' ', supported)}]"));
            return null;
        }

        http.Response.Headers.Upgrade = SpdyToken;
        if (offered.Count > 0)
            http.Response.Headers[ProtocolHeader] = protocol;
        return (await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync(), protocol);
    }

    /// <inheritdoc cref="ToSpdyAsync"/>
    public static async Task<(WebSocket Socket, string Protocol)?> ToWebSocketAsync(HttpContext http, string[] supported, string? whenUnnamed)
    {
        var request = http.Request.Headers;
        var offered = Values(request.SecWebSocketProtocol);
        var protocol = Choose(offered, supported) ?? (offered.Count == 0 ? whenUnnamed : null);
        if (protocol is null)
        {
            var base64 = offered.FirstOrDefault(static name => name.Contains("base64", StringComparison.Ordinal));
            var why = base64 is not null ? $"the subprotocol {base64} is not served: its base64 text costs a third more than bytes" : $"none of the subprotocols [{string.Join(' ', offered)}] is served";
            await StatusAnswer.SendAsync(http, PodStreamException.BadRequest($"unable to upgrade: {why}; use one of [{string.Join(' ', supported)}]"));
            return null;
        }

        var key = request.SecWebSocketKey.ToString();
        if (request.SecWebSocketVersion != "13" || !IsKey(key))
        {
            http.Response.Headers.SecWebSocketVersion = "13";
            await StatusAnswer.SendAsync(http, PodStreamException.BadRequest("unable to upgrade: WebSocket version 13 with a 16-byte Sec-WebSocket-Key is needed"));
            return null;
        }

        http.Response.Headers.Upgrade = "websocket";
        http.Response.Headers.SecWebSocketAccept = Accept(key);
        if (offered.Count > 0)
            http.Response.Headers.SecWebSocketProtocol = protocol;
        var stream = await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        // kubectl's name for tunnelled SPDY has a slash, which .NET refuses in a subprotocol: the header above is all that the client sees of it.
        return (WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.FromSeconds(30) }), protocol);
    }

    public static Task RefuseAsync(HttpContext http) =>
        StatusAnswer.SendAsync(http, PodStreamException.BadRequest("Upgrade request required"));

    private static bool Upgrades(HttpContext http, string token) =>
        http.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        && http.Request.Headers.Upgrade.ToString().Contains(token, StringComparison.OrdinalIgnoreCase);

    private static string? Choose(List<string> offered, string[] supported)
    {
        foreach (var protocol in supported)
        {
            if (offered.Contains(protocol))
                return protocol;
        }

        return null;
    }

    private static List<string> Values(StringValues header)
    {
        var values = new List<string>();
        foreach (var line in header)
        {
            if (line is not null)
                values.AddRange(line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }

        return values;
    }

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[16];
        return Convert.TryFromBase64String(key, bytes, out var length) && length == 16;
    }

#pragma warning disable CA5350 // RFC 6455 section 4.2.2 names SHA-1; it proves that WebSocket is spoken, nothing more.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + WebSocketGuid)));
#pragma warning restore CA5350
}
