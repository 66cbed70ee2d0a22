using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Threading.Channels;

namespace Plumb.Api.Streaming.Spdy;

/// <summary>
/// The server's side of a SPDY/3.1 connection: the client opens streams, both sides send data on them. One task runs <see cref="RunAsync"/>;
/// everything else may be called from anywhere.
/// </summary>
internal sealed class SpdyConnection : IDisposable
{
    private const int MaxControlBytes = 128 * 1024;
    private const int MaxDataBytes = 32 * 1024;
    private const int MaxStreams = 1000;

    private readonly Stream transport;
    private readonly PipeReader input;
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly CancellationTokenSource gone = new();
    private readonly ConcurrentDictionary<uint, SpdyStream> streams = new();
    private readonly Channel<SpdyStream> accepted = Channel.CreateUnbounded<SpdyStream>(new() { SingleWriter = true });
    private readonly SendWindows windows = new();
    private readonly SpdyHeaderReader headerReader = new();
    private readonly SpdyHeaderWriter headerWriter = new();
    private uint lastStreamId;

    public SpdyConnection(Stream transport)
    {
        this.transport = transport;
        input = PipeReader.Create(transport, new StreamPipeReaderOptions(bufferSize: MaxDataBytes, leaveOpen: true));
    }

    /// <summary>Streams in the order in which the client opened them, each answered already; completed when the client is gone.</summary>
    public ChannelReader<SpdyStream> Accepted => accepted.Reader;

    /// <summary>Cancelled when nothing more can be read from the client: it closed, vanished or broke the protocol.</summary>
    public CancellationToken Gone => gone.Token;

    /// <summary>Reads frames until the client is gone. Never throws: how a connection ended changes nothing for those who use its streams.</summary>
    public async Task RunAsync()
    {
        var why = "the client closed the connection";
        try
        {
            while (await ReadFrameAsync())
            {
            }
        }
        catch (SpdyException broken)
        {
            why = "the client broke SPDY/3.1: " + broken.Message;
            await SendGoAwayAsync(1);
        }
        catch (Exception error) when (IsDisconnect(error))
        {
            why = "the connection to the client was lost: " + error.Message;
        }
        finally
        {
            accepted.Writer.TryComplete();
            foreach (var stream in streams.Values)
                stream.EndRemote(new IOException(why));
            await gone.CancelAsync();
            await input.CompleteAsync();
            headerReader.Dispose();
        }
    }

    /// <param name="status">0 for an orderly end, 1 for a protocol error.</param>
    public ValueTask SendGoAwayAsync(uint status) => SendAsync(SpdyFrames.Pair(SpdyType.GoAway, lastStreamId, status));

    public void Dispose()
    {
        gone.Dispose();
        writing.Dispose();
    }

    /// <summary>Sends a whole frame. When the client is gone the frame is dropped: <see cref="RunAsync"/> tells the streams.</summary>
    internal async ValueTask SendAsync(ReadOnlyMemory<byte> frame)
    {
        try
        {
            await WriteFrameAsync(frame);
        }
        catch (Exception error) when (IsDisconnect(error))
        {
        }
    }

