using Plumb.Diagnosis.Packets;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk;

/// <summary>The stages of a packet's way through Linux, in the words that a trace prints.</summary>
public enum Stage
{
    /// <summary>A socket sends: route and source address are chosen.</summary>
    Send = 1,

    /// <summary>NF_INET_LOCAL_OUT</summary>
    Output,

    /// <summary>NF_INET_POST_ROUTING, then the MTU.</summary>
    Postrouting,

    /// <summary>The next hop's hardware address.</summary>
    Neighbour,

    /// <summary>A device sends a frame: over a cable, into a bridge, into a tunnel.</summary>
    Transmit,

    /// <summary>A device hands a frame up.</summary>
    Receive,

    /// <summary>A bridge looks for the port.</summary>
    Bridge,

    /// <summary>NF_INET_PRE_ROUTING</summary>
    Prerouting,

    /// <summary>The route of what came in: for this host, or on.</summary>
    Route,

    /// <summary>TTL, MTU, NF_INET_FORWARD.</summary>
    Forward,

    /// <summary>NF_INET_LOCAL_IN</summary>
    Input,

    /// <summary>A socket, a tunnel, or the kernel itself takes it.</summary>
    Deliver,
}

/// <summary>One thing that happened to a packet at one place.</summary>
/// <param name="What">For a person, in a line.</param>
/// <param name="Before">The packet as it came to this place.</param>
/// <param name="After">The packet as it left.</param>
public sealed record Hop(NamespaceId Space, Stage Stage, string What, Packet Before, Packet After)
{
    /// <summary>The device that has to do with it; null: none has.</summary>
    public string? Device { get; init; }

    /// <summary>The entry that decided.</summary>
    public EntryKey? Entry { get; init; }

    /// <summary>That entry, or the rule in it, in the words of <c>ip</c>, <c>bridge</c>, <c>sysctl</c> or <c>nft</c>.</summary>
    public string? Text { get; init; }

    /// <summary>nftables' handle of the rule; 0: none.</summary>
    public ulong Handle { get; init; }

    /// <summary>The short form of an origin that the rule or element bears.</summary>
    public Stamp? Stamp { get; init; }

    /// <summary>The connection that the kernel knows it to belong to from before.</summary>
    public ConntrackEntry? Connection { get; init; }

    /// <summary>How likely this way was where the kernel chose; 1 where it did not.</summary>
    public double Chance { get; init; } = 1;

    /// <summary>Addresses or ports were translated, or translated back.</summary>
    public bool IsTranslation { get; init; }
}
