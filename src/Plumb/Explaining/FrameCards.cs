using System.Globalization;
using Plumb.Capture;
using Plumb.Diagnosis.Capture;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;
using Plumb.Linux.State;
using Plumb.Scenes;

namespace Plumb.Explaining;

/// <summary>A frame of a capture file, FILE:NUMBER as Wireshark counts: layer by layer, whose addresses these are, and where else the same packet was seen.</summary>
internal static class FrameCards
{
    // What is seen later than this is another packet that looks the same.
    private const long MostApart = 5_000_000_000;
    private const int MostPlaces = 16;

    /// <summary>Whether a thing is a frame of a file: of one that is there, or is called as captures are.</summary>
    public static bool IsFrame(string thing) =>
        TryRead(thing, out var file, out _) && (File.Exists(file) || Path.GetExtension(file) is ".pcapng" or ".pcap" or ".cap");

    /// <exception cref="LabException">The file cannot be read, or has no such frame.</exception>
    public static async Task<Card> OfAsync(IScene scene, string thing, CancellationToken cancel)
    {
        _ = TryRead(thing, out var file, out var number);
        try
        {
            var names = (await CaptureEnds.FindAsync(scene, null, null, cancel)).Names;
            using var stream = File.OpenRead(file);
            var frame = CaptureFile.Read(stream).FirstOrDefault(one => one.Number == number) ?? throw new LabException($"{file} has no frame {number}: they count from 1, as in Wireshark");
            stream.Position = 0;
            return new Card(thing, [Caught(scene, frame), .. Layers(scene, names, frame), .. frame.Comments.Select(static text => new CardLine("comment", text)), .. Way(CaptureFile.Read(stream), frame)]);
        }
        catch (FileNotFoundException missing)
        {
            throw new LabException($"there is no file {file}", missing);
        }
        catch (CaptureFileException damaged)
        {
            throw new LabException($"{file}: {damaged.Message}", damaged);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{file} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static bool TryRead(string thing, out string file, out int number)
    {
        var colon = thing.LastIndexOf(':');
        (file, number) = (colon > 0 ? thing[..colon] : "", 0);
        return colon > 0 && int.TryParse(thing.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static CardLine Caught(IScene scene, RecordedFrame frame)
    {
        var way = frame.IsOutgoing switch { true => "out of ", false => "in by ", null => "" };
        var time = frame.Nanoseconds is { } at ? DateTimeOffset.UnixEpoch.AddTicks(at / 100).ToLocalTime().ToString(", yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) : "";
        var kept = frame.Bytes.Length < frame.Length ? $"; {frame.Bytes.Length} of {frame.Length} bytes are kept" : "";
        return new CardLine("caught", $"{way}{(frame.Place.Length == 0 ? "a device that the file does not name" : frame.Place)}{Whose(scene, frame)}{time}{kept}");
    }

    // Places of `plumb capture` are called MACHINE/DEVICE; what the device is now the scene knows.
    private static string Whose(IScene scene, RecordedFrame frame)
    {
        var slash = frame.Place.LastIndexOf('/');
        if (slash > 0
            && scene.Parties.All.FirstOrDefault(party => party.Name == frame.Place[..slash] || party.FullName == frame.Place[..slash]) is { } party
            && scene.World.Find(party.Space)?.Link(frame.Place[(slash + 1)..]) is { Type: LinkType.Veth { PeerNamespace: { } there } }
            && scene.Parties.Of(there) is { } behind && behind != party)
        {
            return $", the cable to {behind.Title}";
        }
        return frame.Description.Length == 0 ? "" : $" ({frame.Description})";
    }

    private static IEnumerable<CardLine> Layers(IScene scene, CaptureNames names, RecordedFrame frame)
    {
        Dictionary<MacAddress, string>? stations = null;
        var layers = new FrameLayers(names.Of, mac => (stations ??= Stations(scene)).GetValueOrDefault(mac), CapturePlaces.VxlanPort);
        return layers.Read(frame.Bytes, frame.LinkType).Select(static layer => new CardLine(layer.Name, layer.Text));
    }

    private static Dictionary<MacAddress, string> Stations(IScene scene)
    {
        var all = new Dictionary<MacAddress, string>();
        foreach (var party in scene.Parties.All)
        {
            foreach (var link in scene.World.Find(party.Space)?.Links ?? [])
            {
                if (link.Mac is { IsZero: false } mac)
                {
                    all.TryAdd(mac, $"{link.Name} of {party.Title}");
                }
            }
        }
        return all;
    }

    /// <summary>Where the same packet was seen, in order of time: by TCP's sequence numbers, or by its content.</summary>
    private static IEnumerable<CardLine> Way(IEnumerable<RecordedFrame> all, RecordedFrame frame)
    {
        if (Identity(frame) is not { } identity)
        {
            return [];
        }
        var same = all
            .Where(one => one.Number == frame.Number || (Math.Abs((one.Nanoseconds ?? 0) - (frame.Nanoseconds ?? 0)) <= MostApart && Identity(one) == identity))
            .OrderBy(static one => one.Nanoseconds).ThenBy(static one => one.Number).ToList();
        if (same.Count == 1)
        {
            return [];
        }
        var at = same.FindIndex(one => one.Number == frame.Number);
        var from = Math.Max(0, Math.Min(at - (MostPlaces / 2), same.Count - MostPlaces));
        return same.Skip(from).Take(MostPlaces).Select((one, i) => new CardLine(
            i == 0 ? $"{at + 1} of {same.Count}" : "",
            $"{(one.Number == frame.Number ? "→" : " ")} {one.Number,5}  {one.Place}{one.IsOutgoing switch { true => " out", false => " in", null => "" }}"));
    }

    private static PacketIdentity? Identity(RecordedFrame frame)
    {
        var (bytes, hardware) = FrameLink.Strip(frame.Bytes, frame.LinkType);
        return SeenPacket.TryRead(bytes, hardware, CapturePlaces.VxlanPort, out var seen) ? PacketIdentity.Of(seen.Headers, bytes) : null;
    }
}
