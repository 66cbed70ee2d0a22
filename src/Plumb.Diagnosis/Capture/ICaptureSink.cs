using Plumb.Linux.Capture;

namespace Plumb.Diagnosis.Capture;

/// <summary>A caught frame with what is known of it.</summary>
/// <param name="bytes">From its link header on; lasts as long as the call.</param>
public readonly ref struct CapturedPacket(CapturePlace place, long nanoseconds, bool isOutgoing, ReadOnlySpan<byte> bytes, int length, SeenPacket? seen, string? between, string? rewritten)
{
    public CapturePlace Place { get; } = place;

    /// <summary>Since 1970.</summary>
    public long Nanoseconds { get; } = nanoseconds;

    /// <summary>As the device sees it.</summary>
    public bool IsOutgoing { get; } = isOutgoing;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>Octets of the whole frame.</summary>
    public int Length { get; } = length;

    /// <summary>Null: it carries no IP.</summary>
    public SeenPacket? Seen { get; } = seen;

    /// <summary>Whose its addresses are: <c>client → website</c>; null: nobody's that is known.</summary>
    public string? Between { get; } = between;

    /// <summary>What is another since the last place where it was seen; null: nothing.</summary>
    public string? Rewritten { get; } = rewritten;
}

/// <summary>Where caught frames go, in order of time.</summary>
public interface ICaptureSink
{
    void Take(in CapturedPacket packet);

    /// <summary>All has been taken that there was up to now: whoever watches may see it.</summary>
    void Flush();

    /// <summary>The capture has ended.</summary>
    void End(IReadOnlyList<PlaceCount> counts);
}

/// <param name="Dropped">Frames of its namespace for which there was no room; told once, with the first place of the namespace.</param>
public sealed record PlaceCount(CapturePlace Place, long Frames, long Dropped);

/// <summary>Into a file that Wireshark reads.</summary>
public sealed class PcapngSink : ICaptureSink
{
    private readonly PcapngWriter _to;
    private readonly Func<CapturePlace, string> _describe;
    private readonly TimeProvider _time;
    private readonly int _snapLength;
    private int _places;

    /// <param name="describe">What a place is, for a person.</param>
    public PcapngSink(Stream to, CaptureNames names, Func<CapturePlace, string> describe, int snapLength, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(names);
        _to = new PcapngWriter(to);
        _describe = describe;
        _snapLength = snapLength;
        _time = time;
        _to.WriteHeader("plumb capture");
        _to.WriteNames(names.All);
        _to.Flush();
    }

    public void Take(in CapturedPacket packet)
    {
        const ushort withoutLinkHeader = 0xfffe;
        if (packet.Place.Number == _places)
        {
            _ = _to.WriteInterface(packet.Place.ToString(), _describe(packet.Place), packet.Place.HardwareType == withoutLinkHeader ? PcapngWriter.RawIp : PcapngWriter.Ethernet, _snapLength);
            _places++;
        }
        Span<string> comments = new string[2];
        var count = 0;
        if (packet.Between is { } between)
        {
            comments[count++] = between;
        }
        if (packet.Rewritten is { } rewritten)
        {
            comments[count++] = rewritten;
        }
        _to.WriteFrame(packet.Place.Number, packet.Nanoseconds, packet.Bytes, packet.Length, packet.IsOutgoing, comments[..count]);
    }

    public void Flush() => _to.Flush();

    public void End(IReadOnlyList<PlaceCount> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        var now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        foreach (var one in counts)
        {
            _to.WriteStatistics(one.Place.Number, now, one.Frames, one.Dropped);
        }
        _to.Flush();
    }
}
