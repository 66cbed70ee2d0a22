using System.Net.WebSockets;

namespace Plumb.Api.Streaming.Commands;

/// <summary>Channels 0 to 4: standard input, output, error, the error channel with the last words, resizes.</summary>
internal sealed class WebSocketCommandWire : ICommandWire
{
    private const byte StdinChannel = 0, StdoutChannel = 1, StderrChannel = 2, ErrorChannel = 3, ResizeChannel = 4;

    private readonly WebSocketChannels channels;
    private readonly Stream error;
    private Task running = Task.CompletedTask;

    private WebSocketCommandWire(WebSocketChannels channels, string protocol, CommandAsk ask)
    {
        this.channels = channels;
        Stdin = ask.Stdin ? channels.OpenRead(StdinChannel) : null;
        Stdout = ask.Stdout ? channels.OpenWrite(StdoutChannel) : null;
        Stderr = ask.Stderr ? channels.OpenWrite(StderrChannel) : null;
        Resizes = ask.Terminal ? channels.OpenRead(ResizeChannel) : null;
        error = channels.OpenWrite(ErrorChannel);
        EndsWithStatus = protocol != "channel.k8s.io";
    }

    public Stream? Stdin { get; }

    public Stream? Stdout { get; }

    public Stream? Stderr { get; }

    public Stream? Resizes { get; }

    public bool EndsWithStatus { get; }

    public CancellationToken ClientGone => channels.Gone;

    public static async Task ServeAsync(WebSocket socket, string protocol, CommandAsk ask, Func<ICommandWire, Task> serve)
    {
        using var channels = new WebSocketChannels(socket, protocol, channelCount: 5);
        var wire = new WebSocketCommandWire(channels, protocol, ask);
        wire.running = channels.RunAsync();
        await serve(wire);
        await wire.running;
    }

    public async Task FinishAsync(ReadOnlyMemory<byte> lastWords, TimeProvider time)
    {
        try
        {
            if (!lastWords.IsEmpty)
                await error.WriteAsync(lastWords, ClientGone);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
        }

        await channels.CloseAsync(running, time);
    }
}
