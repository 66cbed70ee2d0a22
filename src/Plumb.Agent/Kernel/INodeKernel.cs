using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Native;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Kernel;

/// <summary>What became of one entry that the kernel did not take.</summary>
internal sealed record EntryFailure(EntryKey Key, string Message);

/// <summary>The parts of a kernel's network state that tell of changes by themselves.</summary>
[Flags]
internal enum KernelAreas
{
    None = 0,

    /// <summary>Links, addresses, routes, rules, neighbours, stations, queues and their filters, parameters.</summary>
    Routing = 1,

    /// <summary>Tables of nf_tables and of iptables, with all that is in them.</summary>
    Rules = 2,
    All = Routing | Rules,
}

/// <summary>Something in the node's network namespace changed, and not by this agent.</summary>
/// <param name="Writers">Netlink port ids of those who did it, 0 for the kernel itself; empty: not known, because notifications were lost.</param>
/// <param name="Areas">Where to look: with thousands of Services a table takes long to read, and the kernel has something to tell of links all day.</param>
internal sealed record ForeignChange(IReadOnlyCollection<uint> Writers, KernelAreas Areas = KernelAreas.All);

/// <summary>The kernel as one agent sees it: the node's namespace for good, containers' while they are worked on. Used by one thread.</summary>
internal interface INodeKernel : IDisposable
{
    /// <summary>Opens a container's namespace; until <see cref="Leave"/> it goes by the name.</summary>
    /// <param name="expected">Which namespace must be there; null: whichever is.</param>
    /// <returns>Null when there is none, or another.</returns>
    FileIdentity? Enter(NamespaceId name, string path, FileIdentity? expected);

    void Leave(NamespaceId name);

    /// <summary>Makes the changes, in the kernel's order, in as few messages as can be. What is to go and has gone is no failure.</summary>
    IReadOnlyList<EntryFailure> Apply(IReadOnlyList<DeltaItem> items);

    /// <summary>Makes the node forget connections that a change has ended. Returns how many there were.</summary>
    int Forget(IReadOnlyCollection<EndedFlow> ended);

    /// <summary>Makes the node forget all connections that bear one of these marks. Returns how many there were.</summary>
    int Forget(IReadOnlySet<ConnectionMark> marks);

    /// <summary>All that a namespace holds: the node's, or one that was entered.</summary>
    /// <param name="parameters">Which sysctls are of interest.</param>
    /// <param name="areas">What to read.</param>
    ObservedState Observe(NamespaceId name, IEnumerable<EntryKey> parameters, KernelAreas areas = KernelAreas.All);

    /// <summary>What a parameter of a namespace is, as the kernel prints it; null: there is none.</summary>
    string? Parameter(EntryKey key);

    /// <summary>What a device of the node has carried; null: there is none of that name.</summary>
    LinkTraffic? Traffic(string device);

    /// <summary>The hardware address of a device of Plumb's; null: none of that name is.</summary>
    MacAddress? MacOf(NamespaceId name, string device);

    /// <summary>What leads from what is observed to what is desired; in the observed namespaces only.</summary>
    /// <param name="areas">What was observed.</param>
    Delta Difference(DesiredState desired, ObservedState observed, IReadOnlyCollection<NamespaceId> namespaces, KernelAreas areas = KernelAreas.All);

    /// <summary>Waits until somebody else changes something in the node's namespace; what happens between two calls is not missed.</summary>
    ValueTask<ForeignChange> WaitForChangeAsync(CancellationToken cancel);
}
