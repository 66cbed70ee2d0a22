using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Plumb.Lab.Containers;
using Plumb.Lab.Containers.Roots;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Sockets;

namespace Plumb.Lab.Workloads;

/// <summary>One built-in workload in one container: its listening sockets and open connections.</summary>
internal sealed class Workload
{
    private static readonly TimeSpan Underway = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private readonly PodFacts _pod;
    private readonly ContainerLog _log;
    private readonly PodConnections _queue;
    private readonly TimeProvider _time;
    private readonly SslStreamCertificateContext? _certificate;
    private PodDialer? _dialer;
    private readonly Lock _gate = new();
    private readonly List<Socket> _sockets = [];
    private readonly HashSet<ConnectionContext> _connections = [];
    private readonly HashSet<Socket> _associations = [];
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _allClosed; // not null: stopping
    private TaskCompletionSource? _allHeard;
    private int _unheard; // connections that have not asked for anything yet

    /// <exception cref="WorkloadException">A port that somebody named cannot be had, or a certificate.</exception>
    public Workload(PodFacts pod, WorkloadPlan plan, ContainerLog log, PodConnections queue, TimeProvider time)
    {
        _pod = pod;
        _log = log;
        _queue = queue;
        _time = time;
        Program = plan.Program ?? throw new ArgumentException("a plan without a program runs nothing", nameof(plan));
        try
        {
            Log(plan.Describe());
            _certificate = plan.TcpPorts.Any(Program.SpeaksTls) ? WorkloadCertificate.Of(plan, time) : null;
            foreach (var port in plan.TcpPorts)
            {
                if (Listen(port, plan.PortsAreNamed) is { } socket)
                {
                    _ = TcpAcceptor.RunAsync(socket, null, Take, time, CancellationToken.None);
                }
            }

            foreach (var port in plan.UdpPorts)
            {
                foreach (var socket in OpenUdp(port, plan.UdpAddresses))
                {
                    _ = MessageAnswers.RunUdpAsync(socket, port, this);
                }
            }
            foreach (var port in plan.SctpPorts)
            {
                if (ListenSctp(port) is { } socket)
                {
                    _ = TcpAcceptor.RunAsync(socket, null, client => _ = ServeAsync(client, port), time, CancellationToken.None);
                }
            }
        }
        catch
        {
            CloseSockets();
            throw;
        }
    }

    public WorkloadProgram Program { get; }

    /// <summary>Where commands run that clients send; null: nowhere.</summary>
    public ConfinedCommands? Commands { get; init; }

    public PodDialer Dialer => _dialer ??= new PodDialer(_pod, _time);

    /// <summary>The certificate for a port that speaks TLS; null: HTTP is spoken there in clear.</summary>
    public SslStreamCertificateContext? CertificateFor(int port) => Program.SpeaksTls((ushort)port) ? _certificate : null;

    public string HostName => _pod.HostName;

    public DateTimeOffset Now => _time.GetUtcNow();

    public TimeProvider Time => _time;

    /// <summary>Completes with an exit code when the program ends by itself (netexec's /exit) or was stopped (0).</summary>
    public Task<int> Ended => _ended.Task;

    public void Log(string line) => _log.Append(LogStream.Stdout, Encoding.UTF8.GetBytes(line), partial: false);

    /// <summary>Ends as a program that calls exit(2) does: everything it held is closed.</summary>
    /// <param name="grace">For answers that are on their way; at least a second, so that this one is heard.</param>
    public void Exit(int exitCode, TimeSpan grace) => _ = StopAsync(grace > Farewell ? grace : Farewell, exitCode);


    /// <summary>For whoever comes after nobody is sent here any more: connections that were on their way are taken in and heard.</summary>
    public async Task SettleAsync(CancellationToken cancel)
    {
        // A first packet that was translated before is on its way, and nobody tells when the last of them has come.
        await Task.Delay(Underway, _time, cancel);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _allHeard, heard);
        if (Volatile.Read(ref _unheard) == 0)
        {
            return;
        }
        await heard.Task.WaitAsync(Hearing, _time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A connection has asked for something, or will not any more.</summary>
    public void Heard()
    {
        if (Interlocked.Decrement(ref _unheard) == 0)
        {
            Volatile.Read(ref _allHeard)?.TrySetResult();
        }
    }

    /// <summary>Takes no more connections, lets requests in progress end within the grace period, then drops what is left.</summary>
    public async Task StopAsync(TimeSpan grace, int exitCode = 0)
    {
        Task allClosed;
        ConnectionContext[] open;
        Socket[] associations;
        lock (_gate)
        {
            _allClosed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_connections.Count == 0)
            {
                _allClosed.TrySetResult();
            }

            allClosed = _allClosed.Task;
            open = [.. _connections];
            associations = [.. _associations];
        }

        CloseSockets();
        foreach (var association in associations)
        {
            association.Dispose();
        }
        foreach (var connection in open)
        {
            // Kestrel closes an idle connection at once and a busy one after its answer.
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }

        await allClosed.WaitAsync(grace, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var connection in open)
        {
            connection.Abort(new ConnectionAbortedException("the container stopped"));
        }

        _ended.TrySetResult(exitCode);
    }

