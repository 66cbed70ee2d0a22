using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>The packet is for this host: a tunnel, a socket or the kernel takes it, or the sender is told that nobody does.</summary>
internal sealed class DeliverStage : IStage
{
    public Stage Stage => Stage.Deliver;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        if ((Tunnel.Leave(traveller) ?? IpTunnel.Leave(traveller) ?? Wireguard.Leave(traveller)) is { } inside)
        {
            return [inside];
        }
        var packet = traveller.Packet;
        return packet.Protocol switch
        {
            // tcp_v4_rcv: PACKET_HOST or nothing.
            Packet.Tcp when traveller.FrameDestination.IsMulticast => [traveller.Drop("TCP takes nothing out of a frame for all", null, traveller.In)],
            // tcp_v4_conn_request: no answer to a SYN for a broadcast address; tcp_v4_send_reset: nor a reset.
            Packet.Tcp when IsForAll(traveller) => [traveller.Drop($"{packet.Destination} is a broadcast address here: TCP answers nobody there", traveller.Route!.Decider, traveller.In)],
            Packet.Tcp => [(packet.Flags & TcpFlags.Ack) == 0 ? ToSocket(traveller, "TCP") : traveller.IsAnswer ? Taken(traveller, "the answer") : Segment(traveller)],
            Packet.Udp => [ToSocket(traveller, "UDP")],
            Packet.Icmp or Packet.IcmpV6 => [Echo(traveller)],
            _ => [Taken(traveller, "delivered")],
        };
    }

    private static Step.End Taken(Traveller traveller, string what) =>
        new Step.End(traveller.To(Stage.Deliver, traveller.Note(what, null, traveller.In)), Ending.Taken, what) { Answer = Reply(traveller) };

    // Nobody is called by a broadcast address: the way back chooses another.
    private static Packet? Reply(Traveller traveller) =>
        (traveller is { IsAnswer: false, Packet: { Protocol: Packet.Tcp, Flags: TcpFlags.Ack } } ? Answers.Acknowledgement(traveller.Packet) : Answers.Reply(traveller.Packet)) is not { } answer ? null : IsForAll(traveller) ? answer with { Source = IpAddress.Unspecified(answer.Family) } : answer;

    private static bool IsForAll(Traveller traveller) => traveller.Route?.Type == RouteType.Broadcast;

    // Sockets that have a peer are not read: somebody has this one where a kernel on the way knows the connection, or where one listens that it may have begun with.
    private static Step.End Segment(Traveller traveller) =>
        traveller.Hops.Exists(static hop => hop.Connection is not null) ? Taken(traveller, "a segment of a connection that stands") : ToSocket(traveller, "TCP");

    private static Step.End ToSocket(Traveller traveller, string protocol)
    {
        var packet = traveller.Packet;
        if (traveller.Proxy is { } proxy)
        {
            return Taken(traveller, $"the transparent socket at port {proxy.Port} takes it");
        }
        var device = traveller.Space.Index(traveller.In!);
        foreach (var socket in traveller.Space.Sockets)
        {
            if (socket.Takes(packet.Destination, packet.DestinationPort, packet.Protocol, device))
            {
                return Taken(traveller, $"a socket takes {protocol} port {packet.DestinationPort}{(socket.Address.IsUnspecified ? "" : $" of {socket.Address}")}");
            }
        }
        // Of a datagram that is an answer, its asker's socket is not among those that wait for anybody.
        if (packet.Protocol == Packet.Udp && (traveller.IsAnswer || traveller.Connection is { IsKnown: true, IsReply: true }))
        {
            return Taken(traveller, "the answer");
        }
        // Nobody is told that a packet for all was not wanted (RFC 1122, 3.2.2).
        var answer = IsForAll(traveller) ? null : packet.Protocol == Packet.Tcp ? Answers.Reset(packet) : Answers.Error(packet, Answers.PortUnreachable(packet.Family), packet.Destination);
        return traveller.Drop($"nobody listens at {protocol} port {packet.DestinationPort} of {traveller.Space.Id}", null, traveller.In, answer);
    }

    private static Step.End Echo(Traveller traveller)
    {
        var asks = Answers.Reply(traveller.Packet) is not null;
        if (!asks || !traveller.IsV4)
        {
            return Taken(traveller, asks ? "the kernel answers the echo" : "the answer");
        }
        return traveller.Space.IsOn("net/ipv4/icmp_echo_ignore_all") ? traveller.Drop("this host answers no echoes (icmp_echo_ignore_all)", null, traveller.In)
            : IsForAll(traveller) && traveller.Space.IsOn("net/ipv4/icmp_echo_ignore_broadcasts") ? traveller.Drop("this host answers no echoes for all (icmp_echo_ignore_broadcasts)", null, traveller.In)
            : Taken(traveller, "the kernel answers the echo");
    }
}
