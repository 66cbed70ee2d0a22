using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>A network in namespaces of this machine, with somebody who answers at one port of each address.</summary>
internal sealed class LiveNetwork : IDisposable
{
    public const ushort OpenPort = 7000;
    public const ushort ClosedPort = 7001;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(250);

    private const int SOL_IP = 0;
    private const int IP_RECVERR = 11;
    private const int SOL_IPV6 = 41;
    private const int IPV6_MTU_DISCOVER = 23;
    private const int IPV6_RECVERR = 25;

    private readonly Kernels _kernels = new();
    private readonly IpFamily _family;
    private readonly Dictionary<NamespaceId, NetworkNamespace> _networks = [];
    private readonly List<Socket> _sockets = [];
    private readonly ConcurrentDictionary<uint, (NamespaceId, IpAddress, ushort)> _arrived = [];
    private uint _marks;

    public LiveNetwork(DesiredState desired, IReadOnlyList<NamespaceId> spaces, IpFamily family = IpFamily.V4)
    {
        _family = family;
        foreach (var id in spaces)
        {
            var network = NetworkNamespace.Create();
            _networks.Add(id, network);
            _kernels.Add(id, network);
        }
        Apply(RandomNetwork.Defaults(spaces), spaces);
        try
        {
            Apply(desired, spaces);
        }
        catch (ApplyException)
        {
            // A route whose gateway nobody can reach: then it is not there, and both see so.
        }
        Spaces = Observe();
        foreach (var space in Spaces)
        {
            Listen(space);
        }
    }

    private bool IsV4 => _family == IpFamily.V4;

    private AddressFamily Sockets => IsV4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;

    private IPAddress Any => IsV4 ? IPAddress.Any : IPAddress.IPv6Any;

    private void Apply(DesiredState desired, IReadOnlyList<NamespaceId> spaces) =>
        _kernels.Apply(Difference.Between(desired, _kernels.Observe([.. spaces], parameters: desired.Entries.Keys)).Items);

    public IReadOnlyList<Space> Spaces { get; private set; }

    public IWorld World => new GivenWorld(Spaces);

    /// <summary>A namespace, to send and to listen in; stays the network's.</summary>
    public NetworkNamespace Network(NamespaceId id) => _networks[id];

    /// <summary>Has nft load rules there.</summary>
    public async Task LoadAsync(NamespaceId id, string ruleset)
    {
        using var nft = Process.Start(new ProcessStartInfo("nsenter", [$"--net={_networks[id].ProcPath}", "nft", "-f", "-"]) { RedirectStandardInput = true })!;
        await nft.StandardInput.WriteAsync(ruleset);
        nft.StandardInput.Close();
        await nft.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(nft.ExitCode == 0, ruleset);
    }

    /// <summary>Runs ip or tc there, in their own words.</summary>
    public async Task RunAsync(NamespaceId id, string words)
    {
        using var program = Process.Start("nsenter", [$"--net={_networks[id].ProcPath}", .. words.Split(' ')]);
        await program.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(program.ExitCode == 0, words);
    }

