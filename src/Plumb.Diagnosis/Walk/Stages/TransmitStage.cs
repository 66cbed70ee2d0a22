using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary><c>dev_queue_xmit</c>: what the device does with a frame is what its kind is for.</summary>
internal sealed class TransmitStage : IStage
{
    /// <summary>VLAN_HLEN: <c>is_skb_forwardable</c> lets a frame be this much longer than the MTU.</summary>
    internal const int VlanBytes = 4;

    public Stage Stage => Stage.Transmit;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        traveller = traveller with { Proxy = null };
        var (space, device) = (traveller.Space, traveller.Out!);
        var link = space.Link(device);
        if (DeviceFilters.Pass(ref traveller, device, TrafficHook.Egress) is { } taken)
        {
            return [taken];
        }
        if (link?.Up != true)
        {
            return [traveller.Drop($"{device} is down", link, device)];
        }
        if (!space.Carries(device))
        {
            return [traveller.Drop($"{device} has no carrier: its other end is down", link, device)];
        }
        return link.Type switch
        {
            LinkType.Loopback => [Return(traveller with { In = device, Out = null, Route = null })],
            LinkType.Veth veth => [Cross(traveller, around, link, veth)],
            LinkType.Bridge => [(traveller with { Port = null }).Go(Stage.Bridge)],
            LinkType.Vxlan vxlan => Tunnel.Enter(traveller, around, link, vxlan),
            LinkType.Wireguard wireguard => [Wireguard.Enter(traveller, link, wireguard)],
            LinkType.IpTunnel tunnel => [IpTunnel.Enter(traveller, link, tunnel)],
            LinkType.Macvlan macvlan => [Macvlan.Send(traveller, around, link, macvlan)],
            LinkType.Ipvlan ipvlan => [Ipvlan.Send(traveller, around, link, ipvlan)],
            LinkType.Vlan vlan => [Vlan.Send(traveller, around, link, vlan)],
            LinkType.Ifb => [DeviceFilters.GiveBack(traveller, link)],
            LinkType.Other { Name: "tun" } when space.HoldersOf(device) is { Count: > 0 } holders => [traveller.End(
                Ending.Undecided, $"{device} hands it to {string.Join(" or ", holders)}, and what that makes of it nobody sees", traveller.Note($"leaves by {device}", link, device))],
            _ => [traveller.End(
                Ending.Undecided, $"it leaves by {device} ({link.Type.KindName}), beyond which nothing can be seen from here", traveller.Note($"leaves by {device}", link, device))],
        };
    }

    private static Step Return(Traveller traveller) =>
        DeviceFilters.Pass(ref traveller, traveller.In!, TrafficHook.Ingress) ?? traveller.Go(Stage.Prerouting);

    private static Step Cross(Traveller traveller, Surroundings around, LinkEntry link, LinkType.Veth veth)
    {
        var there = veth.PeerNamespace is { } id ? around.World.Find(id) : null;
        if (there is null || veth.PeerName is not { } name || there.Link(name) is not { } peer)
        {
            return traveller.End(
                Ending.Undecided, $"the other end of {link.Name} is in a namespace that cannot be seen from here", traveller.Note($"leaves by {link.Name}", link, link.Name));
        }
        var length = traveller.Packet.LengthOnLink;
        if (peer.MtuBytes is { } mtu && length > mtu + VlanBytes)
        {
            return traveller.Drop($"{length} bytes do not fit the MTU of {mtu} of {name}, the other end of {link.Name}: dropped without a word", peer, link.Name);
        }
        var hop = traveller.Note($"{link.Name} ⇄ {name}", link, link.Name);
        // skb_scrub_packet: marks and connections stay behind.
        return new Step.On(traveller with
        {
            Space = there,
            Stage = Stage.Receive,
            In = name,
            Out = null,
            Route = null,
            Connection = null,
            CameBy = null,
            Redirections = 0,
            RedirectedFrom = null,
            IsForHost = null,
            Packet = traveller.Packet with { Mark = 0, Priority = 0 },
            Hops = traveller.Hops.Add(hop),
        });
    }
}
