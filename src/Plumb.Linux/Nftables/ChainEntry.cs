using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>
/// A chain with its rules in order. The chain is the unit of difference for rules, which have no key of their own: a change
/// replaces all rules of the chain in one transaction. Each rule's comment is its stamp.
/// </summary>
public sealed record ChainEntry(NamespaceId Namespace, TableId Table, string Name) : Entry(Namespace)
{
    /// <summary>How the chain hangs in the packet's way; null for a chain that is only jumped to.</summary>
    public BaseChain? Base { get; init; }

    public ValueList<Rule> Rules { get; init; }

    public override EntryKind Kind => EntryKind.Chain;

    protected override string NaturalKey() => $"{Table} {Name}";

    /// <summary>As <c>nft list chain</c> shows it; several lines.</summary>
    public override string Print() => RulesetText.Chain(this, comment: null);
}

/// <summary>NFTA_CHAIN_TYPE</summary>
public enum ChainType : byte
{
    Filter,
    Nat,

    /// <summary>Output that is routed anew when a rule changed the packet.</summary>
    Route,
}

/// <summary>Where in the packet's way (NF_INET_*; <see cref="Ingress"/> and <see cref="Egress"/> of devices).</summary>
public enum ChainHook : byte
{
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
    Ingress,
    Egress,
}

/// <summary>A hook of the packet path with a place in its order.</summary>
/// <param name="Priority">Lower runs first; see <see cref="ChainPriority"/>.</param>
public sealed record BaseChain(ChainType Type, ChainHook Hook, int Priority)
{
    /// <summary>What becomes of packets that reach the end: accept or drop.</summary>
    public VerdictCode Policy { get; init; } = VerdictCode.Accept;

    /// <summary>Names of the devices whose packets it sees; for ingress and egress.</summary>
    public ValueList<string> Devices { get; init; }
}

/// <summary>Priorities that have names (NF_IP_PRI_*; a bridge table's are others).</summary>
public static class ChainPriority
{
    public const int Raw = -300;
    public const int Mangle = -150;
    public const int DestinationNat = -100;
    public const int Filter = 0;
    public const int Security = 50;
    public const int SourceNat = 100;
}