    /// <summary>Takes charge of a connection that one of this workload's sockets accepted.</summary>
    /// <returns>False when the workload stops: the connection is the caller's to close.</returns>
    public bool TryAdopt(ConnectionContext connection)
    {
        var visit = new Visit(this);
        lock (_gate)
        {
            if (_allClosed is not null)
            {
                return false;
            }

            _connections.Add(connection);
        }

        connection.Features.Set(this);
        connection.Features.Set(visit);
        connection.ConnectionClosed.UnsafeRegister(static state => ((ConnectionEnd)state!).Forget(), new ConnectionEnd(this, connection, visit));
        return true;
    }

    private Socket? Listen(ushort port, bool named)
    {
        try
        {
            return Open(port, "TCP", address => _pod.Network.ListenTcp(new IPEndPoint(address, port)));
        }
        catch (WorkloadException taken) when (!named)
        {
            Log(taken.Message);
            return null;
        }
    }

    /// <summary>On all addresses of both families, or of IPv4 alone where the machine has no other.</summary>
    private Socket Open(ushort port, string protocol, Func<IPAddress, Socket> open)
    {
        try
        {
            Socket socket;
            try
            {
                socket = open(IPAddress.IPv6Any);
            }
            catch (Exception error) when (error is SocketException { SocketErrorCode: not SocketError.AddressAlreadyInUse } or Linux.Native.SystemCallException)
            {
                socket = open(IPAddress.Any);
            }

            _sockets.Add(socket);
            return socket;
        }
        catch (Exception error) when (error is SocketException or Linux.Native.SystemCallException)
        {
            throw new WorkloadException($"{Program.Name} cannot listen on port {port}/{protocol}: {error.Message}", error);
        }
    }

    private IEnumerable<Socket> OpenUdp(ushort port, IReadOnlyList<IPAddress> addresses) => addresses.Count == 0
        ? [Open(port, "UDP", address => Bind(_pod.Network.OpenUdp(address.AddressFamily), address, port))]
        : [.. addresses.Select(address => Open(port, "UDP", _ => Bind(_pod.Network.OpenUdp(address.AddressFamily), address, port)))];

    // Not every kernel has it, and a container is more than this one port.
    private Socket? ListenSctp(ushort port)
    {
        try
        {
            return Open(port, "SCTP", address =>
            {
                var socket = Bind(_pod.Network.OpenSctp(address.AddressFamily), address, port);
                socket.Listen();
                return socket;
            });
        }
        catch (WorkloadException refused)
        {
            Log(refused.Message);
            return null;
        }
    }

    // Ends with its peer, or with the workload: both close the socket.
    private async Task ServeAsync(Socket client, ushort port)
    {
        lock (_gate)
        {
            if (_allClosed is not null)
            {
                client.Dispose();
                return;
            }
            _associations.Add(client);
        }
        await MessageAnswers.ServeSctpAsync(client, port, this);
        lock (_gate)
        {
            _associations.Remove(client);
        }
    }

    private static Socket Bind(Socket socket, IPAddress address, ushort port)
    {
        try
        {
            if (address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Take(Socket client)
    {
        if (Program.TryServe(client, this))
        {
            return;
        }
        Interlocked.Increment(ref _unheard);
        _queue.Add(client, this, Program.SpeaksHttp2((ushort)((IPEndPoint)client.LocalEndPoint!).Port));
    }

    private void CloseSockets()
    {
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
    }

    private sealed record ConnectionEnd(Workload Workload, ConnectionContext Connection, Visit Visit)
    {
        public void Forget()
        {
            Visit.Begin();
            lock (Workload._gate)
            {
                if (Workload._connections.Remove(Connection) && Workload._connections.Count == 0)
                {
                    Workload._allClosed?.TrySetResult();
                }
            }
        }
    }
}

/// <summary>A connection to a workload, which has asked for something or not yet.</summary>
internal sealed class Visit(Workload workload)
{
    private int _begun;

    public void Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 0)
        {
            workload.Heard();
        }
    }
}
