using Plumb.Diagnosis.Packets;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>
/// How likely a match is to say yes: 1, 0, something between where it chooses at random, <see cref="XtRule.Never"/>, or null where that is not known here.
/// </summary>
internal delegate double? Condition(XtPacket packet);

/// <summary>What matches look at.</summary>
internal sealed record XtPacket(Packet Packet, Connection? Connection, HookPlace Place);

/// <summary>A rule made ready to be run.</summary>
/// <param name="Text">As <c>iptables -S</c> prints it.</param>
internal sealed record XtRule(string Text, IReadOnlyList<(string Name, Condition Holds)> Conditions, XtTarget Target)
{
    /// <summary>No, and no to the opposite too: there is nothing to look at.</summary>
    public const double Never = -1;

    public string? Comment { get; init; }

    /// <summary>How likely the rule matches; null: it depends on <paramref name="unknown"/>.</summary>
    public double? Matches(XtPacket packet, out string? unknown)
    {
        unknown = null;
        var likely = 1.0;
        foreach (var (name, holds) in Conditions)
        {
            if (holds(packet) is not { } chance)
            {
                // A later match may still say no, whatever this one says.
                unknown ??= name;
            }
            else if (chance <= 0)
            {
                unknown = null;
                return 0;
            }
            else
            {
                likely *= chance;
            }
        }
        return unknown is null ? likely : null;
    }
}

/// <summary>What a rule does with a packet that matches.</summary>
internal abstract record XtTarget
{
    /// <summary>Counts, logs, or changes what no walk follows.</summary>
    public sealed record Nothing : XtTarget;

    public sealed record Accept : XtTarget;

    public sealed record Drop : XtTarget;

    public sealed record Return : XtTarget;

    public sealed record Queue : XtTarget;

    public sealed record Chain(string Name, bool IsGoto) : XtTarget;

    /// <param name="With">As iptables names it: <c>icmp-port-unreachable</c>, <c>tcp-reset</c>.</param>
    public sealed record Reject(string With) : XtTarget;

    /// <param name="Destination">Else the source.</param>
    public sealed record Nat(bool Destination, NatRange Range) : XtTarget;

    public sealed record NetMap(Linux.Addresses.IpPrefix To) : XtTarget;

    public sealed record Masquerade(NatRange Range) : XtTarget;

    public sealed record Redirect(NatRange Range) : XtTarget;

    /// <summary>mark = (mark &amp; ~Mask) ^ Value</summary>
    public sealed record SetMark(uint Value, uint Mask) : XtTarget;

    public sealed record SetConnectionMark(uint Value, uint Mask) : XtTarget;

    /// <summary>The packet's mark into the connection's.</summary>
    public sealed record SaveMark(uint PacketMask, uint ConnectionMask) : XtTarget;

    /// <summary>The connection's mark into the packet's.</summary>
    public sealed record RestoreMark(uint PacketMask, uint ConnectionMask) : XtTarget;

    public sealed record TransparentProxy(Linux.Addresses.IpAddress? Address, ushort Port, uint Mark, uint Mask) : XtTarget;

    public sealed record NoTrack : XtTarget;

    /// <param name="Zone">Null: the packet's mark.</param>
    public sealed record SetZone(ushort? Zone) : XtTarget;

    public sealed record Unknown(string Name) : XtTarget;
}
