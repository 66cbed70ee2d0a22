using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.HostPorts;

/// <summary>
/// Takes datagrams on the host and carries them to a node, and the answers back to whom they are for: each client has a socket of its own on the wire, until
/// nothing has moved for a while. What cannot be sent at once is lost, as datagrams are.
/// </summary>
internal sealed class UdpDoor : HostDoor
{
    private const int MostClients = 1024;
    private const int MostDatagramBytes = 65_535;

    /// <summary>As long as a kernel remembers a flow of which both directions were seen (nf_conntrack_udp_timeout_stream).</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(120);

    private readonly Socket _socket;
    private readonly NetworkNamespace _wire;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing;
    private readonly Dictionary<IPEndPoint, Flow> _flows = [];
    private readonly Lock _gate = new();
    private readonly ITimer _sweep;
    private readonly Task _receiving;

    /// <inheritdoc cref="TcpDoor"/>
    public UdpDoor(ushort wanted, NodePortTarget target, NetworkNamespace wire, TimeProvider time, CancellationToken ending)
        : base(target)
    {
        _wire = wire;
        _time = time;
        _socket = Bind(SocketType.Dgram, ProtocolType.Udp, wanted);
        Port = PortOf(_socket);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(ending);
        _sweep = time.CreateTimer(_ => Sweep(), null, Remembered, Remembered);
        _receiving = ReceiveAsync();
    }

    public override ushort Port { get; }

    public override async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _sweep.DisposeAsync();
        _socket.Dispose();
        await _receiving;
        lock (_gate)
        {
            foreach (var flow in _flows.Values)
            {
                flow.Socket.Dispose();
            }
            _flows.Clear();
        }
        _closing.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[MostDatagramBytes];
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, _closing.Token);
                if (FlowOf((IPEndPoint)received.RemoteEndPoint) is { } flow)
                {
                    await flow.Socket.SendAsync(buffer.AsMemory(0, received.ReceivedBytes), SocketFlags.None, _closing.Token);
                }
            }
            catch (SocketException lost) when (lost.SocketErrorCode != SocketError.OperationAborted && !_closing.IsCancellationRequested)
            {
                // Refused by the node, or an answer that could not be delivered: this datagram's fate, not the port's.
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
        }
    }

    private Flow? FlowOf(IPEndPoint client)
    {
        lock (_gate)
        {
            if (_flows.TryGetValue(client, out var flow))
            {
                flow.LastUsed = _time.GetTimestamp();
                return flow;
            }
            if (_flows.Count >= MostClients)
            {
                End(_flows.MinBy(static known => known.Value.LastUsed).Key);
            }
            foreach (var node in Target.Next())
            {
                if (Open(node) is { } socket)
                {
                    flow = new Flow(socket) { LastUsed = _time.GetTimestamp() };
                    _flows.Add(client, flow);
                    _ = AnswerAsync(flow, client);
                    return flow;
                }
            }
            return null;
        }
    }

    private Socket? Open(IPEndPoint node)
    {
        try
        {
            var socket = _wire.OpenUdp(node.AddressFamily);
            try
            {
                socket.Connect(node);
                return socket;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        catch (Exception refused) when (refused is SocketException or SystemCallException)
        {
            return null;
        }
    }

    private async Task AnswerAsync(Flow flow, IPEndPoint client)
    {
        // As small as it can be while nothing comes: a datagram's length is known when it is there.
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                await flow.Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, _closing.Token);
                var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(MostDatagramBytes);
                try
                {
                    var length = await flow.Socket.ReceiveAsync(buffer, SocketFlags.None, _closing.Token);
                    flow.LastUsed = _time.GetTimestamp();
                    await _socket.SendToAsync(buffer.AsMemory(0, length), SocketFlags.None, client, _closing.Token);
                }
                finally
                {
                    System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
                }
            }
            catch (SocketException lost) when (lost.SocketErrorCode is SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.MessageSize)
            {
                // Nobody listens there now; somebody may later.
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Sweep()
    {
        lock (_gate)
        {
            foreach (var (client, flow) in _flows.ToArray())
            {
                if (_time.GetElapsedTime(flow.LastUsed) > Remembered)
                {
                    End(client);
                }
            }
        }
    }

    private void End(IPEndPoint client)
    {
        if (_flows.Remove(client, out var flow))
        {
            flow.Socket.Dispose();
        }
    }

    private sealed class Flow(Socket socket)
    {
        private long _lastUsed;

        public Socket Socket => socket;

        /// <summary>A time stamp of the clock.</summary>
        public long LastUsed
        {
            get => Volatile.Read(ref _lastUsed);
            set => Volatile.Write(ref _lastUsed, value);
        }
    }
}
