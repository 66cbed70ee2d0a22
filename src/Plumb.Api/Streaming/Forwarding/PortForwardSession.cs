using System.Globalization;
using Plumb.Api.Streaming.Spdy;

namespace Plumb.Api.Streaming.Forwarding;

/// <summary>A `kubectl port-forward`: for each connection that it accepted the client opens an error stream and a data stream with one `requestid`.</summary>
internal sealed class PortForwardSession(PodIdentity pod, IPodRuntime runtime)
{
    private readonly Dictionary<string, SpdyStream> waiting = [];
    private readonly List<Task> forwards = [];

    public async Task RunAsync(Stream transport)
    {
        using var connection = new SpdyConnection(transport);
        var running = connection.RunAsync();
        await foreach (var stream in connection.Accepted.ReadAllAsync())
            await TakeAsync(stream, connection.Gone);
        await Task.WhenAll(forwards);
        await running;
        await transport.DisposeAsync();
    }

    private async ValueTask TakeAsync(SpdyStream stream, CancellationToken gone)
    {
        var kind = stream.Headers.GetValueOrDefault("streamtype");
        if (kind is not ("data" or "error")
            || !ushort.TryParse(stream.Headers.GetValueOrDefault("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            await stream.ResetAsync(SpdyReset.ProtocolError);
            return;
        }

        // Clients older than the header open the two streams one right after the other.
        var request = stream.Headers.GetValueOrDefault("requestid") ?? $"stream {(kind == "error" ? stream.Id : stream.Id - 2)}";
        if (!waiting.Remove(request, out var other))
        {
            waiting.Add(request, stream);
            return;
        }

        if (other.Headers["streamtype"] == kind)
        {
            await stream.ResetAsync(SpdyReset.StreamInUse);
            waiting.Add(request, other);
            return;
        }

        if (forwards.Count > 64)
            forwards.RemoveAll(static forward => forward.IsCompletedSuccessfully);
        forwards.Add(kind == "data" ? ForwardAsync(stream, other, port, gone) : ForwardAsync(other, stream, port, gone));
    }

    private async Task ForwardAsync(SpdyStream data, SpdyStream error, int port, CancellationToken gone)
    {
        error.DiscardInput();
        try
        {
            await PodConnection.ForwardAsync(pod, port, runtime, data, data, error, data.EndAsync, gone);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
            await data.ResetAsync(SpdyReset.Cancel);
        }

        await error.EndAsync();
        await data.EndAsync();
        data.DiscardInput();
    }
}
