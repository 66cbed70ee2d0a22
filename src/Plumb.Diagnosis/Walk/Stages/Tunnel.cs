using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>VXLAN (RFC 7348): a frame goes on as the content of a datagram, which is a packet as any other.</summary>
internal static class Tunnel
{
    // Ethernet 14, VXLAN 8, UDP 8.
    private const int HeaderBytes = 30;

    // udp_flow_src_port: a hash of the inner flow, in the range of local ports.
    private const ushort SomePort = 49152;

    public static IEnumerable<Step> Enter(Traveller traveller, Surroundings around, LinkEntry link, LinkType.Vxlan vxlan)
    {
        if (Remote(traveller, around, link, vxlan) is not { Remote: { } remote } entry)
        {
            return [traveller.Drop($"{link.Name} knows no remote for {traveller.FrameDestination}", link, link.Name)];
        }
        var inner = traveller.Packet with { Mark = 0, Priority = 0 };
        var frame = new Encapsulated(inner, (uint)vxlan.Vni, traveller.FrameSource, traveller.FrameDestination);
        var outer = Outer(vxlan, remote, frame, traveller.Packet.LengthOnLink) with { Mark = traveller.Packet.Mark };
        var hop = traveller.Note($"into a tunnel, VNI {vxlan.Vni}, to {remote}", entry, link.Name) with { After = outer };
        return
        [
            new Step.On((traveller with { Packet = outer, In = null, Out = vxlan.Device, Port = null, CameBy = null, Route = null, Connection = null }).To(Stage.Send, hop)),
        ];
    }

    /// <param name="length">Octets of what the frame carries, or of the longest fragment of it.</param>
    public static Packet Outer(LinkType.Vxlan vxlan, IpAddress remote, Encapsulated frame, int length) => new(vxlan.Local ?? IpAddress.Unspecified(remote.Family), remote, Packet.Udp)
    {
        SourcePort = SomePort,
        DestinationPort = (ushort)(vxlan.Port ?? 4789),
        Length = length + HeaderBytes + (remote.Family == IpFamily.V4 ? 20 : 40),
        DontFragment = remote.Family == IpFamily.V6,
        Inner = frame,
    };

    /// <summary>The tunnel device that takes a datagram; null: it is no tunnel's.</summary>
    public static Step? Leave(Traveller traveller)
    {
        var outer = traveller.Packet;
        if (outer is not { Protocol: Packet.Udp, Inner: { NetworkId: { } vni } inner })
        {
            return null;
        }
        LinkEntry? other = null;
        foreach (var link in traveller.Space.Links)
        {
            if (link is not { Up: true, Type: LinkType.Vxlan vxlan } || vxlan.Port != outer.DestinationPort)
            {
                continue;
            }
            if ((uint)vxlan.Vni != vni)
            {
                other = link;
                continue;
            }
            var hop = traveller.Note($"out of the tunnel at {link.Name}", link, link.Name) with { After = inner.Packet };
            return new Step.On((traveller with
            {
                Packet = inner.Packet,
                FrameSource = inner.Source ?? default,
                FrameDestination = inner.Destination ?? default,
                In = link.Name,
                CameBy = null,
                Out = null,
                Route = null,
                Connection = null,
            }).To(Stage.Receive, hop));
        }
        return other is null ? null : traveller.Drop($"no tunnel device here has VNI {vni}", other, other.Name);
    }

    private static FdbEntry? Remote(Traveller traveller, Surroundings around, LinkEntry link, LinkType.Vxlan vxlan)
    {
        FdbEntry? only = null, leading = null;
        foreach (var entry in traveller.Space.Fdb(traveller.Out!))
        {
            if (entry.Remote is not { } remote)
            {
                continue;
            }
            if (entry.Mac == traveller.FrameDestination)
            {
                return entry;
            }
            if (entry.Mac.IsZero)
            {
                only ??= entry;
                if (leading is null && around.Segment.FarEnd(traveller.Space, link, vxlan, remote) is { } far && Comes(far, traveller.FrameDestination, around))
                {
                    leading = entry;
                }
            }
        }
        // A copy goes to every default remote: the one that somebody takes counts.
        return leading ?? only;
    }

    private static bool Comes(Segments.Station far, MacAddress to, Surroundings around)
    {
        var link = far.Space.Link(far.Device);
        return link?.Mac == to
            || (link?.Master is { Length: > 0 } master
                && (far.Space.Link(master)?.Mac == to || far.Space.PortsOf(master).Any(port => port.Name != far.Device && around.Segment.Leads(far.Space, port.Name, to))));
    }
}
