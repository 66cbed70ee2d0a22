using Plumb.Linux.Addresses;
using Plumb.Linux.Ipset;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Packets;

/// <summary>Where in its way through a namespace a packet meets rules.</summary>
/// <param name="InDevice">Null at output.</param>
/// <param name="OutDevice">Null before the route is known.</param>
public sealed record HookPlace(NamespaceId Namespace, ChainHook Hook, string? InDevice, string? OutDevice)
{
    /// <summary>What else than its name a rule may ask of the device; filled in by whoever walks.</summary>
    public DeviceFacts? In { get; init; }

    /// <inheritdoc cref="In"/>
    public DeviceFacts? Out { get; init; }

    /// <summary>What the routes of this namespace say of an address, for <c>fib</c> and <c>addrtype</c>: given address, device (or null) and whether it is the packet's source.</summary>
    public Func<IpAddress, FibAnswer>? Fib { get; init; }

    /// <summary>Whether iptables' <c>recent</c> remembers an address in a list, for whoever can read <c>/proc/net/xt_recent</c>; null: a packet is the first of its client.</summary>
    public Func<string, IpAddress, bool>? Recent { get; init; }

    /// <summary>The sets of iptables' <c>set</c>, by name; null: nobody has read them.</summary>
    public Func<string, IpSet?>? Sets { get; init; }

    /// <summary>Numeric user and group of the socket that sent the packet from here (<c>meta skuid</c>, <c>owner</c>); null: not known, or nobody here sent it.</summary>
    public (uint User, uint Group)? Sender { get; init; }

    /// <summary>What rules have done to this namespace's sets on the way so far.</summary>
    public ElementChanges Changes { get; init; } = ElementChanges.None;

    /// <summary>What <c>br_netfilter</c> keeps with the packet; null: that is not known.</summary>
    public BridgedFacts? Bridged { get; init; }

    /// <summary>What masquerading makes the source, where whoever walks knows the packet's route; null: the rules look at the addresses of <see cref="OutDevice"/>.</summary>
    public IpAddress? MasqueradeAddress { get; init; }
}

/// <summary>The ports of a bridge that a packet passes (<c>struct nf_bridge_info</c>).</summary>
/// <param name="In">By which it came in; null: no bridge showed it to the hooks of IP.</param>
/// <param name="Out">By which it is about to leave; null: it does not, or that is not decided yet.</param>
public readonly record struct BridgedFacts(string? In, string? Out);

/// <param name="Index">ifindex.</param>
/// <param name="Type">Null for hardware.</param>
public sealed record DeviceFacts(string Name, int Index, LinkType? Type);

/// <param name="Type">RTN_*: 1 unicast, 2 local, 3 broadcast, 5 multicast, 6 blackhole, 7 unreachable, 8 prohibit; 0 when there is no route.</param>
public readonly record struct FibAnswer(byte Type, string? Device);

/// <summary>What becomes of a packet at one base chain, or at all of one hook.</summary>
public enum Decision
{
    Accept,
    Drop,

    /// <summary>Dropped, and the sender is told: see <see cref="HookOutcome.Answer"/>.</summary>
    Reject,

    /// <summary>Handed to a program (<c>queue</c>).</summary>
    Queue,

    /// <summary>An expression that is not known here decides: whoever walks says so and names the entry.</summary>
    Undecided,
}

/// <summary>One of the ways in which a hook's rules may go for a packet. Where a rule chooses at random there are several.</summary>
/// <param name="Probability">Of this outcome among all of the same packet at the same hook; they add up to 1.</param>
/// <param name="Packet">As it leaves the hook.</param>
/// <param name="Connection">As it leaves the hook; null where nothing tracks.</param>
/// <param name="Steps">The rules that matched and changed or decided something, in order.</param>
public sealed record HookOutcome(double Probability, Decision Decision, Packet Packet, Connection? Connection, IReadOnlyList<RuleStep> Steps)
{
    /// <summary>What a <see cref="Decision.Reject"/> sends back; null else.</summary>
    public RejectAnswer? Answer { get; init; }

    /// <summary>The socket that <c>tproxy</c> hands it to; null else.</summary>
    public (IpAddress Address, ushort Port)? Proxy { get; init; }

    /// <summary>What rules have done to sets so far: the next <see cref="HookPlace.Changes"/>.</summary>
    public ElementChanges Changes { get; init; } = ElementChanges.None;
}

/// <param name="Reset">A TCP RST.</param>
/// <param name="Message">Else this ICMP message.</param>
public sealed record RejectAnswer(bool Reset, IcmpKind? Message);

/// <summary>One rule that had a part in what happened.</summary>
/// <param name="Entry">The chain that holds it, in nftables or iptables.</param>
/// <param name="Text">The rule as <c>nft list</c> or <c>iptables -S</c> shows it.</param>
/// <param name="What">What it did to this packet, in a few words: "dnat to 10.244.2.7:8080", "drop", "jump fanout-3".</param>
public sealed record RuleStep(EntryKey Entry, ulong Handle, string Text, string What)
{
    /// <summary>The element of a set or map that was found on the way, if one was.</summary>
    public EntryKey? Element { get; init; }

    /// <summary>The stamp (comment) of that element, or else of the rule.</summary>
    public Stamp? Stamp { get; init; }

    /// <summary>How likely this step was where it chose at random; 1 else.</summary>
    public double Chance { get; init; } = 1;
}
