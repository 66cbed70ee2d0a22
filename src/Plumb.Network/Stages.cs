using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Network;

/// <summary>
/// The one table of hooks, priorities, chain names and mark bits through which layers meet. Each layer has chains of its own at
/// a place of its own: where two look at one packet, the table says who is first. What stands here leaves the process and is
/// frozen: numbers and names may be added, never changed.
/// </summary>
public static class Stages
{
    /// <summary>Connections to a Service that come in by a device are sent to an endpoint.</summary>
    public static Stage ServicesIn { get; } = new("nat-prerouting", ChainType.Nat, ChainHook.Prerouting, ChainPriority.DestinationNat);

    /// <summary>The same for connections that begin on the node.</summary>
    public static Stage ServicesOut { get; } = new("nat-output", ChainType.Nat, ChainHook.Output, ChainPriority.DestinationNat);

    /// <summary>Ports of the node that lead to a pod on it. After Services: an address or port that one has is not a pod's.</summary>
    public static Stage HostPortsIn { get; } = new("hostport-prerouting", ChainType.Nat, ChainHook.Prerouting, ChainPriority.DestinationNat + 5);

    /// <summary>The same for connections that begin on the node.</summary>
    public static Stage HostPortsOut { get; } = new("hostport-output", ChainType.Nat, ChainHook.Output, ChainPriority.DestinationNat + 5);

    /// <summary>Where pods may be reached from 127.0.0.1, their answers are led back there; nobody else's packets are.</summary>
    public static Stage GuardLoopback { get; } = new("guard-loopback", ChainType.Filter, ChainHook.Prerouting, ChainPriority.Raw);

    /// <summary>What still has a Service's address behind <see cref="ServicesIn"/> has nowhere to go.</summary>
    public static Stage RefuseIn { get; } = new("refuse-prerouting", ChainType.Filter, ChainHook.Prerouting, ChainPriority.DestinationNat + 10);

    /// <inheritdoc cref="RefuseIn"/>
    public static Stage RefuseOut { get; } = new("refuse-output", ChainType.Filter, ChainHook.Output, ChainPriority.DestinationNat + 10);

    /// <summary>A packet that connection tracking cannot place would pass untranslated, and its sender's answer would reset the connection.</summary>
    public static Stage DropInvalid { get; } = new("drop-invalid", ChainType.Filter, ChainHook.Forward, ChainPriority.Filter);

    /// <summary>Before <see cref="Masquerade"/>: it knows the connection, the other only the addresses.</summary>
    public static Stage ServicesBack { get; } = new("nat-postrouting", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat);

    /// <summary>Of connections to a pod by a port of its node, those that come from the pod itself or from 127.0.0.1.</summary>
    public static Stage HostPortsBack { get; } = new("hostport-postrouting", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat + 5);

    // Not plain `masquerade`: that is a word of nft's language, and `nft` could neither load nor delete a chain of that name.
    /// <summary>After Services (<c>srcnat</c>): of several source translations the first that matches is the one that is done.</summary>
    public static Stage Masquerade { get; } = new("masquerade-pods", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat + 10);

    /// <summary>Every stage, in the order in which packets meet them within a hook.</summary>
    public static IReadOnlyList<Stage> All { get; } =
        [GuardLoopback, ServicesIn, HostPortsIn, RefuseIn, ServicesOut, HostPortsOut, RefuseOut, DropInvalid, ServicesBack, HostPortsBack, Masquerade];

    /// <summary>
    /// The bits of a connection's mark (<c>ct mark</c>) and who sets them. A connection to a Service has all of them: see <see cref="Facts.PoolMark"/>.
    /// </summary>
    public static IReadOnlyList<MarkField> ConnectionMark { get; } =
        [new("service", 12, 20), new("service port", 1, 11), new("endpoints of this node only", 0, 1)];

    /// <summary>
    /// The bits of a packet's mark (<c>meta mark</c>), which the chains of kube-proxy set between translation and masquerade, and take off again; where Services are served by
    /// nf_tables nobody sets any.
    /// </summary>
    public static IReadOnlyList<MarkField> PacketMark { get; } = [new("masquerade", 14, 1)];
}

/// <summary>A place in the packet's way: the base chain of one layer.</summary>
/// <param name="Chain">The chain's name, in table <c>plumb</c> of each family.</param>
/// <param name="Priority">Lower is earlier.</param>
public sealed record Stage(string Chain, ChainType Type, ChainHook Hook, int Priority)
{
    internal ChainEntry In(NamespaceId node, TableId table, params ReadOnlySpan<Rule> rules) =>
        new(node, table, Chain) { Base = new BaseChain(Type, Hook, Priority), Rules = [.. rules] };
}

/// <summary>Some bits of a mark.</summary>
/// <param name="Shift">How many bits stand below.</param>
public sealed record MarkField(string Name, int Shift, int Bits);
