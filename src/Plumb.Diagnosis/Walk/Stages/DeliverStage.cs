using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Tracking;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>The packet is for this host: a tunnel, a socket or the kernel takes it, or the sender is told that nobody does.</summary>
internal sealed class DeliverStage : IStage
{
    public Stage Stage => Stage.Deliver;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        if (Tunnel.Leave(traveller) is { } inside)
        {
            return [inside];
        }
        var packet = traveller.Packet;
        return packet.Protocol switch
        {
            // tcp_v4_rcv: PACKET_HOST or nothing.
            Packet.Tcp when traveller.FrameDestination.IsMulticast => [traveller.Drop("TCP takes nothing out of a frame for all", null, traveller.In)],
            Packet.Tcp => [(packet.Flags & TcpFlags.Ack) != 0 ? Taken(traveller, "the answer") : ToSocket(traveller, "TCP")],
            Packet.Udp => [ToSocket(traveller, "UDP")],
            Packet.Icmp or Packet.IcmpV6 => [Echo(traveller)],
            _ => [Taken(traveller, "delivered")],
        };
    }

    private static Step.End Taken(Traveller traveller, string what) =>
        new Step.End(traveller.To(Stage.Deliver, traveller.Note(what, null, traveller.In)), Ending.Taken, what) { Answer = Answers.Reply(traveller.Packet) };

    private static Step.End ToSocket(Traveller traveller, string protocol)
    {
        var packet = traveller.Packet;
        var device = traveller.Space.Index(traveller.In!);
        var isForAll = traveller.Route?.Type == Linux.State.RouteType.Broadcast;
        foreach (var socket in traveller.Space.Sockets)
        {
            if (socket.Takes(packet.Destination, packet.DestinationPort, packet.Protocol, device))
            {
                return Taken(traveller, $"a socket takes {protocol} port {packet.DestinationPort}{(socket.Address.IsUnspecified ? "" : $" of {socket.Address}")}");
            }
        }
        // Of a datagram that is an answer, its asker's socket is not among those that wait for anybody.
        if (packet.Protocol == Packet.Udp && traveller.IsAnswer)
        {
            return Taken(traveller, "the answer");
        }
        // Nobody is told that a packet for all was not wanted (RFC 1122, 3.2.2).
        var answer = isForAll ? null : packet.Protocol == Packet.Tcp ? Answers.Reset(packet) : Answers.Error(packet, Answers.PortUnreachable(packet.Family), packet.Destination);
        return traveller.Drop($"nobody listens at {protocol} port {packet.DestinationPort} of {traveller.Space.Id}", null, traveller.In, answer);
    }

    private static Step.End Echo(Traveller traveller)
    {
        var asks = Answers.Reply(traveller.Packet) is not null;
        return asks && traveller.IsV4 && traveller.Space.IsOn("net/ipv4/icmp_echo_ignore_all")
            ? traveller.Drop("this host answers no echoes (icmp_echo_ignore_all)", null, traveller.In)
            : Taken(traveller, asks ? "the kernel answers the echo" : "the answer");
    }
}
