using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Plumb.Lab.HostPorts;

namespace Plumb.Lab.Tests.HostPorts;

public sealed class SocketRelayTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_byte_arrives_in_order_both_ways()
    {
        await using var between = await Between.CreateAsync();
        var (there, back) = (RandomNumberGenerator.GetBytes(3 << 20), RandomNumberGenerator.GetBytes(5 << 20));
        await Task.WhenAll(
            SendAllAsync(between.Client, there), SendAllAsync(between.Server, back),
            AllOfAsync(between.Server).ContinueWith(got => Assert.Equal(there, got.Result), TaskScheduler.Default),
            AllOfAsync(between.Client).ContinueWith(got => Assert.Equal(back, got.Result), TaskScheduler.Default));
        await between.Ended;
    }

    [Fact]
    public async Task Who_has_said_all_still_hears_the_answer()
    {
        await using var between = await Between.CreateAsync();
        await SendAllAsync(between.Client, "question"u8.ToArray());
        Assert.Equal("question"u8.ToArray(), await AllOfAsync(between.Server));
        Assert.False(between.Ended.IsCompleted);
        await SendAllAsync(between.Server, "answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await AllOfAsync(between.Client));
        await between.Ended;
    }

    [Fact]
    public async Task A_reset_is_passed_on_as_one()
    {
        await using var between = await Between.CreateAsync();
        SocketRelay.Reset(between.Server);
        var told = await Assert.ThrowsAsync<SocketException>(async () => await between.Client.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(SocketError.ConnectionReset, told.SocketErrorCode);
        await between.Ended;
    }

    [Fact]
    public async Task What_nobody_reads_is_not_taken()
    {
        await using var between = await Between.CreateAsync();
        between.Client.Blocking = false;
        var sent = 0L;
        // The kernel's four buffers fill up, and then nothing more is taken however long one tries.
        for (var idle = 0; idle < 20;)
        {
            try
            {
                sent += between.Client.Send(new byte[64 << 10]);
                idle = 0;
            }
            catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
            {
                idle++;
                await Task.Delay(10, Cancel);
            }
            Assert.True(sent < 64 << 20, $"{sent} bytes were taken");
        }
        between.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, (await AllOfAsync(between.Server)).LongLength);
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_cost_no_threads()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 1000).Select(static _ => Between.CreateAsync()));
        var threads = ThreadPool.ThreadCount;
        Assert.True(threads < 200, $"{threads} threads");
        foreach (var one in all)
        {
            await SendAllAsync(one.Client, [1]);
            Assert.Equal([1], await AllOfAsync(one.Server));
            await one.DisposeAsync();
        }
    }

    private static async Task SendAllAsync(Socket socket, byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent), Cancel);
        }
        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> AllOfAsync(Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int read; (read = await socket.ReceiveAsync(buffer, Cancel)) > 0;)
        {
            all.Write(buffer, 0, read);
        }
        return all.ToArray();
    }

    /// <summary>A client and a server with the relay between them.</summary>
    private sealed class Between(Socket client, Socket server, Task ended) : IAsyncDisposable
    {
        public Socket Client => client;

        public Socket Server => server;

        public Task Ended => ended;

        public static async Task<Between> CreateAsync()
        {
            var (client, left) = await PairAsync();
            var (right, server) = await PairAsync();
            return new Between(client, server, SocketRelay.RunAsync(left, right, Cancel));
        }

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            server.Dispose();
            await ended;
        }

        private static async Task<(Socket, Socket)> PairAsync()
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await one.ConnectAsync(listener.LocalEndPoint!, Cancel);
            return (one, await listener.AcceptAsync(Cancel));
        }
    }
}
