using Plumb.Linux.Capture;

namespace Plumb.Diagnosis.Capture;

/// <summary>Where each packet was last seen and as what: from this it is told what was rewritten on the way. Remembers the latest, tens of thousands of them.</summary>
internal sealed class PacketMemory
{
    private const int MostOfOneGeneration = 1 << 15;

    private Dictionary<PacketIdentity, Sighting> _young = [];
    private Dictionary<PacketIdentity, Sighting> _old = [];

    /// <summary>Where this packet was before; null: it was not seen before, or at this very place.</summary>
    public Sighting? See(PacketIdentity identity, in PacketHeaders headers, CapturePlace place)
    {
        var before = Find(identity);
        if (_young.Count >= MostOfOneGeneration)
        {
            (_old, _young) = (_young, []);
        }
        _young[identity] = new Sighting(headers, place);
        return before is { } earlier && earlier.Place != place ? earlier : null;
    }

    public bool Knows(PacketIdentity identity) => Find(identity) is not null;

    private Sighting? Find(PacketIdentity identity) =>
        _young.TryGetValue(identity, out var young) ? young : _old.TryGetValue(identity, out var old) ? old : null;

    internal readonly record struct Sighting(PacketHeaders Headers, CapturePlace Place);
}
