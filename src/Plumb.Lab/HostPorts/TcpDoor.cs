using System.Net.Sockets;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Sockets;

namespace Plumb.Lab.HostPorts;

/// <summary>Takes TCP connections on the host and carries each to a node. A connection costs two sockets, and a buffer only while bytes move.</summary>
internal sealed class TcpDoor : HostDoor
{
    private const int Backlog = 512;
    private static readonly TimeSpan NodePatience = TimeSpan.FromSeconds(3);

    private readonly Socket _listener;
    private readonly NetworkNamespace _wire;
    private readonly SemaphoreSlim _room;
    private readonly TimeProvider _time;
    private readonly CancellationToken _ending;
    private readonly CancellationTokenSource _closing;
    private readonly Task _accepting;

    /// <param name="wanted">The port on the host, if it is free.</param>
    /// <param name="wire">From here nodes are reached.</param>
    /// <param name="room">How many connections there may be at all; who comes beyond waits in the kernel's backlog.</param>
    /// <param name="ending">The lab ends, and its connections with it.</param>
    /// <exception cref="SocketException">There is no port to be had.</exception>
    public TcpDoor(ushort wanted, NodePortTarget target, NetworkNamespace wire, SemaphoreSlim room, TimeProvider time, CancellationToken ending)
        : base(target)
    {
        _wire = wire;
        _room = room;
        _time = time;
        _ending = ending;
        _listener = Listen(wanted);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(ending);
        Port = PortOf(_listener);
        _accepting = TcpAcceptor.RunAsync(_listener, room, client => _ = CarryAsync(client), time, _closing.Token);
    }

    public override ushort Port { get; }

    public override async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _closing.Dispose();
    }

    // Two may bind to one port and the second to listen is refused.
    private static Socket Listen(ushort wanted)
    {
        for (var port = wanted; ; port = 0)
        {
            var socket = Bind(SocketType.Stream, ProtocolType.Tcp, port);
            try
            {
                socket.Listen(Backlog);
                return socket;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && port != 0)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private async Task CarryAsync(Socket client)
    {
        try
        {
            if (await ConnectAsync() is { } node)
            {
                client.NoDelay = true;
                await SocketRelay.RunAsync(client, node, _ending);
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Below.
        }
        finally
        {
            // Nobody answers there: as near to a refusal as a connection that has been taken can be.
            SocketRelay.Reset(client);
            _room.Release();
        }
    }

    /// <summary>Null: no node took it.</summary>
    private async Task<Socket?> ConnectAsync()
    {
        foreach (var node in Target.Next())
        {
            using var patience = new CancellationTokenSource(NodePatience, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _ending);
            try
            {
                return await _wire.ConnectTcpAsync(node, either.Token);
            }
            catch (Exception refused) when (refused is SocketException or SystemCallException || (refused is OperationCanceledException && !_ending.IsCancellationRequested))
            {
                // The next one may have an endpoint that this one does not know of yet.
            }
        }
        return null;
    }
}
