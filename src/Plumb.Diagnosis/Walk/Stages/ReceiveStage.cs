using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary><c>netif_receive_skb</c>: a port hands the frame to its bridge; a host takes only what is addressed to it.</summary>
internal sealed class ReceiveStage : IStage
{
    public Stage Stage => Stage.Receive;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var (space, device) = (traveller.Space, traveller.In!);
        var link = space.Link(device);
        if (link?.Up != true)
        {
            return [traveller.Drop($"{device} is down", link, device)];
        }
        var here = (space.Id, device, traveller.Packet with { TimeToLive = 0 }, traveller.FrameDestination);
        if (traveller.Visited.Contains(here) && !traveller.HasPassedFilters)
        {
            var reason = $"it comes to {device} of {space.Id} for the second time, unchanged: a loop, through {Round(traveller, space.Id, device)}";
            return [traveller.End(Ending.Loop, reason, traveller.Note(reason, link, device))];
        }
        traveller = traveller with { Visited = traveller.Visited.Add(here) };
        if (DeviceFilters.Pass(ref traveller, device, TrafficHook.Ingress) is { } taken)
        {
            return [taken];
        }
        if (Vlan.Receive(traveller, around, link) is { } untagged)
        {
            return [untagged];
        }
        if (link.Master is { Length: > 0 } master && space.Link(master)?.Type is LinkType.Bridge)
        {
            return [(traveller with { Port = device, In = null }).Go(Stage.Bridge)];
        }
        if (traveller.IsForHost is null && (Macvlan.Receive(traveller, around, link) ?? Ipvlan.Receive(traveller, around, link)) is { } above)
        {
            return [above];
        }
        // PACKET_OTHERHOST
        var isFor = traveller.IsForHost ?? (IsFor(traveller, link) || link.Type is LinkType.Macvlan or LinkType.Ipvlan or LinkType.IpTunnel or LinkType.Wireguard);
        return isFor
            ? [(traveller with { IsForHost = null }).Go(Stage.Prerouting)]
            : [traveller.Drop($"the frame is for {traveller.FrameDestination}, and {device} is {link.Mac}", link, device)];
    }

    /// <summary>PACKET_HOST, or for many.</summary>
    internal static bool IsFor(Traveller traveller, LinkEntry? link) => traveller.FrameDestination == link?.Mac || traveller.FrameDestination.IsMulticast;

    private static string Round(Traveller traveller, NamespaceId space, string device)
    {
        var places = traveller.Hops.Select(static hop => hop.Space).ToList();
        var first = places.IndexOf(space);
        var round = places.Skip(Math.Max(0, first)).Distinct().ToList();
        return round.Count == 0 ? device : string.Join(", ", round);
    }
}
