using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>IPIP, sit and GRE: a packet goes on as the content of another (<c>ip_tunnel_xmit</c>, <c>ip_tunnel_rcv</c>).</summary>
internal static class IpTunnel
{
    private const int OuterBytes = 20;

    public static Step Enter(Traveller traveller, LinkEntry link, LinkType.IpTunnel tunnel)
    {
        var inner = traveller.Packet with { Mark = 0, Priority = 0 };
        if ((tunnel.Carries == IpTunnelProtocol.Ipip && inner.Family != IpFamily.V4) || (tunnel.Carries == IpTunnelProtocol.Sit && inner.Family != IpFamily.V6))
        {
            return traveller.Drop($"{link.Name} ({link.Type.KindName}) carries no {(inner.Family == IpFamily.V4 ? "IPv4" : "IPv6")}", link, link.Name);
        }
        // NBMA: a tunnel to nobody in particular goes to the router of each packet's route.
        if ((tunnel.Remote ?? traveller.Route?.NextAddress(inner.Destination)) is not { Family: IpFamily.V4 } remote)
        {
            return traveller.Drop($"{link.Name} knows no remote for {inner.Destination}", link, link.Name, Answers.Error(traveller.Packet, Answers.HostUnreachable(inner.Family)));
        }
        var outer = new Packet(tunnel.Local ?? IpAddress.Unspecified(IpFamily.V4), remote, (byte)tunnel.Carries)
        {
            Length = inner.LengthOnLink + OuterBytes + (tunnel.Carries != IpTunnelProtocol.Gre ? 0 : tunnel.Key is null ? 4 : 8),
            DontFragment = tunnel.PathMtuDiscovery || inner.DontFragment,
            TimeToLive = tunnel.TimeToLive ?? inner.TimeToLive,
            Mark = traveller.Packet.Mark,
            Inner = new Encapsulated(inner) { Key = tunnel.Key },
        };
        var hop = traveller.Note($"into a tunnel ({tunnel.KindName}) to {remote}", tunnel.Remote is null ? traveller.Route?.Decider ?? link : link, link.Name) with { After = outer };
        return new Step.On((traveller with { Packet = outer, In = null, Out = tunnel.Device, Port = null, CameBy = null, Route = null, Connection = null }).To(Stage.Send, hop));
    }

    /// <summary>The tunnel device that takes a packet out of another; null: it is none of these.</summary>
    public static Step? Leave(Traveller traveller)
    {
        var outer = traveller.Packet;
        if (outer is not { Protocol: (byte)IpTunnelProtocol.Ipip or (byte)IpTunnelProtocol.Sit or (byte)IpTunnelProtocol.Gre, Inner: { } inner })
        {
            return null;
        }
        if (Taker(traveller, outer, inner) is not { } link)
        {
            return traveller.Drop($"no tunnel device here takes protocol {outer.Protocol} from {outer.Source} to {outer.Destination}", null, traveller.In);
        }
        var hop = traveller.Note($"out of the tunnel at {link.Name}", link, link.Name) with { After = inner.Packet };
        return new Step.On((traveller with
        {
            Packet = inner.Packet, FrameSource = default, FrameDestination = default, In = link.Name, CameBy = null, Out = null, Route = null, Connection = null,
        }).To(Stage.Receive, hop));
    }

    // ip_tunnel_lookup: who states both ends, the remote one, the local one, none.
    private static LinkEntry? Taker(Traveller traveller, Packet outer, Encapsulated inner)
    {
        LinkEntry? best = null;
        var worth = -1;
        foreach (var link in traveller.Space.Links)
        {
            if (link is not { Up: true, Type: LinkType.IpTunnel tunnel } || (byte)tunnel.Carries != outer.Protocol || tunnel.Key != inner.Key
                || (tunnel.Remote is { } remote && remote != outer.Source) || (tunnel.Local is { } local && local != outer.Destination))
            {
                continue;
            }
            var states = (tunnel.Remote is null ? 0 : 2) + (tunnel.Local is null ? 0 : 1);
            if (states > worth)
            {
                (best, worth) = (link, states);
            }
        }
        return best;
    }
}
