using System.Globalization;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;
using Plumb.Scenes;

namespace Plumb.Explaining;

/// <summary>A port: who listens there, which process and pod; and the connections that kernels remember of an address and port.</summary>
internal static class SocketCards
{
    private const int MostConnections = 10;

    /// <param name="address">Null: of anybody's.</param>
    public static IReadOnlyList<Card> OfPort(IScene scene, IEnumerable<Party> parties, IpAddress? address, ushort port)
    {
        var found = new List<(Party Party, BoundSocket Socket)>();
        foreach (var party in parties.DistinctBy(static party => party.Space))
        {
            var isIts = address is not { } wanted || party.Addresses.Contains(wanted) || wanted.IsLoopback;
            foreach (var socket in isIts ? scene.World.Find(party.Space)?.Sockets ?? [] : [])
            {
                if (socket.Port == port && (address is not { } to || socket.Address.IsUnspecified || socket.Address == to))
                {
                    found.Add((party, socket));
                }
            }
        }
        var holders = SocketHolders.Of(found.Select(static one => one.Socket.Inode).ToHashSet());
        return [.. found.GroupBy(static one => one.Party).Select(group => new Card($"port {port} in {group.Key.Title}", [.. group.Select(one => Line(one.Socket, holders))]))];
    }

    /// <summary>What nodes remember of a flow: as its first packet came, and from where it is answered.</summary>
    public static IReadOnlyList<Card> OfConnections(IScene scene, IEnumerable<Party> parties, IpAddress address, ushort port)
    {
        var cards = new List<Card>();
        foreach (var party in parties.DistinctBy(static party => party.Space))
        {
            var its = (scene.World.Find(party.Space)?.Connections(address.Family) ?? []).Where(one => Has(one.Original, address, port) || Has(one.Reply, address, port)).ToList();
            if (its.Count > 0)
            {
                cards.Add(new Card(
                    $"{its.Count} {(its.Count == 1 ? "connection" : "connections")} that {party.Title} remembers",
                    [.. its.Take(MostConnections).Select(one => new CardLine(Protocol(one.Original.Protocol), Told(scene, one)))]));
            }
        }
        return cards;
    }

    /// <summary>A process: where it is, and what it listens at.</summary>
    public static Card? OfProcess(ILiveScene scene, int id)
    {
        if (ProcessFacts.Read(id) is not { } process)
        {
            return null;
        }
        var lines = new List<CardLine>();
        if (PartyOf(scene, id) is { } party)
        {
            lines.Add(new CardLine("network of", $"{party.FullName}{(party.Node == party.Name ? "" : $" on {party.Node}")}"));
            if (scene.EvidenceOf(party.Space) is { } evidence)
            {
                lines.Add(new CardLine("", $"({evidence})"));
            }
            var own = SocketHolders.Of(id).ToHashSet();
            lines.AddRange((scene.World.Find(party.Space)?.Sockets ?? []).Where(socket => own.Contains(socket.Inode)).Select(static socket => new CardLine("listens", $"{Protocol(socket.Protocol)} {Place(socket)}")));
        }
        else
        {
            lines.Add(new CardLine("network of", "somebody who cannot be seen from here"));
        }
        if (process.ContainerId is { } container)
        {
            lines.Add(new CardLine("container", $"{container[..12]}{(process.Runtime is { } runtime ? $" of {runtime}" : "")}{(process.PodUid is { } uid ? $", pod {uid}" : "")}"));
        }
        return new Card($"process {id} ({process.Name})", lines);
    }

    private static Party? PartyOf(ILiveScene scene, int id)
    {
        try
        {
            using var its = Linux.Namespaces.NetworkNamespace.OpenOfProcess(id);
            foreach (var party in scene.Parties.All.DistinctBy(static party => party.Space))
            {
                using var other = scene.Open(party.Space);
                if (other.Identity == its.Identity)
                {
                    return party;
                }
            }
        }
        catch (SystemCallException)
        {
            // It has ended, or is another user's.
        }
        return null;
    }

    private static CardLine Line(BoundSocket socket, IReadOnlyDictionary<uint, int> holders)
    {
        var who = holders.TryGetValue(socket.Inode, out var id) ? $"{ProcessFacts.Read(id)?.Name ?? "a process"} (process {id.ToString(CultureInfo.InvariantCulture)})"
            : "a process that does not show its sockets here (another user's: CAP_SYS_PTRACE)";
        return new CardLine(Protocol(socket.Protocol), $"{Place(socket)}, {who}");
    }

    private static string Told(IScene scene, ConntrackEntry one)
    {
        var (asked, answers) = (one.Original, one.Reply);
        var isTranslated = answers.Source != asked.Destination || answers.SourcePort != asked.DestinationPort;
        var isHidden = answers.Destination != asked.Source || answers.DestinationPort != asked.SourcePort;
        return $"{Named(scene, asked.Source, asked.SourcePort)} → {Named(scene, asked.Destination, asked.DestinationPort)}"
            + (isTranslated ? $", answered by {Named(scene, answers.Source, answers.SourcePort)}" : "")
            + (isHidden ? $", which saw {Named(scene, answers.Destination, answers.DestinationPort)}" : "")
            + (one.Mark.Value == 0 ? "" : $"; mark {one.Mark}");
    }

    private static string Named(IScene scene, IpAddress address, ushort port) =>
        $"{(address.Family == IpFamily.V6 ? $"[{address}]" : address)}:{port}{(scene.Parties.At(address) is { } party ? $" ({party.Name})" : "")}";

    private static bool Has(ConntrackTuple tuple, IpAddress address, ushort port) =>
        (tuple.Source == address && tuple.SourcePort == port) || (tuple.Destination == address && tuple.DestinationPort == port);

    private static string Place(BoundSocket socket) => $"{(socket.Address.IsUnspecified ? "*" : socket.Address.Family == IpFamily.V6 ? $"[{socket.Address}]" : socket.Address)}:{socket.Port}";

    private static string Protocol(byte protocol) => protocol switch
    {
        Packet.Tcp => "tcp",
        Packet.Udp => "udp",
        Packet.Icmp => "icmp",
        Packet.Sctp => "sctp",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };
}
