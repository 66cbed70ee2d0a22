using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>WireGuard: a packet goes, encrypted, to the peer that its destination is allowed to, and comes out where its source is (<c>wg_xmit</c>, <c>wg_packet_consume_data_done</c>).</summary>
internal static class Wireguard
{
    // Type, receiver and counter 16, authentication 16, UDP 8.
    private const int HeaderBytes = 40;

    public static Step Enter(Traveller traveller, LinkEntry link, LinkType.Wireguard device)
    {
        if (device is not { Peers: { } peers, PublicKey: { } own })
        {
            return Stack.Unknown(traveller, link, $"the peers of {link.Name} (WireGuard) are told to administrators only");
        }
        var packet = traveller.Packet;
        if (PeerOf(peers, packet.Destination) is not { } peer)
        {
            return traveller.Drop($"no peer of {link.Name} may have {packet.Destination} (allowed-ips)", link, link.Name, Answers.Error(packet, Answers.HostUnreachable(packet.Family)));
        }
        if ((traveller.Memory.Endpoint(traveller.Space.Id, peer.PublicKey) ?? (peer.Endpoint is { } stated ? (stated, (ushort)peer.Port) : null)) is not var (address, port))
        {
            return traveller.Drop($"where the peer {Short(peer.PublicKey)} of {link.Name} is, is not known: it has no endpoint and has not called", link, link.Name, Answers.Error(packet, Answers.HostUnreachable(packet.Family)));
        }
        var outer = new Packet(IpAddress.Unspecified(address.Family), address, Packet.Udp)
        {
            SourcePort = (ushort)(device.ListenPort ?? 0),
            DestinationPort = port,
            // What is encrypted is filled up to 16 octets.
            Length = ((packet.LengthOnLink + 15) & ~15) + HeaderBytes + (address.Family == IpFamily.V4 ? 20 : 40),
            DontFragment = address.Family == IpFamily.V6,
            Mark = device.Mark,
            Inner = new Encapsulated(packet with { Mark = 0, Priority = 0 }) { Keys = (own, peer.PublicKey) },
        };
        var hop = traveller.Note($"encrypted for the peer {Short(peer.PublicKey)} at {address}", link, link.Name) with { After = outer };
        return new Step.On((traveller with { Packet = outer, In = null, Out = null, Port = null, CameBy = null, Route = null, Connection = null }).To(Stage.Send, hop));
    }

    /// <summary>The device that decrypts a datagram; null: it is not WireGuard's.</summary>
    public static Step? Leave(Traveller traveller)
    {
        var outer = traveller.Packet;
        if (outer is not { Protocol: Packet.Udp, Inner: { Keys: var (from, to) } inner })
        {
            return null;
        }
        var link = traveller.Space.Links.FirstOrDefault(link => link is { Up: true, Type: LinkType.Wireguard device } && device.ListenPort == outer.DestinationPort);
        if (link is null)
        {
            return traveller.Space.Sockets.FirstOrDefault(socket => socket.Takes(outer.Destination, outer.DestinationPort, Packet.Udp, 0)) is null ? null
                : traveller.End(Ending.Undecided, $"a process decrypts what comes to UDP port {outer.DestinationPort}", traveller.Note("to a process", null, traveller.In));
        }
        if (link.Type is not LinkType.Wireguard { Peers: { } peers, PublicKey: { } own })
        {
            return Stack.Unknown(traveller, link, $"the peers of {link.Name} (WireGuard) are told to administrators only");
        }
        var peer = peers.FirstOrDefault(one => one.PublicKey == from);
        var objection = own != to ? $"it is encrypted for {Short(to)}, and {link.Name} is {Short(own)}"
            : peer is null ? $"{link.Name} has no peer {Short(from)}"
            : PeerOf(peers, inner.Packet.Source) != peer ? $"the peer {Short(from)} of {link.Name} may not send from {inner.Packet.Source} (allowed-ips)"
            : null;
        if (objection is not null)
        {
            return traveller.Drop(objection, link, link.Name);
        }
        var hop = traveller.Note($"decrypted at {link.Name}", link, link.Name) with { After = inner.Packet };
        return new Step.On((traveller with
        {
            Packet = inner.Packet, FrameSource = default, FrameDestination = default, In = link.Name, CameBy = null, Out = null, Route = null, Connection = null,
            // Where it came from is where answers go from now on.
            Memory = traveller.Memory.WithEndpoint(traveller.Space.Id, from, (outer.Source, outer.SourcePort)),
        }).To(Stage.Receive, hop));
    }

    // wg_allowedips_lookup: the longest prefix of all peers.
    private static WireguardPeer? PeerOf(ValueList<WireguardPeer> peers, IpAddress address)
    {
        (WireguardPeer? Peer, int Length) best = (null, -1);
        foreach (var peer in peers)
        {
            foreach (var allowed in peer.AllowedIps)
            {
                if (allowed.Contains(address) && allowed.Length > best.Length)
                {
                    best = (peer, allowed.Length);
                }
            }
        }
        return best.Peer;
    }

    private static string Short(string key) => key.Length > 8 ? key[..8] + "…" : key;
}
