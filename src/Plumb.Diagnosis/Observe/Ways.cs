using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;
using Plumb.Linux.Nftables.Tracing;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Observe;

/// <summary>
/// Tells the way there from the way back. An answer of UDP bears no sign, or the probe's own: it is what comes from where the probe was seen to go, to
/// where it was seen to come from, with whatever addresses that was.
/// </summary>
/// <param name="vxlanPort">UDP port of tunnels.</param>
internal sealed class Ways(ushort vxlanPort)
{
    private readonly HashSet<(IpAddress Source, ushort SourcePort, IpAddress Destination, ushort DestinationPort)> _there = [];
    private readonly HashSet<(IpAddress Source, IpAddress Destination)> _tunnelsBack = [];

    /// <summary>Null: it has nothing to do with the probe. To be asked in order of time.</summary>
    public Leg? LegOf(in CaughtFrame frame)
    {
        var leg = LegOf(frame.Seen.Headers, frame.IsProbe, frame.IsAnswer);
        if (leg == Leg.Back && frame.Seen.Tunnel is { } tunnel)
        {
            _tunnelsBack.Add((tunnel.Source, tunnel.Destination));
        }
        return leg;
    }

    /// <summary>Whose rules met which of them. The packet's headers come with the first event of a chain, for all that follow.</summary>
    public IEnumerable<RuleSighting> Rules(NamespaceId space, IReadOnlyList<TraceEvent> events, ProbeSigns signs)
    {
        var known = new Dictionary<uint, (Leg? Leg, bool IsTunnel)>();
        foreach (var told in events)
        {
            if (told.NetworkHeader.Length > 0)
            {
                var (now, isTunnel) = Read(told, signs);
                // Half translated it may look like nobody's: it is whose it was.
                known[told.Id] = now is null && known.TryGetValue(told.Id, out var before) ? before : (now, isTunnel);
            }
            if (known.TryGetValue(told.Id, out var of) && of.Leg is { } leg && !told.Table.Name.StartsWith(TraceTable.NamePrefix, StringComparison.Ordinal))
            {
                yield return new RuleSighting(space, leg, of.IsTunnel, told);
            }
        }
    }

    private Leg? LegOf(in PacketHeaders headers, bool isProbe, bool isAnswer)
    {
        if (isAnswer)
        {
            return Leg.Back;
        }
        if (headers.Protocol == Packet.Udp && _there.Contains((headers.Destination, headers.DestinationPort, headers.Source, headers.SourcePort)))
        {
            return Leg.Back;
        }
        if (!isProbe)
        {
            return null;
        }
        _there.Add((headers.Source, headers.SourcePort, headers.Destination, headers.DestinationPort));
        return Leg.There;
    }

    private (Leg? Leg, bool IsTunnel) Read(TraceEvent told, ProbeSigns signs)
    {
        const ushort withoutLinkHeader = 0xfffe;
        byte[] packet = [.. told.NetworkHeader.Span, .. told.TransportHeader.Span];
        if (!PacketHeaders.TryRead(packet, withoutLinkHeader, out var headers))
        {
            return (null, false);
        }
        if (headers.Protocol == Packet.Udp && headers.DestinationPort == vxlanPort)
        {
            return (_tunnelsBack.Contains((headers.Source, headers.Destination)) ? Leg.Back : Leg.There, true);
        }
        var isProbe = signs.Probe.IsOn(headers.Protocol, told.TransportHeader.Span);
        return (LegOf(headers, isProbe, !isProbe && signs.IsOnAnswer(headers.Protocol, told.TransportHeader.Span)), false);
    }
}
