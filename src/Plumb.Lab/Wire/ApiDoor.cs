using System.Net;
using System.Net.Sockets;
using Plumb.Api;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Sockets;

namespace Plumb.Lab.Wire;

/// <summary>
/// Makes the API reachable on the wire, at the wire's own address: nodes are in network namespaces of their own, where the host's
/// 127.0.0.1 is not. Copies bytes; TLS goes through untouched.
/// </summary>
internal sealed class ApiDoor : IAsyncDisposable
{
    public const int Port = 6443;

    private readonly Socket _listener;
    private readonly Task<ApiServer> _api;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    /// <param name="wire">The wire's namespace.</param>
    /// <param name="address">The wire's address.</param>
    /// <param name="api">The API; connections wait for it.</param>
    public ApiDoor(NetworkNamespace wire, IpAddress address, Task<ApiServer> api, TimeProvider time)
    {
        _api = api;
        _listener = wire.ListenTcp(new IPEndPoint(address.ToIPAddress(), Port));
        EndPoint = new IPEndPoint(address.ToIPAddress(), Port);
        _accepting = TcpAcceptor.RunAsync(_listener, null, client => _ = RelayAsync(client), time, _stop.Token);
    }

    /// <summary>Where the API is, seen from the wire.</summary>
    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task RelayAsync(Socket client)
    {
        using var near = new NetworkStream(client, ownsSocket: true);
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        try
        {
            await server.ConnectAsync((await _api.WaitAsync(_stop.Token)).Address, _stop.Token);
            using var far = new NetworkStream(server, ownsSocket: false);
            // Either side's end is the connection's: HTTP has no half-closed connections that matter.
            await Task.WhenAny(near.CopyToAsync(far, _stop.Token), far.CopyToAsync(near, _stop.Token));
        }
        catch (Exception broken) when (broken is SocketException or IOException or OperationCanceledException)
        {
            // The client sees its connection closed, and that is all there is to say.
        }
    }
}
