using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Plumb.Linux.Sockets;

namespace Plumb.Linux.Tests.Sockets;

public sealed class TcpAcceptorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_descriptor_left_it_pauses_longer_and_longer_and_then_takes_who_waited()
    {
        var pauses = new Pauses();
        using var ending = new CancellationTokenSource();
        using var room = new SemaphoreSlim(1);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var tries = 0;
        var served = new TaskCompletionSource<Socket>();

        var accepting = TcpAcceptor.RunAsync(Accept, room, served.SetResult, pauses, ending.Token);
        foreach (var milliseconds in (int[])[50, 100, 200, 400, 800, 1600, 2000, 2000])
        {
            var pause = await pauses.NextAsync();
            Assert.Equal(milliseconds, pause.Due.TotalMilliseconds);
            Assert.False(served.Task.IsCompleted);
            pause.End();
        }
        Assert.Same(client, await served.Task.WaitAsync(Cancel));
        Assert.Equal(9, tries);
        Assert.Equal(0, room.CurrentCount);
        await ending.CancelAsync();
        await accepting.WaitAsync(Cancel);

        async ValueTask<Socket> Accept(CancellationToken cancel)
        {
            await Task.Yield();
            return ++tries <= 8 ? throw new SocketException((int)SocketError.TooManyOpenSockets) : client;
        }
    }

    [Fact]
    public async Task Who_went_before_it_was_taken_costs_no_pause()
    {
        using var ending = new CancellationTokenSource();
        using var room = new SemaphoreSlim(1);
        var tries = 0;
        await TcpAcceptor.RunAsync(Accept, room, static _ => { }, new Pauses(), ending.Token).WaitAsync(Cancel);
        Assert.Equal(100, tries);
        Assert.Equal(1, room.CurrentCount);

        ValueTask<Socket> Accept(CancellationToken cancel) => ++tries < 100
            ? throw new SocketException((int)SocketError.ConnectionAborted)
            : throw new ObjectDisposedException("listener");
    }

    [Fact]
    public async Task There_are_never_more_connections_than_there_is_room_for()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(8);
        using var ending = new CancellationTokenSource();
        using var room = new SemaphoreSlim(2);
        var served = Channel.CreateUnbounded<Socket>();
        var accepting = TcpAcceptor.RunAsync(listener, room, client => served.Writer.TryWrite(client), TimeProvider.System, ending.Token);
        using var first = await ConnectAsync();
        using var second = await ConnectAsync();
        using var third = await ConnectAsync();
        using var one = await served.Reader.ReadAsync(Cancel);
        using var two = await served.Reader.ReadAsync(Cancel);
        Assert.Equal(0, room.CurrentCount);
        Assert.False(served.Reader.TryRead(out _));
        room.Release();
        using var three = await served.Reader.ReadAsync(Cancel);
        Assert.Equal(third.LocalEndPoint, three.RemoteEndPoint);
        await ending.CancelAsync();
        await accepting.WaitAsync(Cancel);

        async Task<Socket> ConnectAsync()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!, Cancel);
            return socket;
        }
    }

    /// <summary>A clock whose timers go off when the test says so.</summary>
    private sealed class Pauses : TimeProvider
    {
        private readonly Channel<Pause> _made = Channel.CreateUnbounded<Pause>();

        public ValueTask<Pause> NextAsync() => _made.Reader.ReadAsync(Cancel);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var pause = new Pause(dueTime, () => callback(state));
            _made.Writer.TryWrite(pause);
            return pause;
        }
    }

    private sealed record Pause(TimeSpan Due, Action End) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
