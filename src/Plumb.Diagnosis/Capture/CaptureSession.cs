using System.Buffers;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Capture;

/// <summary>
/// Catches frames in many namespaces at once and gives them out on one time line. All clocks are the kernel's one: a frame is held back until every
/// ring must have told of those before it.
/// </summary>
/// <param name="deviceOf">The name of an ifindex in a namespace; null: there is none (any more).</param>
/// <param name="vxlanPort">UDP port whose datagrams are looked into.</param>
public sealed class CaptureSession(
    IReadOnlyList<(NamespaceId Namespace, PacketRing Ring)> rings,
    CaptureSelection selection,
    CaptureNames names,
    Func<NamespaceId, int, string?> deviceOf,
    ushort vxlanPort,
    ICaptureSink sink,
    TimeProvider time)
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<(NamespaceId, int), Counted> _places = [];
    private readonly List<Held> _held = [];
    private readonly PacketMemory _memory = new();

    public long Frames { get; private set; }

    /// <summary>Until it is cancelled, or there are so many.</summary>
    public void Run(long most, CancellationToken cancel)
    {
        var all = rings.Select(static one => one.Ring).ToList();
        while (!cancel.IsCancellationRequested && Frames < most)
        {
            var before = NowNanoseconds();
            PacketRing.Wait(all, Turn);
            Drain();
            // What is older than a block may wait has been given out by every ring.
            GiveOut(before - (2 * (long)PacketRing.Latency.TotalNanoseconds), most);
        }
        // Blocks that are not full yet are given out when their time has come.
        for (var until = NowNanoseconds() + (2 * (long)PacketRing.Latency.TotalNanoseconds); NowNanoseconds() < until;)
        {
            PacketRing.Wait(all, PacketRing.Latency);
            Drain();
        }
        GiveOut(long.MaxValue, most);
        sink.End(Counts());
    }

    private void Drain()
    {
        foreach (var (place, ring) in rings)
        {
            _ = ring.Drain((in CapturedFrame frame) =>
            {
                var bytes = ArrayPool<byte>.Shared.Rent(frame.Bytes.Length);
                frame.Bytes.CopyTo(bytes);
                _held.Add(new Held(frame.Nanoseconds, place, frame.Device, frame.HardwareType, frame.Direction, bytes, frame.Bytes.Length, frame.Length));
            });
        }
    }

    private void GiveOut(long before, long most)
    {
        _held.Sort(static (left, right) => left.Nanoseconds.CompareTo(right.Nanoseconds));
        var count = 0;
        while (count < _held.Count && _held[count].Nanoseconds < before)
        {
            var held = _held[count++];
            if (Frames < most)
            {
                Give(held);
            }
            ArrayPool<byte>.Shared.Return(held.Bytes);
        }
        _held.RemoveRange(0, count);
        if (count > 0)
        {
            sink.Flush();
        }
    }

    private void Give(in Held held)
    {
        var bytes = held.Bytes.AsSpan(0, held.Captured);
        var isIp = SeenPacket.TryRead(bytes, held.HardwareType, vxlanPort, out var seen);
        var identity = isIp ? PacketIdentity.Of(seen.Headers, bytes) : default;
        if (!Wants(isIp, seen, identity) || PlaceOf(held) is not { } place)
        {
            return;
        }
        string? rewritten = null;
        if (isIp && _memory.See(identity, seen.Headers, place.Place) is { } earlier)
        {
            rewritten = Rewrites(earlier, seen.Headers);
        }
        place.Frames++;
        Frames++;
        sink.Take(new CapturedPacket(
            place.Place, held.Nanoseconds, held.Direction == FrameDirection.Outgoing, bytes, held.Length, isIp ? seen : null, isIp ? Between(seen.Headers) : null, rewritten));
    }

    // A packet that was wanted at another place is wanted here, whoever's addresses it has by now.
    private bool Wants(bool isIp, in SeenPacket seen, PacketIdentity identity)
    {
        if (!isIp)
        {
            return selection is { Source.Count: 0, Destination.Count: 0, Expression: null };
        }
        var isBetween = selection.Wants(seen.Headers) || ((selection.Source.Count > 0 || selection.Destination.Count > 0) && _memory.Knows(identity));
        return isBetween && (selection.Expression is not { } expression || expression.Matches(seen.Headers) || _memory.Knows(identity));
    }

    private Counted? PlaceOf(in Held held)
    {
        if (_places.TryGetValue((held.Namespace, held.Device), out var known))
        {
            return known;
        }
        if (deviceOf(held.Namespace, held.Device) is not { } device)
        {
            return null;
        }
        return _places[(held.Namespace, held.Device)] = new Counted(new CapturePlace(held.Namespace, device) { Number = _places.Count, HardwareType = held.HardwareType });
    }

    private string? Between(in PacketHeaders headers)
    {
        var (source, destination) = (names.Of(headers.Source), names.Of(headers.Destination));
        return source is null && destination is null ? null : $"{source ?? headers.Source.ToString()} → {destination ?? headers.Destination.ToString()}";
    }

    private static string? Rewrites(in PacketMemory.Sighting earlier, in PacketHeaders now)
    {
        var was = earlier.Headers;
        var source = (was.Source, was.SourcePort) != (now.Source, now.SourcePort) ? $"source {End(was.Source, was.SourcePort)} → {End(now.Source, now.SourcePort)}" : null;
        var destination = (was.Destination, was.DestinationPort) != (now.Destination, now.DestinationPort)
            ? $"destination {End(was.Destination, was.DestinationPort)} → {End(now.Destination, now.DestinationPort)}" : null;
        return source is null && destination is null ? null : $"since {earlier.Place}: {string.Join(", ", new[] { source, destination }.OfType<string>())}";
    }

    internal static string End(IpAddress address, ushort port) =>
        port == 0 ? address.ToString() : address.Family == IpFamily.V6 ? $"[{address}]:{port}" : $"{address}:{port}";

    private List<PlaceCount> Counts()
    {
        var dropped = rings.ToDictionary(static one => one.Namespace, static one => one.Ring.Dropped);
        var counts = new List<PlaceCount>();
        foreach (var place in _places.Values.OrderBy(static one => one.Place.Number))
        {
            dropped.Remove(place.Place.Namespace, out var lost);
            counts.Add(new PlaceCount(place.Place, place.Frames, lost));
        }
        return counts;
    }

    private long NowNanoseconds() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    private sealed class Counted(CapturePlace place)
    {
        public CapturePlace Place => place;

        public long Frames { get; set; }
    }

    private readonly record struct Held(
        long Nanoseconds, NamespaceId Namespace, int Device, ushort HardwareType, FrameDirection Direction, byte[] Bytes, int Captured, int Length);
}
