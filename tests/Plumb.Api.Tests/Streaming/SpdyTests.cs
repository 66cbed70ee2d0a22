using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Api.Streaming.Spdy;

namespace Plumb.Api.Tests.Streaming;

public sealed class SpdyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Header_blocks_that_zlib_wrote_are_read_one_after_another()
    {
        using var reader = new SpdyHeaderReader();
        Assert.Equal(new Dictionary<string, string> { ["streamtype"] = "stdin", ["content-length"] = "12" }, reader.Read(SpdyWire.FirstHeaders));
        Assert.Equal(new Dictionary<string, string> { ["streamtype"] = "error", ["port"] = "8080", ["requestid"] = "0" }, reader.Read(SpdyWire.SecondHeaders));
    }

    [Fact]
    public void Header_blocks_that_we_write_are_read_back()
    {
        var writer = new SpdyHeaderWriter();
        using var reader = new SpdyHeaderReader();
        foreach (var headers in new Dictionary<string, string>[] { [], new() { ["a"] = "b", ["streamtype"] = "stdout" }, new() { ["x"] = "" } })
            Assert.Equal(headers, reader.Read(writer.Write(headers)));
    }

    [Fact]
    public void A_header_block_cut_anywhere_is_a_protocol_error()
    {
        // zlib's last five bytes are the empty block of its flush: without them nothing is missing.
        for (var length = 0; length < SpdyWire.FirstHeaders.Length - 5; length++)
        {
            using var reader = new SpdyHeaderReader();
            Assert.Throws<SpdyException>(() => reader.Read(SpdyWire.FirstHeaders.AsMemory(0, length)));
        }
    }

    [Fact]
    public void Any_bytes_are_headers_or_a_protocol_error() => Prop.ForAll<byte[], byte>((bytes, flips) =>
    {
        using var reader = new SpdyHeaderReader();
        var block = (byte[])SpdyWire.FirstHeaders.Clone();
        for (var i = 0; i < bytes.Length; i++)
            block[(bytes[i] + flips) % block.Length] ^= (byte)(i + 1);
        try
        {
            reader.Read(block);
        }
        catch (SpdyException)
        {
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task A_stream_is_answered_read_written_and_ended_by_both_sides()
    {
        var (transport, connection, running) = Start();
        await transport.SendAsync(SpdyWire.SynStream(1, SpdyWire.FirstHeaders), SpdyWire.Data(1, "abc"u8), SpdyWire.Data(1, "de"u8, fin: true));
        var stream = await connection.Accepted.ReadAsync(Cancel);
        Assert.Equal("stdin", stream.Headers["streamtype"]);
        Assert.Equal((2, 1u), Head(await transport.FrameAsync()));
        Assert.Equal("abcde", await new StreamReader(stream).ReadToEndAsync(Cancel));
        await stream.WriteAsync("xyz"u8.ToArray(), Cancel);
        await stream.EndAsync();
        var data = await transport.FrameAsync();
        Assert.Equal((0, 1u, "xyz"), (data.Type, data.Id, Encoding.ASCII.GetString(data.Payload)));
        Assert.Equal((0, 1u), Head(await transport.FrameAsync()));
        transport.Hangup();
        await running;
        Assert.True(connection.Gone.IsCancellationRequested);
    }

    [Fact]
    public async Task A_conversation_cut_anywhere_ends_in_order_and_tells_every_stream()
    {
        byte[] all =
        [
            .. SpdyWire.SynStream(1, SpdyWire.FirstHeaders), .. SpdyWire.SynStream(3, SpdyWire.SecondHeaders), .. SpdyWire.Ping(1), .. SpdyWire.InitialWindow(1000),
            .. SpdyWire.Data(1, "abc"u8), .. SpdyWire.Pair(9, 1, 10), .. SpdyWire.Data(3, "d"u8), .. SpdyWire.Pair(3, 3, 5), .. SpdyWire.Pair(7, 3, 0),
        ];
        for (var length = 0; length <= all.Length; length++)
        {
            var (transport, connection, running) = Start();
            await transport.SendAsync(all[..length]);
            transport.Hangup();
            await running;
            await foreach (var stream in connection.Accepted.ReadAllAsync(Cancel))
                await Assert.ThrowsAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Cancel));
        }
    }

    [Fact]
    public async Task Only_odd_pings_are_answered_and_unknown_frames_are_passed_over()
    {
        var (transport, _, _) = Start();
        await transport.SendAsync(SpdyWire.Ping(2), SpdyWire.Control(77, 0, [1, 2, 3]), SpdyWire.Ping(5));
        Assert.Equal((6, 5u), Head(await transport.FrameAsync()));
    }

    public static readonly TheoryData<string, byte[]> Broken = new()
    {
        { "another version", [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1] },
        { "an even stream id", SpdyWire.SynStream(2, SpdyWire.FirstHeaders) },
        { "the id of a stream that was", [.. SpdyWire.SynStream(5, SpdyWire.FirstHeaders), .. SpdyWire.SynStream(3, SpdyWire.SecondHeaders)] },
        { "headers that are none", SpdyWire.SynStream(1, [1, 2, 3, 4, 5, 6, 7, 8]) },
        { "a short SYN_STREAM", SpdyWire.Control(1, 0, [0, 0, 0, 1]) },
        { "a short ping", SpdyWire.Control(6, 0, [0, 0]) },
        { "settings that announce more than follows", SpdyWire.Control(4, 0, [0xff, 0xff, 0xff, 0xff]) },
        { "a window beyond 2^31 - 1", SpdyWire.Pair(9, 0, 0x7fff_ffff) },
        { "a control frame of 16 MB", [0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff] },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task What_is_no_SPDY_is_answered_with_a_goaway(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        var (transport, connection, running) = Start();
        await transport.SendAsync(bytes);
        (int Type, uint Id, byte[] Payload) frame;
        while ((frame = await transport.FrameAsync()).Type != 7)
        {
        }

        Assert.Equal([0, 0, 0, 1], frame.Payload);
        await running;
        Assert.True(connection.Gone.IsCancellationRequested);
    }

    [Fact]
    public async Task A_peer_that_keeps_windows_is_sent_no_more_than_they_allow()
    {
        var (transport, connection, _) = Start();
        await transport.SendAsync(SpdyWire.InitialWindow(10), SpdyWire.SynStream(1, SpdyWire.FirstHeaders));
        var stream = await connection.Accepted.ReadAsync(Cancel);
        await transport.FrameAsync();
        var writing = stream.WriteAsync(new byte[25], Cancel).AsTask();
        Assert.Equal(10, (await transport.FrameAsync()).Payload.Length);
        await transport.SendAsync(SpdyWire.Ping(1));
        Assert.Equal((6, 1u), Head(await transport.FrameAsync()));
        Assert.False(writing.IsCompleted);
        await transport.SendAsync(SpdyWire.Pair(9, 1, 12));
        Assert.Equal(12, (await transport.FrameAsync()).Payload.Length);
        await transport.SendAsync(SpdyWire.InitialWindow(100));
        Assert.Equal(3, (await transport.FrameAsync()).Payload.Length);
        await writing;
    }

    [Fact]
    public async Task A_peer_that_never_speaks_of_windows_is_not_waited_for()
    {
        var (transport, connection, _) = Start();
        await transport.SendAsync(SpdyWire.SynStream(1, SpdyWire.FirstHeaders));
        var stream = await connection.Accepted.ReadAsync(Cancel);
        await stream.WriteAsync(new byte[1_000_000], Cancel);
    }

    [Fact]
    public async Task What_is_read_is_credited_to_the_stream_and_to_the_connection()
    {
        var (transport, connection, _) = Start();
        await transport.SendAsync(SpdyWire.SynStream(1, SpdyWire.FirstHeaders), SpdyWire.Data(1, new byte[40_000]));
        var stream = await connection.Accepted.ReadAsync(Cancel);
        await transport.FrameAsync();
        await stream.ReadExactlyAsync(new byte[40_000], Cancel);
        Assert.Equal((9, 1u), Head(await transport.FrameAsync()));
        Assert.Equal((9, 0u), Head(await transport.FrameAsync()));
    }

    [Fact]
    public async Task A_reset_stream_throws_for_its_reader_and_leaves_the_others_alone()
    {
        var (transport, connection, _) = Start();
        await transport.SendAsync(SpdyWire.SynStream(1, SpdyWire.FirstHeaders), SpdyWire.SynStream(3, SpdyWire.SecondHeaders), SpdyWire.Pair(3, 1, 5));
        var first = await connection.Accepted.ReadAsync(Cancel);
        var second = await connection.Accepted.ReadAsync(Cancel);
        await Assert.ThrowsAsync<IOException>(() => first.ReadExactlyAsync(new byte[1], Cancel).AsTask());
        await Assert.ThrowsAsync<IOException>(() => first.WriteAsync(new byte[1], Cancel).AsTask());
        await transport.SendAsync(SpdyWire.Data(1, "late"u8), SpdyWire.Data(3, "x"u8, fin: true));
        Assert.Equal("x", await new StreamReader(second).ReadToEndAsync(Cancel));
    }

    [Fact]
    public async Task Data_for_a_stream_that_never_was_is_refused()
    {
        var (transport, _, _) = Start();
        await transport.SendAsync(SpdyWire.Data(9, "x"u8));
        Assert.Equal((9, 0u), Head(await transport.FrameAsync()));
        Assert.Equal((3, 9u), Head(await transport.FrameAsync()));
    }

    private static (DuplexTransport Transport, SpdyConnection Connection, Task Running) Start()
    {
        var transport = new DuplexTransport();
        var connection = new SpdyConnection(transport);
        return (transport, connection, connection.RunAsync());
    }

    private static (int Type, uint Id) Head((int Type, uint Id, byte[] Payload) frame) => (frame.Type, frame.Id);
}
