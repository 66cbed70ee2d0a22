using System.Buffers.Binary;
using System.Globalization;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Streaming.Spdy;

namespace Plumb.Api.Streaming.Forwarding;

/// <summary>`…/pods/NAME/portforward`: SPDY, SPDY inside WebSocket messages (KEP-4006, kubectl since 1.31), or WebSocket channels for ports named in the query.</summary>
internal static class PortForwardEndpoint
{
    private const string Spdy = "portforward.k8s.io";
    private const string Tunnel = "SPDY/3.1+portforward.k8s.io";
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(10);
    private static readonly string[] WebSocketProtocols = [Tunnel, "v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"];

    public static async Task ServeAsync(HttpContext http, PodIdentity pod, IPodRuntime runtime, TimeProvider time)
    {
        if (StreamUpgrade.IsSpdy(http))
        {
            if (await StreamUpgrade.ToSpdyAsync(http, [Spdy], Spdy) is var (transport, _))
                await new PortForwardSession(pod, runtime).RunAsync(transport);
        }
        else if (!StreamUpgrade.IsWebSocket(http))
        {
            await StreamUpgrade.RefuseAsync(http);
        }
        else if (http.Request.Headers.SecWebSocketProtocol.ToString().Contains(Tunnel, StringComparison.Ordinal))
        {
            if (await StreamUpgrade.ToWebSocketAsync(http, [Tunnel], null) is var (socket, _))
                await new PortForwardSession(pod, runtime).RunAsync(WebSocketStream.Create(socket, WebSocketMessageType.Binary, CloseTimeout));
        }
        else
        {
            await ServeChannelsAsync(http, pod, runtime, time);
        }
    }

    /// <summary>Each port of the query has two channels, for data and for errors; the first message on both holds the port, little-endian.</summary>
    private static async Task ServeChannelsAsync(HttpContext http, PodIdentity pod, IPodRuntime runtime, TimeProvider time)
    {
        var ports = new List<int>();
        foreach (var value in http.Request.Query["ports"])
        {
            foreach (var text in (value ?? "").Split(','))
            {
                if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
                {
                    await StatusAnswer.SendAsync(http, PodStreamException.BadRequest($"ports: \"{text}\" is not a port, 1-65535"));
                    return;
                }

                ports.Add(port);
            }
        }

        if (ports.Count is 0 or > 64)
        {
            await StatusAnswer.SendAsync(http, PodStreamException.BadRequest("query parameter \"ports\" is required, with at most 64 of them"));
            return;
        }

        if (await StreamUpgrade.ToWebSocketAsync(http, WebSocketProtocols, "channel.k8s.io") is not var (socket, protocol))
            return;
        using var channels = new WebSocketChannels(socket, protocol, channelCount: ports.Count * 2);
        var forwards = new List<Task>();
        var inputs = new List<Stream>();
        for (var i = 0; i < ports.Count; i++)
            inputs.Add(channels.OpenRead((byte)(2 * i)));
        var running = channels.RunAsync();
        for (var i = 0; i < ports.Count; i++)
            forwards.Add(ForwardChannelAsync(channels, i, inputs[i], ports[i], pod, runtime));
        await Task.WhenAll(forwards);
        await channels.CloseAsync(running, time);
    }

    private static async Task ForwardChannelAsync(
        WebSocketChannels channels, int index, Stream input, int port, PodIdentity pod, IPodRuntime runtime)
    {
        var (data, error) = (channels.OpenWrite((byte)(2 * index)), channels.OpenWrite((byte)((2 * index) + 1)));
        try
        {
            var number = new byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)port);
            await data.WriteAsync(number, channels.Gone);
            await error.WriteAsync(number, channels.Gone);
            await PodConnection.ForwardAsync(pod, port, runtime, input, data, error, static () => ValueTask.CompletedTask, channels.Gone);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
        }
    }
}
