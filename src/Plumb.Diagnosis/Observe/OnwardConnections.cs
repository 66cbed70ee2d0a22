using Plumb.Linux.Capture;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Observe;

/// <summary>A TCP connection that was opened where a request had arrived, while it waited for its answer: what a proxy does with it, if it is one.</summary>
/// <param name="Packet">Its first SYN, as it left.</param>
/// <param name="Answer">Answered: it stands.</param>
public sealed record OnwardConnection(NamespaceId Space, PacketHeaders Packet, ProbeAnswer Answer);

/// <summary>Collects what opens and refuses connections, and says what became of those that were opened where, and after, a probe arrived.</summary>
internal sealed class OnwardConnections
{
    private const byte Syn = 0x02;
    private const byte Rst = 0x04;
    private const byte Ack = 0x10;
    private const int Most = 1 << 12;
    private const int MostTold = 4;

    private readonly List<(NamespaceId Space, bool IsOutgoing, long Nanoseconds, PacketHeaders Packet)> _seen = [];

    public void Take(NamespaceId space, bool isOutgoing, long nanoseconds, in PacketHeaders packet)
    {
        if (packet.Protocol == PacketHeaders.Tcp && (packet.TcpFlags & (Syn | Rst)) != 0 && _seen.Count < Most)
        {
            _seen.Add((space, isOutgoing, nanoseconds, packet));
        }
    }

    /// <summary>One to each port of an address, at most a few.</summary>
    public IReadOnlyList<OnwardConnection> After(IReadOnlyList<Sighting> probe)
    {
        // Where it came last for the first time: what is sent again passes everywhere again.
        if (probe.Where(static one => one is { Leg: Leg.There, IsOutgoing: false }).DistinctBy(static one => one.Space).LastOrDefault() is not { } arrival)
        {
            return [];
        }
        var there = _seen.Where(one => one.Space == arrival.Space && one.Nanoseconds >= arrival.Nanoseconds).OrderBy(static one => one.Nanoseconds).ToList();
        return
        [
            .. there.Where(static one => one.IsOutgoing && (one.Packet.TcpFlags & (Syn | Ack | Rst)) == Syn)
                .DistinctBy(static one => (one.Packet.Destination, one.Packet.DestinationPort))
                .Take(MostTold)
                .Select(one => new OnwardConnection(one.Space, one.Packet, AnswerTo(one.Packet))),
        ];

        ProbeAnswer AnswerTo(PacketHeaders syn)
        {
            foreach (var (_, isOutgoing, _, packet) in there)
            {
                if (!isOutgoing && (packet.Source, packet.SourcePort, packet.Destination, packet.DestinationPort) == (syn.Destination, syn.DestinationPort, syn.Source, syn.SourcePort))
                {
                    return (packet.TcpFlags & Rst) != 0 ? ProbeAnswer.Refused : ProbeAnswer.Answered;
                }
            }
            return ProbeAnswer.Silence;
        }
    }
}
