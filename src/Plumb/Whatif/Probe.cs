using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;

namespace Plumb.Whatif;

/// <summary>Somewhere that packets are sent to, to see whether they arrive.</summary>
/// <param name="Title">For a person: <c>Service default/website:80</c>.</param>
/// <param name="Port">0: an echo.</param>
/// <param name="FromOutside">Reached by others than pods: a node port, an external address.</param>
internal sealed record Probe(string Title, IpAddress Address, byte Protocol, ushort Port, bool FromOutside)
{
    // As `plumb trace` has it: what stands for any port that a kernel would choose.
    private const ushort AnyPort = 47_808;

    public string Place => Port == 0 ? Address.ToString() : Address.Family == IpFamily.V4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";

    public Packet Packet()
    {
        var isV4 = Address.Family == IpFamily.V4;
        var packet = new Packet(IpAddress.Unspecified(Address.Family), Address, Protocol);
        return Port == 0 ? packet with { Message = new IcmpKind((byte)(isV4 ? 8 : 128), 0), EchoId = 1, Length = isV4 ? 84 : 104 }
            : packet with { SourcePort = AnyPort, DestinationPort = Port, Flags = Protocol == Diagnosis.Packets.Packet.Tcp ? TcpFlags.Syn : TcpFlags.None, Length = isV4 ? 60 : 80 };
    }

    /// <summary>A packet of a connection under way.</summary>
    public static Packet Of(ConntrackTuple tuple) => new(tuple.Source, tuple.Destination, tuple.Protocol)
    {
        SourcePort = tuple.SourcePort,
        DestinationPort = tuple.DestinationPort,
        Flags = tuple.Protocol == Diagnosis.Packets.Packet.Tcp ? TcpFlags.Ack : TcpFlags.None,
    };
}

/// <summary>What a walk came to, in as many words as count here.</summary>
/// <param name="Delivered">How likely.</param>
internal sealed record Reached(double Delivered, string Text, IReadOnlyList<string> Ends, Outcome? Failure)
{
    private const double Rounding = 1e-6;

    public bool Always => Delivered > 1 - Rounding;

    public bool Never => Delivered < Rounding;

    public static Reached Of(Trace trace, Func<Outcome, string> end)
    {
        var good = trace.Outcomes.Where(static outcome => outcome.Verdict == Verdict.Delivered).ToList();
        var failure = trace.Outcomes.FirstOrDefault(static outcome => outcome.Verdict != Verdict.Delivered);
        var delivered = good.Sum(static outcome => outcome.Probability);
        var ends = good.Select(end).Distinct().Order(StringComparer.Ordinal).ToList();
        var where = ends.Count <= 3 ? string.Join(", ", ends) : $"{string.Join(", ", ends.Take(3))} and {ends.Count - 3} more";
        var text = failure is null ? $"delivered to {where}" : $"{failure.Verdict.ToString().ToLowerInvariant()}: {failure.Reason}";
        return new Reached(delivered, failure is not null && good.Count > 0 ? $"delivered {delivered:P0} of the time, to {where}; else {text}" : text, ends, failure);
    }

    /// <summary>Null: as before.</summary>
    public Effect? To(Reached after) =>
        after.Delivered < Delivered - Rounding ? Effect.Breaks
        : after.Delivered > Delivered + Rounding ? Effect.Opens
        : null;
}
