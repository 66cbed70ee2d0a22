using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Streaming;

/// <summary>What would be an answer's body, as binary messages over WebSocket (subprotocol `binary.k8s.io`): a program in a browser can read those as they come.</summary>
internal sealed class WebSocketOutput(WebSocket socket) : WriteOnlyStream
{
    private const string Binary = "binary.k8s.io";

    /// <param name="write">Is cancelled when the client goes. A refusal of its is thrown before anything is written, and ends the connection.</param>
    public static async Task ServeAsync(HttpContext http, Func<Stream, CancellationToken, Task> write)
    {
        if (await StreamUpgrade.ToWebSocketAsync(http, [Binary], Binary) is not var (socket, _))
            return;
        using (socket)
        {
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            var reading = UntilClosedAsync(socket, gone);
            try
            {
                await using var output = new WebSocketOutput(socket);
                await write(output, gone.Token);
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, gone.Token);
            }
            catch (PodStreamException refusal)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.InternalServerError, refusal.Message[..Math.Min(100, refusal.Message.Length)], CancellationToken.None);
            }
            catch (Exception left) when (left is WebSocketException or IOException or OperationCanceledException)
            {
                // The client has closed its page.
            }

            await gone.CancelAsync();
            await reading;
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        socket.SendAsync(buffer, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);

    /// <summary>What the client says is nothing but its end.</summary>
    private static async Task UntilClosedAsync(WebSocket socket, CancellationTokenSource gone)
    {
        var ignored = new byte[256];
        try
        {
            while ((await socket.ReceiveAsync(ignored.AsMemory(), gone.Token)).MessageType != WebSocketMessageType.Close)
            {
            }

            await gone.CancelAsync();
        }
        catch (Exception ended) when (ended is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            await gone.CancelAsync();
        }
    }
}
