using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Packets;

/// <summary>What connection tracking knows of a packet in one namespace (IP_CT_* of <c>linux/netfilter/nf_conntrack_common.h</c>).</summary>
public enum ConnectionState
{
    /// <summary>Not looked at: before conntrack's hook, or <c>notrack</c>.</summary>
    Untracked,
    New,
    Established,
    Related,

    /// <summary>Conntrack could not place it.</summary>
    Invalid,

    /// <summary>Not looked at yet; a rule has said in which zone it will be (<c>ct zone set</c>).</summary>
    Template,
}

/// <summary>A packet's connection, as rules see it (<c>ct</c>) and translation uses it. A value: what a rule changes gives another one.</summary>
/// <param name="Original">As the first packet came.</param>
/// <param name="Reply">As answers are to come: with translation it is not the original turned round.</param>
public sealed record Connection(ConnectionState State, ConntrackTuple Original, ConntrackTuple Reply)
{
    /// <summary>This packet goes the way of the answers.</summary>
    public bool IsReply { get; init; }

    /// <summary><c>ct mark</c>.</summary>
    public ConnectionMark Mark { get; init; }

    /// <summary>Connections of one zone know nothing of those in another.</summary>
    public ushort Zone { get; init; }

    /// <summary>As the kernel remembers it from before; null: it began with a packet that is walked.</summary>
    public ConntrackEntry? Entry { get; init; }

    /// <summary>Conntrack follows it: rules may ask of it, and it may be translated.</summary>
    public bool IsTracked => State is not (ConnectionState.Untracked or ConnectionState.Invalid or ConnectionState.Template);

    /// <summary>The source is decided (IPS_SRC_NAT_DONE): no nat chain is asked any more. Whether it is another is told by the tuples.</summary>
    public bool SourceDecided { get; init; }

    /// <summary>As <see cref="SourceDecided"/>, of the destination.</summary>
    public bool DestinationDecided { get; init; }

    /// <summary>IPS_DST_NAT: the destination was rewritten.</summary>
    public bool DestinationTranslated => Original.Destination != Reply.Source || (Original.DestinationPort != Reply.SourcePort && Original.Protocol is Packet.Tcp or Packet.Udp or Packet.Sctp);

    /// <summary>IPS_SRC_NAT: the source was rewritten.</summary>
    public bool SourceTranslated => Original.Source != Reply.Destination || (Original.SourcePort != Reply.DestinationPort && Original.Protocol is Packet.Tcp or Packet.Udp or Packet.Sctp);

    /// <summary>The kernel takes a source port at random: the one that stands in the reply and in the packet is one of many.</summary>
    public bool HasRandomSourcePort { get; init; }

    /// <summary>The kernel remembers it already: its entry was found, and not made for this packet.</summary>
    public bool IsKnown { get; init; }
}
