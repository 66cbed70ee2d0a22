using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>The hardware address of the next hop: what the kernel knows, else who would answer if it asked.</summary>
internal sealed class NeighbourStage : IStage
{
    private const NeighbourState Valid =
        NeighbourState.Permanent | NeighbourState.NoArp | NeighbourState.Reachable | NeighbourState.Stale | NeighbourState.Delay | NeighbourState.Probe;

    private static readonly MacAddress Broadcast = MacAddress.FromNumber(0xffff_ffff_ffff);

    public Stage Stage => Stage.Neighbour;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var device = traveller.Out!;
        var space = traveller.Space;
        var next = traveller.Route!.NextAddress(traveller.Packet.Destination);
        var mac = space.Link(device)?.Mac ?? default;
        if (space.Link(device) is not { } link || !Asks(link))
        {
            return [traveller.Go(Stage.Transmit)];
        }
        if (next.IsMulticast || traveller.Route.Type == RouteType.Broadcast)
        {
            return [(traveller with { FrameSource = mac, FrameDestination = Broadcast }).Go(Stage.Transmit)];
        }
        // What was not confirmed of late is asked again and used meanwhile.
        if (space.Neighbour(device, next) is { Mac: { } known } entry && (entry.State & Valid) != 0)
        {
            return [(traveller with { FrameSource = mac, FrameDestination = known, WasAsked = false })
                .Go(Stage.Transmit, traveller.Note($"{next} is at {known}", entry, device))];
        }
        return [Ask(traveller, around, device, next, mac)];
    }

    // Without IFF_NOARP, and with others behind it that can be seen.
    private static bool Asks(LinkEntry link) =>
        link.Type is LinkType.Veth or LinkType.Bridge or LinkType.Vxlan or LinkType.Macvlan or LinkType.Vlan or LinkType.Ipvlan { Mode: IpvlanMode.L2 };

    private static Step Ask(Traveller traveller, Surroundings around, string device, IpAddress next, MacAddress own)
    {
        var asker = traveller.IsV4 ? Asker(traveller, device, next) : AskerV6(traveller, device);
        var answers = asker is { } by ? around.Segment.AnswerersFor(traveller.Space, device, next, by) : [];
        if (answers.Count == 0 && around.Segment.LeavesSight(traveller.Space, device))
        {
            var unseen = $"who {next} is on {device} cannot be seen from here";
            return traveller.End(Ending.Undecided, unseen, traveller.Note(unseen, traveller.Space.Link(device), device));
        }
        if (answers.Count == 0)
        {
            var reason = asker is null ? $"{device} has no address of its link to ask for {next} from" : traveller.Space.Carries(device) ? $"nobody on {device} answers for {next}" : $"{device} has no carrier, so nobody answers for {next}";
            var held = traveller.Space.Neighbour(device, next) ?? (Entry?)traveller.Space.Link(device);
            // dst_link_failure: who sends from here is told by a message too, which comes by lo and meets its rules.
            return traveller.Drop(reason, held, device, Answers.Error(traveller.Packet, Answers.HostUnreachable(next.Family)));
        }
        var (station, mac) = answers[0];
        var several = answers.Count == 1 ? "" : $"; so would {string.Join(", ", answers.Skip(1).Select(static other => $"{other.Station.Device} of {other.Station.Space.Id}"))}";
        return (traveller with { FrameSource = own, FrameDestination = mac, WasAsked = true })
            .Go(Stage.Transmit, traveller.Note($"{next}: {station.Device} of {station.Space.Id} will answer with {mac}{several}", null, device));
    }

    // ndisc_solicit: the packet's source if it is the device's, else the device's own of the link; without one nobody is asked.
    private static IpAddress? AskerV6(Traveller traveller, string device)
    {
        IpAddress? ofLink = null;
        foreach (var own in traveller.Space.Addresses)
        {
            if (own.Device == device && own.Address.Address == traveller.Packet.Source)
            {
                return own.Address.Address;
            }
            ofLink ??= own.Device == device && own.Address.Address is { Family: IpFamily.V6, IsLinkLocal: true } ? own.Address.Address : null;
        }
        return ofLink;
    }

    // arp_solicit with arp_announce 0: the packet's source if it is this host's, else one of the device's.
    private static IpAddress Asker(Traveller traveller, string device, IpAddress next) =>
        traveller.Space.Addresses.Any(own => own.Address.Address == traveller.Packet.Source)
            ? traveller.Packet.Source
            : SourceAddress.OnDevice(traveller.Space, device, next, RouteScope.Link) ?? IpAddress.Unspecified(next.Family);
}
