using Plumb.Diagnosis.Capture;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Bpf;
using Plumb.Linux.Capture;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Iptables;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Tracing;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Observe;

/// <summary>
/// Eyes in many namespaces at once: packet sockets at every device, nf_tables' trace for packets with the probe's signs, connection tracking. All of it
/// is gone when this is disposed of, or when the process is no more.
/// </summary>
public sealed class Watch : IAsyncDisposable
{
    private const int RingBytes = 1 << 19;
    private const int MostFrames = 1 << 18;

    // All headers, of a tunnel and of what an error quotes too, and the token behind them.
    private const int MostBytes = 256;

    private const int MostTurns = 100;

    // Whoever is refused has an answer by then.
    private static readonly TimeSpan AfterDrop = TimeSpan.FromMilliseconds(100);

    private readonly Probe _probe;
    private readonly ushort _vxlanPort;
    private readonly List<Place> _places = [];
    private readonly PacketTracePoints? _points;
    private readonly TimeProvider _time;
    private readonly long _sinceStart;
    private readonly List<(Place Place, CaughtFrame Frame)> _frames = [];
    private readonly List<(uint Inode, TracePoint At, string? Reason, CaughtFrame Frame)> _traced = [];
    private readonly List<TracedRoute> _routes = [];
    private readonly OnwardConnections _onward = new();

    private Watch(Probe probe, ushort vxlanPort, PacketTracePoints? points, TimeProvider time)
    {
        (_probe, _vxlanPort, _points, _time) = (probe, vxlanPort, points, time);
        _sinceStart = SinceStart(time);
    }

