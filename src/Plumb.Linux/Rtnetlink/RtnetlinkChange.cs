using Plumb.Linux.Netlink;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A notification of a multicast group (<see cref="RtnetlinkGroups"/>), as a typed event.</summary>
/// <param name="Removed">The thing is gone; else it is new or has changed.</param>
/// <param name="PortId">The socket whose request caused it; 0: the kernel itself (also the making of a link, whoever asked for it).</param>
public abstract record RtnetlinkChange(bool Removed, uint PortId)
{
    public sealed record OfLink(LinkMessage Link, bool Removed, uint PortId) : RtnetlinkChange(Removed, PortId);

    public sealed record OfAddress(AddressMessage Address, bool Removed, uint PortId) : RtnetlinkChange(Removed, PortId);

    public sealed record OfRoute(RouteMessage Route, bool Removed, uint PortId) : RtnetlinkChange(Removed, PortId);

    public sealed record OfRule(RuleMessage Rule, bool Removed, uint PortId) : RtnetlinkChange(Removed, PortId);

    /// <summary>Also of forwarding tables, when the message's family is AF_BRIDGE.</summary>
    public sealed record OfNeighbour(NeighbourMessage Neighbour, bool Removed, uint PortId) : RtnetlinkChange(Removed, PortId);

    public sealed record OfNamespaceId(NamespaceIdMessage NamespaceId, bool Removed, uint PortId) : RtnetlinkChange(Removed, PortId);

    /// <summary>Null for types that Plumb has no use for.</summary>
    /// <exception cref="NetlinkDecodeException">The message does not have the form that its type has.</exception>
    public static RtnetlinkChange? Parse(NetlinkMessage message) => message.Type switch
    {
        RTM_NEWLINK or RTM_DELLINK => new OfLink(LinkMessage.Parse(message.Payload), message.Type == RTM_DELLINK, message.PortId),
        RTM_NEWADDR or RTM_DELADDR => new OfAddress(AddressMessage.Parse(message.Payload), message.Type == RTM_DELADDR, message.PortId),
        RTM_NEWROUTE or RTM_DELROUTE => new OfRoute(RouteMessage.Parse(message.Payload), message.Type == RTM_DELROUTE, message.PortId),
        RTM_NEWRULE or RTM_DELRULE => new OfRule(RuleMessage.Parse(message.Payload), message.Type == RTM_DELRULE, message.PortId),
        RTM_NEWNEIGH or RTM_DELNEIGH => new OfNeighbour(NeighbourMessage.Parse(message.Payload), message.Type == RTM_DELNEIGH, message.PortId),
        RTM_NEWNSID or RTM_DELNSID => new OfNamespaceId(NamespaceIdMessage.Parse(message.Payload), message.Type == RTM_DELNSID, message.PortId),
        _ => null,
    };
}
