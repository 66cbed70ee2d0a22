using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Sockets;

namespace Plumb.Agent.Health;

/// <summary>
/// Answers load balancers at the ports that Services name for it, on every address of the node: 200 while the Service has a ready endpoint here, 503
/// while it has none. Whatever is asked, this is the answer, as with kube-proxy.
/// </summary>
/// <param name="network">The node's network namespace.</param>
internal sealed partial class HealthCheckServer(NetworkNamespace network, ILogger log, TimeProvider time) : IDisposable
{
    private const int MostRequestBytes = 4096;
    private const int MostClients = 64;

    // A load balancer asks at once; who says nothing keeps a place from others.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ushort, Door> _doors = [];

    /// <summary>Opens, closes and changes ports to these.</summary>
    public void Update(IReadOnlyDictionary<ushort, HealthCheck> checks)
    {
        foreach (var (port, door) in _doors)
        {
            if (!checks.ContainsKey(port))
            {
                door.Dispose();
                _doors.Remove(port);
            }
        }
        foreach (var (port, check) in checks)
        {
            if (_doors.TryGetValue(port, out var door))
            {
                door.Check = check;
            }
            else if (Open(port, check) is { } opened)
            {
                _doors[port] = opened;
            }
        }
    }

    public void Dispose()
    {
        foreach (var door in _doors.Values)
        {
            door.Dispose();
        }
        _doors.Clear();
    }

    private Door? Open(ushort port, HealthCheck check)
    {
        try
        {
            return new Door(network.ListenTcp(new IPEndPoint(IPAddress.IPv6Any, port)), check, time);
        }
        catch (SocketException exception)
        {
            // Somebody on the node has the port. Tried again with the next change of a Service.
            Log.NotOpened(log, port, check.Service.ToString(), exception.Message);
            return null;
        }
    }

    private sealed class Door : IDisposable
    {
        private readonly Socket _listener;
        private readonly TimeProvider _time;
        private readonly SemaphoreSlim _room = new(MostClients);
        private HealthCheck _check;

        public Door(Socket listener, HealthCheck check, TimeProvider time)
        {
            (_listener, _check, _time) = (listener, check, time);
            _ = TcpAcceptor.RunAsync(listener, _room, client => _ = AnswerAsync(client), time, CancellationToken.None);
        }

        public HealthCheck Check
        {
            get
            {
                lock (_listener)
                {
                    return _check;
                }
            }
            set
            {
                lock (_listener)
                {
                    _check = value;
                }
            }
        }

        public void Dispose() => _listener.Dispose();

        private async Task AnswerAsync(Socket client)
        {
            using var limit = new CancellationTokenSource(Patience, _time);
            using (client)
            {
                try
                {
                    // What is asked does not matter, only that it has been asked: an answer before that would be a reset.
                    var request = new byte[MostRequestBytes];
                    var length = 0;
                    int read;
                    do
                    {
                        read = await client.ReceiveAsync(request.AsMemory(length), limit.Token);
                        length += read;
                    }
                    while (read > 0 && length < request.Length && request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0);
                    await client.SendAsync(Answer(Check), limit.Token);
                    client.Shutdown(SocketShutdown.Send);
                }
                catch (Exception gone) when (gone is SocketException or OperationCanceledException)
                {
                    // The client went, or said nothing; it may ask again.
                }
                finally
                {
                    _room.Release();
                }
            }
        }

        private static byte[] Answer(HealthCheck check)
        {
            var body = $$"""{"service":{"namespace":"{{check.Service.Scope}}","name":"{{check.Service.Name}}"},"localEndpoints":{{check.LocalEndpoints}},"serviceProxyHealthy":true}""";
            var status = check.LocalEndpoints > 0 ? "200 OK" : "503 Service Unavailable";
            return Encoding.UTF8.GetBytes(
                $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1007, LogLevel.Warning, "the health check port {Port} of {Service} cannot be opened: {Reason}")]
        public static partial void NotOpened(ILogger log, ushort port, string service, string reason);
    }
}