    /// <returns>How much of the bytes was sent: one frame's worth, or what the windows allow.</returns>
    internal async ValueTask<int> SendDataAsync(uint streamId, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var count = await windows.TakeAsync(streamId, Math.Min(bytes.Length, MaxDataBytes), cancel);
        var frame = ArrayPool<byte>.Shared.Rent(SpdyFrameHeader.SizeBytes + count);
        try
        {
            // One write for header and payload: over TLS or WebSocket each write is a record of its own.
            new SpdyFrameHeader(null, streamId, 0, count).Write(frame);
            bytes.Span[..count].CopyTo(frame.AsSpan(SpdyFrameHeader.SizeBytes));
            await WriteFrameAsync(frame.AsMemory(0, SpdyFrameHeader.SizeBytes + count));
            return count;
        }
        catch (Exception error) when (error is not IOException && IsDisconnect(error))
        {
            throw new IOException("the client is gone", error);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    internal ValueTask SendFinAsync(uint streamId)
    {
        var frame = new byte[SpdyFrameHeader.SizeBytes];
        new SpdyFrameHeader(null, streamId, SpdyFrameHeader.FlagFin, 0).Write(frame);
        return SendAsync(frame);
    }

    /// <summary>Tells the client that it may send so many bytes more, on the stream (0: on none) and in all.</summary>
    internal async ValueTask SendCreditAsync(uint streamId, int bytes)
    {
        var single = SpdyFrames.Pair(SpdyType.WindowUpdate, 0, (uint)bytes);
        await SendAsync(streamId == 0 ? single : [.. SpdyFrames.Pair(SpdyType.WindowUpdate, streamId, (uint)bytes), .. single]);
    }

    internal void Forget(SpdyStream stream)
    {
        if (streams.TryRemove(stream.Id, out _))
            windows.Close(stream.Id);
    }

    private static bool IsDisconnect(Exception error) =>
        error is IOException or OperationCanceledException or ObjectDisposedException or System.Net.WebSockets.WebSocketException;

    private async ValueTask WriteFrameAsync(ReadOnlyMemory<byte> frame)
    {
        // Only the client's end stops a write: half a frame would garble all that follows.
        await writing.WaitAsync(gone.Token);
        try
        {
            await transport.WriteAsync(frame, gone.Token);
            await transport.FlushAsync(gone.Token);
        }
        finally
        {
            writing.Release();
        }
    }

    private async ValueTask<bool> ReadFrameAsync()
    {
        var read = await input.ReadAtLeastAsync(SpdyFrameHeader.SizeBytes);
        if (read.Buffer.Length < SpdyFrameHeader.SizeBytes)
            return read.Buffer.IsEmpty ? false : throw new SpdyException("the connection ends inside a frame header");
        var header = ReadHeader(read.Buffer);
        input.AdvanceTo(read.Buffer.GetPosition(SpdyFrameHeader.SizeBytes));
        if (header.Type is not { } type)
        {
            await ReadDataAsync(header);
            return true;
        }

        if (header.LengthBytes > MaxControlBytes)
            throw new SpdyException($"{type}: {header.LengthBytes} bytes, at most {MaxControlBytes} are accepted");
        var payload = await ReadPayloadAsync(type, header.LengthBytes);
        await HandleAsync(type, header, payload);
        return true;
    }

    private static SpdyFrameHeader ReadHeader(ReadOnlySequence<byte> buffer)
    {
        Span<byte> bytes = stackalloc byte[SpdyFrameHeader.SizeBytes];
        buffer.Slice(0, SpdyFrameHeader.SizeBytes).CopyTo(bytes);
        return SpdyFrameHeader.Read(bytes);
    }

    private async ValueTask<byte[]> ReadPayloadAsync(SpdyType type, int length)
    {
        if (length == 0)
            return [];
        var read = await input.ReadAtLeastAsync(length);
        if (read.Buffer.Length < length)
            throw new SpdyException($"the connection ends inside a {type} frame");
        var payload = read.Buffer.Slice(0, length);
        var bytes = payload.ToArray();
        input.AdvanceTo(payload.End);
        return bytes;
    }

    private async ValueTask ReadDataAsync(SpdyFrameHeader header)
    {
        var stream = streams.GetValueOrDefault(header.StreamId);
        for (var left = header.LengthBytes; left > 0;)
        {
            var read = await input.ReadAsync();
            var piece = read.Buffer.Slice(0, Math.Min(left, read.Buffer.Length));
            if (piece.IsEmpty && read.IsCompleted)
                throw new SpdyException("the connection ends inside a data frame");
            left -= (int)piece.Length;
            if (stream is not null)
            {
                foreach (var segment in piece)
                    await stream.ReceiveAsync(segment, gone.Token);
            }

            input.AdvanceTo(piece.End);
        }

        if (stream is null)
        {
            if (header.LengthBytes > 0)
                await SendCreditAsync(0, header.LengthBytes);
            if (header.StreamId == 0 || header.StreamId > lastStreamId)
                await SendAsync(SpdyFrames.Pair(SpdyType.RstStream, header.StreamId, (uint)SpdyReset.InvalidStream));
        }
        else if (header.IsFin)
        {
            stream.EndRemote(null);
        }
    }

    private async ValueTask HandleAsync(SpdyType type, SpdyFrameHeader header, byte[] payload)
    {
        switch (type)
        {
            case SpdyType.SynStream:
                await OpenAsync(header, payload);
                break;
            case SpdyType.Headers or SpdyType.SynReply:
                // Nobody uses later headers; they must be inflated all the same, for they move the common window.
                var (id, block) = SpdyFrames.ReadHeaders(type, payload);
                headerReader.Read(block);
                if (header.IsFin)
                    streams.GetValueOrDefault(id)?.EndRemote(null);
                break;
            case SpdyType.RstStream:
                var (reset, why) = SpdyFrames.ReadPair(type, payload);
                streams.GetValueOrDefault(reset)?.EndRemote(new IOException($"the client reset stream {reset} ({(SpdyReset)why})"));
                break;
            case SpdyType.Settings:
                if (SpdyFrames.ReadInitialWindow(payload) is { } window)
                    windows.SetInitial(window);
                break;
            case SpdyType.Ping:
                // Odd pings are the client's. An even one would answer ours, and we send none.
                if (SpdyFrames.ReadPing(payload) is var ping && (ping & 1) == 1)
                    await SendAsync(SpdyFrames.Ping(ping));
                break;
            case SpdyType.WindowUpdate:
                var (credited, bytes) = SpdyFrames.ReadPair(type, payload);
                if (!windows.Credit(credited, bytes & 0x7fff_ffff))
                    throw new SpdyException($"{type}: the window of stream {credited} passes 2^31 - 1");
                break;
            case SpdyType.GoAway:
                // No new streams will come; those that are open go on until the client closes the connection.
                SpdyFrames.ReadPair(type, payload);
                accepted.Writer.TryComplete();
                break;
            default:
                // Section 2.2: unknown control frames are ignored.
                break;
        }
    }

    private async ValueTask OpenAsync(SpdyFrameHeader header, byte[] payload)
    {
        var (id, _, block) = SpdyFrames.ReadSynStream(payload);
        var headers = headerReader.Read(block);
        if (id <= lastStreamId || (id & 1) == 0)
            throw new SpdyException($"{SpdyType.SynStream}: stream {id} after {lastStreamId}: a client's ids are odd and only grow");
        lastStreamId = id;
        if (streams.Count >= MaxStreams)
        {
            await SendAsync(SpdyFrames.Pair(SpdyType.RstStream, id, (uint)SpdyReset.RefusedStream));
            return;
        }

        var stream = new SpdyStream(this, id, headers);
        streams[id] = stream;
        windows.Open(id);
        await SendAsync(SpdyFrames.SynReply(id, headerWriter.Write(new Dictionary<string, string>())));
        if (header.IsFin)
            stream.EndRemote(null);
        if (!accepted.Writer.TryWrite(stream))
            await stream.ResetAsync(SpdyReset.RefusedStream);
    }
}
