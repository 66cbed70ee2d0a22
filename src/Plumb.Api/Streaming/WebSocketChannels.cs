using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace Plumb.Api.Streaming;

/// <summary>
/// The subprotocols `v5.channel.k8s.io`, `v4.channel.k8s.io` and `channel.k8s.io`: each binary message begins with the number of its channel.
/// In v5 a message of 255 and a number ends that channel (KEP-4006).
/// </summary>
internal sealed class WebSocketChannels : IDisposable
{
    private const int MaxMessageBytes = 32 * 1024;
    private const byte CloseChannel = 255;
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    // kubectl begins to read before it has made its streams, and throws away what comes for one that is not there yet: a real server's kubelet is never so near.
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(10);

    private readonly WebSocket socket;
    private readonly bool canClose;
    private readonly Incoming?[] channels;
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly CancellationTokenSource gone = new();
    private readonly Task headStart = Task.Delay(HeadStart);

    public WebSocketChannels(WebSocket socket, string protocol, int channelCount)
    {
        this.socket = socket;
        canClose = protocol.StartsWith("v5.", StringComparison.Ordinal);
        channels = new Incoming?[channelCount];
    }

    public CancellationToken Gone => gone.Token;

    /// <summary>Call before <see cref="RunAsync"/>; what comes on channels that nobody opened is dropped.</summary>
    public Stream OpenRead(byte channel)
    {
        var incoming = new Incoming();
        channels[channel] = incoming;
        return incoming.Pipe.Reader.AsStream();
    }

    public Stream OpenWrite(byte channel) => new ChannelWriter(this, channel);

    /// <summary>Reads messages until the client is gone; never throws.</summary>
    public async Task RunAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxMessageBytes);
        Exception? why = null;
        try
        {
            int? channel = null;
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), gone.Token);
                if (part.MessageType == WebSocketMessageType.Close)
                    break;
                var bytes = buffer.AsMemory(0, part.Count);
                if (channel is null && !bytes.IsEmpty)
                {
                    channel = bytes.Span[0];
                    bytes = bytes[1..];
                }

                if (channel == CloseChannel && canClose)
                {
                    if (!bytes.IsEmpty)
                        Find(bytes.Span[0])?.End(null);
                }
                else if (channel is { } number && !bytes.IsEmpty && Find(number) is { } to)
                {
                    await to.WriteAsync(bytes, gone.Token);
                }

                if (part.EndOfMessage)
                    channel = null;
            }
        }
        catch (Exception error) when (IsDisconnect(error))
        {
            why = new IOException("the connection to the client was lost: " + error.Message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            foreach (var incoming in channels)
                incoming?.End(why);
            await gone.CancelAsync();
        }
    }

    /// <summary>Says goodbye and waits until <paramref name="running"/>, the task of <see cref="RunAsync"/>, has heard the client's.</summary>
    public async Task CloseAsync(Task running, TimeProvider time)
    {
        try
        {
            // A client that said goodbye first still waits for ours.
            using var late = new CancellationTokenSource(Linger, time);
            await writing.WaitAsync(late.Token);
            try
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", late.Token);
            }
            finally
            {
                writing.Release();
            }
        }
        catch (Exception error) when (IsDisconnect(error))
        {
        }

        // What still comes is of no use to anyone, but it must be read for the client's goodbye to be.
        foreach (var incoming in channels)
            incoming?.Discard();
        await running.WaitAsync(Linger, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        socket.Abort();
        await running;
    }

    public void Dispose()
    {
        gone.Dispose();
        writing.Dispose();
        socket.Dispose();
    }

    private Incoming? Find(int channel) => channel < channels.Length ? channels[channel] : null;

    private static bool IsDisconnect(Exception error) =>
        error is IOException or OperationCanceledException or ObjectDisposedException or WebSocketException;

    private async ValueTask SendAsync(byte channel, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await headStart;
        do
        {
            var count = Math.Min(bytes.Length, MaxMessageBytes - 1);
            var message = ArrayPool<byte>.Shared.Rent(1 + count);
            try
            {
                message[0] = channel;
                bytes.Span[..count].CopyTo(message.AsSpan(1));
                await writing.WaitAsync(cancel);
                try
                {
                    // A cancelled send aborts the socket: only the client's end may do that.
                    await socket.SendAsync(message.AsMemory(0, 1 + count), WebSocketMessageType.Binary, true, gone.Token);
                }
                finally
                {
                    writing.Release();
                }
            }
            catch (Exception error) when (error is not IOException && IsDisconnect(error) && !cancel.IsCancellationRequested)
            {
                throw new IOException("the client is gone", error);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(message);
            }

            bytes = bytes[count..];
        }
        while (!bytes.IsEmpty);
    }

    private sealed class Incoming
    {
        private const int BufferBytes = 256 * 1024;
        private bool ended;
        private int discarded;

        public Pipe Pipe { get; } = new(new PipeOptions(pauseWriterThreshold: BufferBytes, resumeWriterThreshold: BufferBytes / 2, useSynchronizationContext: false));

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
        {
            if (!ended)
                await Pipe.Writer.WriteAsync(bytes, cancel);
        }

        public void End(Exception? why)
        {
            if (!ended)
                Pipe.Writer.Complete(why);
            ended = true;
        }

        public void Discard()
        {
            if (Interlocked.Exchange(ref discarded, 1) == 0)
                Pipe.Reader.Complete();
        }
    }

    private sealed class ChannelWriter(WebSocketChannels owner, byte channel) : WriteOnlyStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            owner.SendAsync(channel, buffer, cancellationToken);
    }
}
