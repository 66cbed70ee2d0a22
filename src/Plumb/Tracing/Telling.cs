using Plumb.Diagnosis.Explain;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Scenes;
using Stage = Plumb.Diagnosis.Walk.Stage;

namespace Plumb.Tracing;

/// <summary>Says of a walk whose each place and entry is.</summary>
/// <param name="causes">What plans say of entries.</param>
internal sealed class Telling(IScene scene, IReadOnlyDictionary<EntryKey, IReadOnlyList<Origin>> causes)
{
    private readonly Dictionary<EntryKey, Explanation?> _explained = [];

    public TracedPlace Place(NamespaceId space) =>
        scene.Parties.Of(space) is { } party ? new TracedPlace(space.Name, party.Title, party.Node) : new TracedPlace(space.Name, space.Name, space.Name);

    public TracedOutcome Outcome(Outcome outcome, string? nearMiss)
    {
        int? killer = outcome.Killer is null ? null
            : IndexOf(outcome.There, outcome.Killer) is { } there ? there
            : IndexOf(outcome.Back, outcome.Killer);
        return new TracedOutcome(
            Math.Round(outcome.Probability, 6), outcome.Verdict, outcome.Reason, Place(outcome.End), Packet(outcome.Final), killer, nearMiss,
            [.. outcome.There.Select(Hop)], [.. outcome.Back.Select(Hop)]);
    }

    public static TracedPacket Packet(Packet packet)
    {
        var hasPorts = packet.Protocol is Diagnosis.Packets.Packet.Tcp or Diagnosis.Packets.Packet.Udp or Diagnosis.Packets.Packet.Sctp;
        return new TracedPacket(
            ProtocolName(packet.Protocol),
            packet.Source.ToString(),
            packet.Destination.ToString(),
            hasPorts ? packet.SourcePort : null,
            hasPorts ? packet.DestinationPort : null,
            packet.TimeToLive,
            packet.Length,
            packet.Mark == 0 ? null : $"0x{packet.Mark:x}",
            packet.Inner is { } inner ? Packet(inner.Packet) : null);
    }

    public static string ProtocolName(byte protocol) => protocol switch
    {
        Diagnosis.Packets.Packet.Tcp => "tcp",
        Diagnosis.Packets.Packet.Udp => "udp",
        Diagnosis.Packets.Packet.Icmp => "icmp",
        Diagnosis.Packets.Packet.IcmpV6 => "icmpv6",
        Diagnosis.Packets.Packet.Sctp => "sctp",
        _ => protocol.ToString(),
    };

    private TracedHop Hop(Hop hop)
    {
        var (origins, owner) = Owner(hop);
        return new TracedHop(
            Place(hop.Space), hop.Stage, hop.What, hop.Device, hop.Connection is null ? hop.Entry?.Kind.ToString().ToLowerInvariant() : HopWords.Connection, hop.Entry?.Name, hop.Text,
            hop.Handle == 0 ? null : hop.Handle, hop.Chance < 1 ? Math.Round(hop.Chance, 6) : null, Packet(hop.Before), Packet(hop.After), origins, owner);
    }

    private (IReadOnlyList<string> Causes, string Owner) Owner(Hop hop)
    {
        if (hop.Entry is { } key)
        {
            if (causes.TryGetValue(key, out var planned) && planned.Count > 0)
            {
                return ([.. planned.Select(static origin => origin.ToString())], planned.Count == 1 ? planned[0].ToString() : $"{planned[0]} and {planned.Count - 1} more");
            }
            if (hop.Stamp is { } stamp && Origin.TryParse(stamp, out var stamped))
            {
                return ([stamped!.ToString()], stamped.ToString());
            }
            if (!_explained.TryGetValue(key, out var explanation))
            {
                _explained[key] = explanation = scene.World.Find(key.Namespace) is { } space ? Account.Of(key, space.State, null) : null;
            }
            if (explanation is not null)
            {
                return ([.. explanation.Causes.Select(static cause => cause.ToString())], explanation.Causes.Count > 0 ? explanation.Causes[0].ToString() : explanation.Reason);
            }
            if (key.Kind == EntryKind.Sysctl)
            {
                return ([], "a kernel parameter");
            }
        }
        var place = scene.Parties.Of(hop.Space)?.Subject ?? hop.Space.Name;
        return hop.Stage == Stage.Deliver ? ([place], place) : ([], $"the kernel of {place}");
    }

    private static int? IndexOf(IReadOnlyList<Hop> hops, Hop hop)
    {
        for (var i = hops.Count - 1; i >= 0; i--)
        {
            if (hops[i] == hop)
            {
                return i;
            }
        }
        return null;
    }
}
