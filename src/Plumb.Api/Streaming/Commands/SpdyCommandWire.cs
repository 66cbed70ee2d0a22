using Plumb.Api.Streaming.Spdy;

namespace Plumb.Api.Streaming.Commands;

/// <summary>One SPDY stream for each of standard input, output and error, the last words and the resizes; its header `streamtype` says which.</summary>
internal sealed class SpdyCommandWire : ICommandWire
{
    private static readonly TimeSpan StreamsTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    private readonly SpdyConnection connection;
    private readonly Dictionary<string, SpdyStream> streams;
    private readonly Task running;

    private SpdyCommandWire(SpdyConnection connection, Task running, Dictionary<string, SpdyStream> streams, string protocol)
    {
        this.connection = connection;
        this.running = running;
        this.streams = streams;
        EndsWithStatus = protocol == "v4.channel.k8s.io";
    }

    public Stream? Stdin => streams.GetValueOrDefault("stdin");

    public Stream? Stdout => streams.GetValueOrDefault("stdout");

    public Stream? Stderr => streams.GetValueOrDefault("stderr");

    public Stream? Resizes => streams.GetValueOrDefault("resize");

    public bool EndsWithStatus { get; }

    public CancellationToken ClientGone => connection.Gone;

    public static async Task ServeAsync(Stream transport, string protocol, CommandAsk ask, TimeProvider time, Func<ICommandWire, Task> serve)
    {
        using var connection = new SpdyConnection(transport);
        var running = connection.RunAsync();
        if (await CollectAsync(connection, Expected(ask, protocol), time) is { } streams)
        {
            await serve(new SpdyCommandWire(connection, running, streams, protocol));
        }
        else
        {
            await connection.SendGoAwayAsync(1);
        }

        // Closing the transport is what ends the reading when the client does not.
        await transport.DisposeAsync();
        await running;
    }

    public async Task FinishAsync(ReadOnlyMemory<byte> lastWords, TimeProvider time)
    {
        try
        {
            foreach (var (name, stream) in streams)
            {
                if (name is "stdout" or "stderr")
                    await stream.EndAsync();
            }

            if (!lastWords.IsEmpty)
                await streams["error"].WriteAsync(lastWords, ClientGone);
            await streams["error"].EndAsync();
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
        }

        foreach (var stream in streams.Values)
            stream.DiscardInput();
        await connection.SendGoAwayAsync(0);
        await running.WaitAsync(Linger, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static HashSet<string> Expected(CommandAsk ask, string protocol)
    {
        var names = new HashSet<string> { "error" };
        if (ask.Stdin)
            names.Add("stdin");
        if (ask.Stdout)
            names.Add("stdout");
        if (ask.Stderr)
            names.Add("stderr");
        if (ask.Terminal && protocol is "v4.channel.k8s.io" or "v3.channel.k8s.io")
            names.Add("resize");
        return names;
    }

    /// <returns>Null when the client went away or was too slow.</returns>
    private static async Task<Dictionary<string, SpdyStream>?> CollectAsync(SpdyConnection connection, HashSet<string> expected, TimeProvider time)
    {
        var streams = new Dictionary<string, SpdyStream>();
        using var late = new CancellationTokenSource(StreamsTimeout, time);
        try
        {
            while (streams.Count < expected.Count)
            {
                var stream = await connection.Accepted.ReadAsync(late.Token);
                var name = stream.Headers.GetValueOrDefault("streamtype") ?? "";
                if (!expected.Contains(name) || !streams.TryAdd(name, stream))
                    await stream.ResetAsync(SpdyReset.RefusedStream);
            }

            return streams;
        }
        catch (Exception error) when (error is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            return null;
        }
    }
}
