using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Streaming;

namespace Plumb.Api.Tests.Streaming;

/// <summary>WebSocket as clients other than kubectl speak it.</summary>
public sealed class WebSocketStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("v5.channel.k8s.io")]
    [InlineData("v4.channel.k8s.io")]
    public async Task The_last_words_are_a_status_object_on_channel_three(string protocol)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var socket = await ConnectAsync(server, "exec?command=sh&command=-c&command=echo+hi;exit+5&stdout=true&stderr=true", protocol);
        var channels = await ReadToEndAsync(socket);
        Assert.Equal("hi\n", channels[1]);
        Assert.Contains("\"reason\":\"NonZeroExitCode\"", channels[3], StringComparison.Ordinal);
        Assert.Contains("{\"reason\":\"ExitCode\",\"message\":\"5\"}", channels[3], StringComparison.Ordinal);
        Assert.Equal(protocol, socket.SubProtocol);
    }

    [Fact]
    public async Task Version_five_ends_the_input_with_a_close_message()
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var socket = await ConnectAsync(server, "exec?command=cat&stdin=true&stdout=true", "v5.channel.k8s.io");
        await socket.SendAsync("\0hel"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: false, Cancel);
        await socket.SendAsync("lo"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Cancel);
        await socket.SendAsync(new byte[] { 255, 0 }, WebSocketMessageType.Binary, endOfMessage: true, Cancel);
        var channels = await ReadToEndAsync(socket);
        Assert.Equal("hello", channels[1]);
        Assert.Contains("\"status\":\"Success\"", channels[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base64.channel.k8s.io", "the subprotocol base64.channel.k8s.io is not served")]
    [InlineData("v4.base64.channel.k8s.io", "the subprotocol v4.base64.channel.k8s.io is not served")]
    [InlineData("v9.channel.k8s.io", "none of the subprotocols [v9.channel.k8s.io] is served")]
    public async Task A_subprotocol_that_is_not_served_is_refused_by_name(string protocol, string words)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var (status, body) = await UpgradeAsync(server, "GET", "exec?command=true&stdout=true", $"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n");
        Assert.Equal("HTTP/1.1 400 Bad Request", status);
        Assert.Contains(words, body, StringComparison.Ordinal);
        Assert.Contains("use one of [v5.channel.k8s.io v4.channel.k8s.io channel.k8s.io]", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "exec?command=true&stdout=true", "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v9.channel.k8s.io\r\n", "403 Forbidden", "client supports [v9.channel.k8s.io], server supports [v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]")]
    [InlineData("POST", "exec?command=true", "Upgrade: SPDY/3.1\r\n", "400 Bad Request", "you must specify at least 1 of stdin, stdout, stderr")]
    [InlineData("POST", "exec?stdout=true", "Upgrade: SPDY/3.1\r\n", "400 Bad Request", "you must specify at least one command for the container")]
    [InlineData("GET", "exec?command=true&stdout=true", "Upgrade: websocket\r\n", "400 Bad Request", "WebSocket version 13")]
    [InlineData("GET", "portforward", "Upgrade: websocket\r\n", "400 Bad Request", "query parameter \\u0022ports\\u0022 is required")]
    [InlineData("GET", "portforward?ports=80&ports=x", "Upgrade: websocket\r\n", "400 Bad Request", "is not a port, 1-65535")]
    public async Task A_request_that_cannot_be_served_is_answered_before_the_upgrade(string method, string path, string headers, string status, string words)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var (line, body) = await UpgradeAsync(server, method, path, headers);
        Assert.Equal("HTTP/1.1 " + status, line);
        Assert.Contains(words, body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exec?command=true&stdout=true")]
    [InlineData("attach?stdout=true")]
    [InlineData("portforward")]
    public async Task A_request_without_an_upgrade_is_told_so(string path)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var client = new HttpClient();
        var answer = await client.PostAsync(new Uri($"{server.Url}/api/v1/namespaces/default/pods/p/{path}"), null, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("Upgrade request required", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tailLines=-1", 422, "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("limitBytes=0&sinceSeconds=0", 422, "is invalid: [limitBytes: Invalid value: 0: must be greater than 0, sinceSeconds: Invalid value: 0: must be greater than 0]")]
    [InlineData("tailLines=x", 400, "is not a whole number")]
    [InlineData("sinceTime=yesterday", 400, "is not a time as in RFC 3339")]
    [InlineData("sinceTime=2026-01-01T00:00:00Z&sinceSeconds=5", 422, "at most one of `sinceTime` or `sinceSeconds`")]
    [InlineData("container=other", 400, "container other is not valid for pod p")]
    public async Task Log_options_that_make_no_sense_are_refused(string query, int status, string words)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var client = new HttpClient();
        var answer = await client.GetAsync(new Uri($"{server.Url}/api/v1/namespaces/default/pods/p/log?{query}"), Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(words, (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("binary.k8s.io")]
    [InlineData(null)]
    public async Task A_log_comes_in_messages(string? protocol)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var socket = new ClientWebSocket();
        if (protocol is not null)
            socket.Options.AddSubProtocol(protocol);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/api/v1/namespaces/default/pods/p/log?follow=true"), Cancel);
        Assert.Equal(protocol, socket.SubProtocol);
        var log = "";
        var buffer = new byte[100];
        while (await socket.ReceiveAsync(buffer.AsMemory(), Cancel) is { MessageType: WebSocketMessageType.Binary } part)
            log += Encoding.UTF8.GetString(buffer, 0, part.Count);
        Assert.Equal(("one\ntwo\nthree\n", WebSocketCloseStatus.NormalClosure), (log, socket.CloseStatus));
    }

    [Fact]
    public async Task Ports_named_in_the_query_are_forwarded_on_pairs_of_channels()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = (ushort)((IPEndPoint)listener.LocalEndpoint).Port;
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var socket = await ConnectAsync(server, $"portforward?ports={port}", "v4.channel.k8s.io");
        using var accepted = await listener.AcceptSocketAsync(Cancel);
        await accepted.SendAsync("from the pod"u8.ToArray(), Cancel);
        await socket.SendAsync("\0from the client"u8.ToArray(), WebSocketMessageType.Binary, true, Cancel);
        var buffer = new byte[100];
        Assert.Equal("from the client", Encoding.ASCII.GetString(buffer, 0, await accepted.ReceiveAsync(buffer, Cancel)));
        var seen = new Dictionary<int, string>();
        while (!seen.GetValueOrDefault(0, "").EndsWith("from the pod", StringComparison.Ordinal))
        {
            var message = await socket.ReceiveAsync(buffer.AsMemory(), Cancel);
            seen[buffer[0]] = seen.GetValueOrDefault(buffer[0], "") + Encoding.Latin1.GetString(buffer, 1, message.Count - 1);
        }

        // Both channels of a port begin with its number, little-endian.
        var number = $"{(char)(port & 0xff)}{(char)(port >> 8)}";
        Assert.Equal((number + "from the pod", number), (seen[0], seen[1]));
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Cancel);
        Assert.Empty(await ReadToEndAsync(socket));
        Assert.Equal(0, await accepted.ReceiveAsync(buffer, Cancel));
    }

    private static async Task<ClientWebSocket> ConnectAsync(BareServer server, string path, string protocol)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/api/v1/namespaces/default/pods/p/{path}"), Cancel);
        return socket;
    }

    /// <summary>All that came on each channel until the server closed, a byte a character.</summary>
    private static async Task<Dictionary<int, string>> ReadToEndAsync(ClientWebSocket socket)
    {
        var channels = new Dictionary<int, string>();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), Cancel) is { MessageType: WebSocketMessageType.Binary } message)
        {
            Assert.True(message.EndOfMessage);
            channels[buffer[0]] = channels.GetValueOrDefault(buffer[0], "") + Encoding.Latin1.GetString(buffer, 1, message.Count - 1);
        }

        if (socket.State == WebSocketState.CloseReceived)
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Cancel);
        return channels;
    }

    private static async Task<(string Status, string Body)> UpgradeAsync(BareServer server, string method, string path, string headers)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{server.Url}/api/v1/namespaces/default/pods/p/{path}");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        foreach (var header in headers.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
            request.Headers.TryAddWithoutValidation(header[..header.IndexOf(':', StringComparison.Ordinal)], header[(header.IndexOf(':', StringComparison.Ordinal) + 2)..]);
        using var answer = await client.SendAsync(request, Cancel);
        return ($"HTTP/1.1 {(int)answer.StatusCode} {answer.ReasonPhrase}", await answer.Content.ReadAsStringAsync(Cancel));
    }
}
