using System.Text.Json;
using System.Threading.Channels;

namespace Plumb.Api.Streaming.Commands;

/// <summary>Reads the resize stream: objects `{"Width":80,"Height":24}` one after another, with or without white space between them.</summary>
internal sealed class TerminalResizes
{
    private const int MaxObjectBytes = 256;

    // Only the newest sizes matter: a program that does not look for a while misses the ones between.
    private readonly Channel<TerminalSize> sizes =
        Channel.CreateBounded<TerminalSize>(new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true });

    public TerminalResizes(Stream stream, CancellationToken cancel) => Ended = RunAsync(stream, cancel);

    public ChannelReader<TerminalSize> Sizes => sizes.Reader;

    /// <summary>Never faults.</summary>
    public Task Ended { get; }

    private async Task RunAsync(Stream stream, CancellationToken cancel)
    {
        try
        {
            var pending = new byte[MaxObjectBytes];
            var length = 0;
            while (await stream.ReadAsync(pending.AsMemory(length), cancel) is var read and > 0)
            {
                length += read;
                for (int end; (end = pending.AsSpan(0, length).IndexOf((byte)'}')) >= 0;)
                {
                    if (Parse(pending.AsMemory(0, end + 1)) is { } size)
                        sizes.Writer.TryWrite(size);
                    length -= end + 1;
                    pending.AsSpan(end + 1, length).CopyTo(pending);
                }

                if (length == MaxObjectBytes)
                    break;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
        finally
        {
            sizes.Writer.TryComplete();
        }
    }

    /// <returns>Null for what is no size: a terminal of 0 columns is how some clients say that they have none.</returns>
    internal static TerminalSize? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.TryGetProperty("Width", out var width) && width.TryGetUInt16(out var columns) && columns > 0
                && document.RootElement.TryGetProperty("Height", out var height) && height.TryGetUInt16(out var rows) && rows > 0
                ? new TerminalSize(columns, rows)
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