    /// <param name="vxlanPort">UDP port of tunnels that are looked into.</param>
    /// <param name="points">The kernel's trace points; null: they cannot be had. Stay the caller's.</param>
    /// <exception cref="Linux.Native.SystemCallException">Packet sockets are not allowed in a namespace.</exception>
    public static async Task<Watch> OpenAsync(
        IReadOnlyList<(Space Space, NetworkNamespace Network)> places, Probe probe, ushort vxlanPort, PacketTracePoints? points, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(places);
        ArgumentNullException.ThrowIfNull(probe);
        ArgumentNullException.ThrowIfNull(time);
        var watch = new Watch(probe, vxlanPort, points, time);
        try
        {
            await AllAtOnce(places, watch.Add);
            return watch;
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends the probe and watches until it is answered, refused, seen to be dropped, or <paramref name="patience"/> is at its end.</summary>
    /// <param name="url">As <see cref="Probe.SendAsync"/> has it.</param>
    public async Task<Observation> ObserveAsync(UrlQuestion? url, TimeSpan patience, CancellationToken cancel)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        enough.CancelAfter(patience);
        using var home = new CancellationTokenSource();
        // A thread of its own: it waits in the kernel.
        var watching = Task.Factory.StartNew(() => Collect(enough, home.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var end = await _probe.SendAsync(url, _time, enough.Token);
        await home.CancelAsync();
        await watching;
        cancel.ThrowIfCancellationRequested();
        return Assemble(end, isRequest: url is not null);
    }

    public async ValueTask DisposeAsync() => await AllAtOnce(_places, static place => place.Dispose());

    // To make a ring or a table, and to take it out, is to wait until no processor uses what was there before (synchronize_rcu): all wait together.
    private static Task AllAtOnce<T>(IEnumerable<T> items, Action<T> act) =>
        Task.WhenAll(items.Select(item => Task.Factory.StartNew(() => act(item), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    private void Add((Space Space, NetworkNamespace Network) at)
    {
        var (space, network) = at;
        var place = new Place(space, (uint)network.Identity.Inode, PacketRing.Open(network, RingBytes, FilterProgram.First(MostBytes)));
        lock (_places)
        {
            _places.Add(place);
        }
        var (signs, family) = (_probe.Signs, _probe.Packet.Family);
        try
        {
            place.Table = TraceTable.Open(network, space.Id, family, signs.WithTunneled(_vxlanPort, family), learnsAnswers: _probe.Packet.Protocol == Packets.Packet.Udp);
        }
        catch (NftablesException refused)
        {
            place.Blind.Add($"{space.Id}: nftables cannot be traced: {refused.Message}");
        }
        try
        {
            place.Connections = network.Subscribe(NetlinkFamily.Netfilter, ConntrackEvent.Groups);
        }
        catch (Linux.Native.SystemCallException refused)
        {
            place.Blind.Add($"{space.Id}: connection tracking tells nothing: {refused.Message}");
        }
        if (IptablesKernel.LegacyTables(network, family) is { Length: > 0 } legacy)
        {
            place.Blind.Add($"{space.Id}: rules of iptables-legacy ({legacy.Trim().ReplaceLineEndings(", ")}) leave no trace; what they do is seen at the next device only");
        }
    }

    private void Collect(CancellationTokenSource enough, CancellationToken home)
    {
        var rings = _places.ConvertAll(static place => place.Ring);
        var wasDropped = false;
        while (!home.IsCancellationRequested)
        {
            PacketRing.Wait(rings, PacketRing.Latency);
            if (Drain() && !wasDropped)
            {
                wasDropped = true;
                enough.CancelAfter(AfterDrop);
            }
        }
        // Blocks that are not full yet are given out when their time has come, which on a busy machine may be late.
        for (var turns = 0; turns < 2 || (turns < MostTurns && rings.Exists(static ring => ring.HoldsBack)); turns++)
        {
            PacketRing.Wait([], PacketRing.Latency);
            Drain();
        }
    }

    /// <summary>Whether a rule was seen to drop it.</summary>
    private bool Drain()
    {
        var isDropped = false;
        _points?.Drain(Take, Take);
        foreach (var place in _places)
        {
            place.Ring.Drain((in CapturedFrame frame) => Take(place, frame));
            place.Table?.Drain(told =>
            {
                place.Told.Add(told);
                isDropped |= told.Verdict.Code == VerdictCode.Drop;
            });
            while (place.Connections?.TryReceive(message =>
            {
                if (ConntrackEvent.Read(message) is { } read)
                {
                    place.Remembered.Add(read);
                }
            }) is not null)
            {
            }
        }
        return isDropped;
    }

    private void Take(Place place, in CapturedFrame frame)
    {
        if (!SeenPacket.TryRead(frame.Bytes, frame.HardwareType, _vxlanPort, out var seen))
        {
            return;
        }
        var isOutgoing = frame.Direction == FrameDirection.Outgoing;
        if (Read(frame.Bytes, seen, frame.Nanoseconds, frame.Device, isOutgoing) is { } caught)
        {
            _frames.Add((place, caught));
        }
        else if (seen.Tunnel is null)
        {
            _onward.Take(place.Space.Id, isOutgoing, frame.Nanoseconds, seen.Headers);
        }
    }

    private void Take(in TracedPacket traced)
    {
        const ushort withoutLinkHeader = 0xfffe;
        if (SeenPacket.TryRead(traced.Packet, withoutLinkHeader, _vxlanPort, out var seen)
            && Read(traced.Packet, seen, traced.Nanoseconds + _sinceStart, traced.Device, traced.At == TracePoint.Queued) is { } caught)
        {
            _traced.Add((traced.Inode, traced.At, traced.Reason, caught));
        }
    }

    // Whose it is tell the addresses that the probe is seen to have: see RouteLookups.
    private void Take(TracedRoute traced)
    {
        if (_routes.Count < MostFrames && !traced.IsMiss)
        {
            _routes.Add(traced with { Nanoseconds = traced.Nanoseconds + _sinceStart });
        }
    }

    /// <summary>Null: it has nothing to do with the probe.</summary>
    private CaughtFrame? Read(ReadOnlySpan<byte> bytes, in SeenPacket seen, long nanoseconds, int device, bool isOutgoing)
    {
        if (_frames.Count >= MostFrames)
        {
            return null;
        }
        var transport = seen.Headers.TransportAt < bytes.Length ? bytes[seen.Headers.TransportAt..] : default;
        var (signs, protocol) = (_probe.Signs, seen.Headers.Protocol);
        var isProbe = signs.Probe.IsOn(protocol, transport);
        var isAnswer = !isProbe && signs.IsOnAnswer(protocol, transport);
        return isProbe || isAnswer || (protocol == Packets.Packet.Udp && _probe.Packet.Protocol == protocol)
            ? new CaughtFrame(nanoseconds, device, isOutgoing, seen, isProbe, isAnswer)
            : null;
    }

    private Observation Assemble(ProbeEnd end, bool isRequest)
    {
        // Stable: what has one time came in this order.
        var ways = new Ways(_vxlanPort);
        var sightings = new List<Sighting>();
        foreach (var (place, frame) in _frames.OrderBy(static one => one.Frame.Nanoseconds))
        {
            if (ways.LegOf(frame) is { } leg && place.Space.Name(frame.Device) is { } device)
            {
                sightings.Add(new Sighting(place.Space.Id, device, frame.IsOutgoing, frame.Nanoseconds, leg, frame.Seen.Headers, frame.Seen.Tunnel));
            }
        }
        return new Observation(end, sightings, [.. _places.SelectMany(place => ways.Rules(place.Space.Id, place.Told, _probe.Signs))], [.. Connections(sightings)], [.. Traced(ways)], [.. RouteSightings.Of(_routes, sightings, inode => _places.Find(place => place.Inode == inode)?.Space)], [.. _places.SelectMany(static place => place.Blind)])
        {
            Onward = isRequest ? _onward.After(sightings) : [],
        };
    }

    /// <summary>Trace points count from the start of the machine, packet sockets from 1970: what lies between, in nanoseconds. Asked several times, for in between others may run.</summary>
    private static long SinceStart(TimeProvider time)
    {
        var (least, best) = (long.MaxValue, 0L);
        for (var tries = 0; tries < 8; tries++)
        {
            var before = Now();
            var utc = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
            var after = Now();
            if (after - before < least)
            {
                (least, best) = (after - before, utc - before - ((after - before) / 2));
            }
        }
        return best;

        long Now() => (long)(time.GetTimestamp() * (1e9 / time.TimestampFrequency));
    }

    private IEnumerable<KernelSighting> Traced(Ways ways)
    {
        foreach (var (inode, at, reason, frame) in _traced)
        {
            if (ways.LegOf(frame) is { } leg)
            {
                var space = _places.Find(place => place.Inode == inode)?.Space;
                yield return new KernelSighting(space?.Id, space?.Name(frame.Device), at, frame.Nanoseconds, leg, reason);
            }
        }
    }

    private IEnumerable<ConnectionSighting> Connections(List<Sighting> sightings)
    {
        var tuples = sightings.Where(static one => one.Leg == Leg.There).Select(static one => (one.Packet.Source, one.Packet.Destination, one.Packet.Protocol, one.Packet.DestinationPort)).ToHashSet();
        foreach (var place in _places)
        {
            foreach (var told in place.Remembered)
            {
                var original = told.Entry.Original;
                if (tuples.Contains((original.Source, original.Destination, original.Protocol, original.DestinationPort)))
                {
                    yield return new ConnectionSighting(place.Space.Id, told);
                }
            }
        }
    }

    private sealed class Place(Space space, uint inode, PacketRing ring) : IDisposable
    {
        public uint Inode => inode;

        public Space Space => space;

        public PacketRing Ring => ring;

        public TraceTable? Table { get; set; }

        public NetlinkSubscription? Connections { get; set; }

        /// <summary>What cannot be watched here.</summary>
        public List<string> Blind { get; } = [];

        public List<TraceEvent> Told { get; } = [];

        public List<ConntrackEvent> Remembered { get; } = [];

        public void Dispose()
        {
            ring.Dispose();
            Table?.Dispose();
            Connections?.Dispose();
        }
    }
}

/// <param name="Device">ifindex.</param>
internal readonly record struct CaughtFrame(long Nanoseconds, int Device, bool IsOutgoing, SeenPacket Seen, bool IsProbe, bool IsAnswer);
