using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>A routing rule (<c>ip rule</c>, FRA_*). Its key is all of it but <see cref="Not"/>: the kernel lets two rules share a priority.</summary>
public sealed record RuleEntry(NamespaceId Namespace, IpFamily Family, uint Priority) : Entry(Namespace)
{
    public IpPrefix? Source { get; init; }

    public IpPrefix? Destination { get; init; }

    public FirewallMark? Mark { get; init; }

    public string? InputDevice { get; init; }

    public string? OutputDevice { get; init; }

    /// <summary>FIB_RULE_INVERT: the rule holds for what does not match.</summary>
    public bool Not { get; init; }

    public RuleAction Action { get; init; } = RuleAction.ToTable;

    /// <summary>The table that <see cref="RuleAction.ToTable"/> looks in.</summary>
    public RouteTable Table { get; init; } = RouteTable.Main;

    /// <summary>FRA_PROTOCOL: who made the rule.</summary>
    public RouteProtocol Protocol { get; init; } = RouteProtocol.Plumb;

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Rule;

    // Everything but `not` tells two rules apart: the kernel's rule_exists (net/core/fib_rules.c) does not look at it.
    protected override string NaturalKey() => EntryText.Print(this with { Not = false });

    public override string Print() => EntryText.Print(this);
}

/// <summary>A packet mark with the bits of it that count (<c>fwmark VALUE/MASK</c>).</summary>
public readonly record struct FirewallMark(uint Value, uint Mask)
{
    public override string ToString() => Mask == uint.MaxValue ? $"0x{Value:x}" : $"0x{Value:x}/0x{Mask:x}";
}

/// <summary>What a rule does (FR_ACT_* of <c>linux/fib_rules.h</c>).</summary>
public enum RuleAction : byte
{
    ToTable = 1,
    Goto = 2,
    Nop = 3,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
}
