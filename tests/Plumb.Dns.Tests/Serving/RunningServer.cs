using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Dns.Answering;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Tests.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Dns.Tests.Serving;

/// <summary>A server on 127.0.0.1 and, when asked, on ::1, with Service <c>default/website</c> (10.96.14.7) and headless <c>default/kafka</c>.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly DnsServer _server;
    private readonly NetworkNamespace _home;

    private RunningServer(DnsServer server, NetworkNamespace home, ClusterZone zone)
    {
        _server = server;
        _home = home;
        Zone = zone;
        EndPoint = new IPEndPoint(server.Local[^1].Host.ToIPAddress(), server.Local[^1].Port);
    }

    public ClusterZone Zone { get; }

    /// <summary>The last of its addresses.</summary>
    public IPEndPoint EndPoint { get; }

    public static async Task<RunningServer> StartAsync(
        ForwardOptions? forward = null, TimeProvider? time = null, ClusterZone? zone = null, bool hasV6 = false)
    {
        zone ??= RequestTests.Zone();
        var home = NetworkNamespace.OpenHome();
        var server = await DnsServer.StartAsync(new DnsServerOptions
        {
            Network = home,
            Addresses = hasV6 ? [IpAddress.V4(127, 0, 0, 1), IpAddress.Parse("::1")] : [IpAddress.V4(127, 0, 0, 1)],
            Port = 0,
            Zone = zone,
            Forward = forward ?? new ForwardOptions(),
            Log = NullLogger.Instance,
            Time = time ?? TimeProvider.System,
        });
        return new RunningServer(server, home, zone);
    }

    public async Task<Message> AskAsync(string name, RecordType type = RecordType.A, int? ednsBytes = 1232)
    {
        using var socket = new Socket(EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(EndPoint);
        await socket.SendAsync(Ask.Bytes(name, type, ednsBytes));
        var buffer = new byte[4096];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var length = await socket.ReceiveAsync(buffer, patience.Token);
        Assert.True(Message.TryRead(buffer.AsSpan(0, length), out var message));
        Assert.Equal(Ask.Id, message!.Id);
        return message;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _home.Dispose();
    }
}