    /// <summary>Looks again: what was asked for meanwhile is known now, and a bridge's carrier comes a moment after its ports'.</summary>
    public async Task SettleAsync(CancellationToken cancel)
    {
        for (var tries = 0; tries < 200; tries++)
        {
            Spaces = Observe();
            if (Spaces.All(static space => space.Links.All(link => space.Carries(link.Name) || link.Type is not LinkType.Bridge || !space.PortsOf(link.Name).Any(port => space.Carries(port.Name)))))
            {
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), cancel);
        }
    }

    /// <param name="expected">For silence one waits a moment, for all else with patience.</param>
    public async Task<Result> SendAsync(Probe probe, ushort sourcePort, Seen expected, CancellationToken cancel)
    {
        // Tells this datagram from all others.
        var mark = Interlocked.Increment(ref _marks);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(expected == Seen.Silence ? Silence : Patience);
        var to = new IPEndPoint(probe.To.ToIPAddress(), probe.Port);
        using var socket = probe.Protocol == Packet.Tcp ? _networks[probe.From].OpenTcp(Sockets) : _networks[probe.From].OpenUdp(Sockets);
        try
        {
            socket.Ttl = probe.TimeToLive;
            if (probe.Protocol == Packet.Tcp)
            {
                await socket.ConnectAsync(to, limit.Token);
                return new Result(Seen.Answered, null, null);
            }
            if (IsV4)
            {
                socket.DontFragment = probe.DontFragment;
            }
            else
            {
                // IPV6_PMTUDISC_DO, _DONT
                socket.SetRawSocketOption(SOL_IPV6, IPV6_MTU_DISCOVER, BitConverter.GetBytes(probe.DontFragment ? 2 : 0));
            }
            // Also errors that a socket otherwise hopes to get over.
            socket.SetRawSocketOption(IsV4 ? SOL_IP : SOL_IPV6, IsV4 ? IP_RECVERR : IPV6_RECVERR, BitConverter.GetBytes(1));
            await BindAsync(socket, sourcePort, cancel);
            await socket.ConnectAsync(to, limit.Token);
            var payload = new byte[probe.PayloadBytes];
            BinaryPrimitives.WriteUInt32BigEndian(payload, mark);
            await socket.SendAsync(payload, SocketFlags.None, limit.Token);
            await socket.ReceiveAsync(payload, SocketFlags.None, limit.Token);
            return new Result(Seen.Answered, null, Arrived(mark));
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            // A device has dropped it at once, which nobody without IP_RECVERR is told.
            return new Result(Seen.Silence, null, Arrived(mark));
        }
        catch (SocketException refused)
        {
            return new Result(Seen.Refused, refused.SocketErrorCode.ToString(), Arrived(mark));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new Result(Seen.Silence, null, Arrived(mark));
        }
    }

    // A program that is just being started (nft, for another network) has all descriptors between fork and exec, and with them a port that was closed here.
    private async Task BindAsync(Socket socket, ushort port, CancellationToken cancel)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                socket.Bind(new IPEndPoint(Any, port));
                return;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && tries < 500)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), cancel);
            }
        }
    }

    public void Dispose()
    {
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
        _kernels.Dispose();
    }

    private List<Space> Observe() => [.. _networks.Keys.Select(id => KernelSource.Observe(_kernels, id))];

    private (NamespaceId, IpAddress, ushort)? Arrived(uint mark) => _arrived.TryGetValue(mark, out var where) ? where : null;

    // A socket for each address: what answers from all of them answers from whichever the way back suggests.
    private void Listen(Space space)
    {
        var network = _networks[space.Id];
        _sockets.Add(network.ListenTcp(new IPEndPoint(Any, OpenPort)));
        foreach (var address in space.Addresses)
        {
            if (address.Address.Family != _family || address.Address.Address.IsLinkLocal)
            {
                continue;
            }
            var socket = network.OpenUdp(Sockets);
            socket.Bind(new IPEndPoint(address.Address.Address.ToIPAddress(), OpenPort));
            _sockets.Add(socket);
            _ = EchoAsync(socket, space.Id);
        }
    }

    private async Task EchoAsync(Socket socket, NamespaceId at)
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var came = await socket.ReceiveFromAsync(buffer, new IPEndPoint(Any, 0));
                var from = (IPEndPoint)came.RemoteEndPoint;
                _arrived[BinaryPrimitives.ReadUInt32BigEndian(buffer)] = (at, IpAddress.From(from.Address), (ushort)from.Port);
                try
                {
                    // A short answer: its length is no question here.
                    await socket.SendToAsync(buffer.AsMemory(0, 4), from);
                }
                catch (SocketException)
                {
                    // There is no way back: that is what is measured.
                }
            }
        }
        catch (Exception closed) when (closed is ObjectDisposedException or SocketException)
        {
        }
    }
}
