using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Plumb.Dns.Answering;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Serving;
using Plumb.Dns.Zones;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Sockets;

namespace Plumb.Dns;

/// <summary>What a DNS server must be told.</summary>
public sealed record DnsServerOptions
{
    /// <summary>The namespace in which it answers. Others are asked from the process's own.</summary>
    public required NetworkNamespace Network { get; init; }

    /// <summary>Where it answers: these very addresses, so that answers leave from the one that was asked.</summary>
    public required IReadOnlyList<IpAddress> Addresses { get; init; }

    /// <summary>0: any that is free, for each address.</summary>
    public ushort Port { get; init; } = 53;

    public required ClusterZone Zone { get; init; }

    public ForwardOptions Forward { get; init; } = new();

    public required ILogger Log { get; init; }

    public required TimeProvider Time { get; init; }
}

/// <summary>A cluster's DNS server on one node: UDP and TCP on its addresses, answers from a zone that others keep up to date.</summary>
public sealed partial class DnsServer : IAsyncDisposable
{
    private const int MostConnections = 256;

    // Between two tries to have the port. Whoever holds it tells nobody when he lets go.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly List<IAsyncDisposable> _services = [];
    private readonly List<PeerAddress> _local = [];
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Forwarder _forwarder;

    private DnsServer(DnsServerOptions options)
    {
        var log = options.Log;
        _forwarder = new Forwarder(options.Forward, options.Time) { OnLoop = (name, server) => Log.Loop(log, name.ToString(), server) };
    }

    /// <summary>Where it answers, by UDP and by TCP.</summary>
    public IReadOnlyList<PeerAddress> Local => _local;

    /// <summary>Completes when one of its sockets is of no use any more: it is to be ended and started anew.</summary>
    public Task Broken => _broken.Task;

    /// <summary>Returns when it answers.</summary>
    /// <exception cref="IOException">An address and port cannot be had: the message says which and why.</exception>
    public static async Task<DnsServer> StartAsync(DnsServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var server = new DnsServer(options);
        try
        {
            server.Open(options);
            return server;
        }
        catch (SocketException refused)
        {
            await server.DisposeAsync();
            throw new IOException($"TCP port {options.Port} of {string.Join(", ", options.Addresses)} cannot be had for DNS: {refused.Message}", refused);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Answers until cancelled: begins again when it has to end, and tries again while it cannot.</summary>
    /// <param name="told">Told null when it answers, and else in one line why it does not; at first, and when that is another than before.</param>
    public static async Task KeepAsync(DnsServerOptions options, Action<string?> told, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(told);
        string? last = "";
        while (true)
        {
            try
            {
                await using var server = await StartAsync(options);
                Tell(null);
                await server.Broken.WaitAsync(cancel);
                Tell("a socket of the server is of no use any more");
            }
            catch (IOException refused)
            {
                Tell(refused.Message);
            }
            await Task.Delay(Pause, options.Time, cancel);
        }

        void Tell(string? why)
        {
            if (why != last)
            {
                last = why;
                told(why);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _forwarder.Dispose();
        foreach (var service in _services)
        {
            await service.DisposeAsync();
        }
    }

    private void Open(DnsServerOptions options)
    {
        var resolver = new Resolver(new AnswerEngine(options.Zone) { Forwards = _forwarder.IsUseful }, _forwarder);
        foreach (var address in options.Addresses)
        {
            var (socket, listener) = Bind(options, address);
            _services.Add(new UdpService(socket, resolver, failure => Fail(options.Log, socket.Local, failure)));
            _local.Add(socket.Local);
            _services.Add(new TcpService(listener, resolver, options.Time, MostConnections));
        }
    }

    // A port that is free for datagrams may be somebody's for connections: where any will do, it is another one.
    private static (DatagramSocket Datagrams, Socket Connections) Bind(DnsServerOptions options, IpAddress address)
    {
        const int most = 16;
        for (var attempt = 1; ; attempt++)
        {
            var socket = DatagramSocket.Bind(options.Network, address, options.Port);
            try
            {
                return (socket, Listen(options.Network, socket.Local));
            }
            catch (SocketException taken) when (options.Port == 0 && taken.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < most)
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

    private void Fail(ILogger log, PeerAddress at, Exception failure)
    {
        Log.Failed(log, at, failure);
        _broken.TrySetResult();
    }

    private static Socket Listen(NetworkNamespace network, PeerAddress at)
    {
        const int backlog = 128;
        var socket = network.OpenTcp(at.Host.Family == IpFamily.V4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
        try
        {
            // The address may not be there yet.
            socket.SetRawSocketOption(at.Host.Family == IpFamily.V4 ? 0 : 41, at.Host.Family == IpFamily.V4 ? 15 : 78, BitConverter.GetBytes(1));
            socket.Bind(new IPEndPoint(at.Host.ToIPAddress(), at.Port));
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Warning, "the question for {Name} came back from {Server}, to whom it had been sent: that server asks this one; give it another upstream")]
        public static partial void Loop(ILogger log, string name, IPAddress server);

        [LoggerMessage(3002, LogLevel.Error, "DNS answers no more at {Address}")]
        public static partial void Failed(ILogger log, PeerAddress address, Exception failure);
    }
}
