using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Iptables;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Kernel;

/// <summary>
/// The kernel itself. The node's namespace is known throughout, containers' only while they are worked on: an agent must not keep
/// alive what its containers left.
/// </summary>
internal sealed class NodeKernel : INodeKernel
{
    // RTNLGRP_LINK, NEIGH, TC, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, IPV4_NETCONF, IPV6_NETCONF
    // of linux/rtnetlink.h
    private static readonly uint[] _routeGroups = [1, 3, 4, 5, 7, 8, 9, 11, 19, 24, 25];
    private static readonly uint[] _netfilterGroups = [7]; // NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h

    private const ushort RTM_NEWNEIGH = 28;
    private const ushort RTM_DELNEIGH = 29;
    private const byte AF_BRIDGE = 7;

    private static readonly HashSet<EntryKind> _ruleKinds = [.. Enum.GetValues<EntryKind>().Where(Kernels.IsRules)];
    private static readonly HashSet<EntryKind> _parameterKinds = [EntryKind.Sysctl];
    private static readonly HashSet<EntryKind> _routingKinds = [.. Enum.GetValues<EntryKind>().Except(_ruleKinds)];

    private readonly Kernels _kernels;
    private readonly NamespaceId _home;
    private readonly NetlinkSubscription _routes;
    private readonly NetlinkSubscription _rules;
    private volatile bool _hasIptables;

    /// <param name="network">Taken over: disposed of with this object.</param>
    public NodeKernel(NamespaceId home, NetworkNamespace network, IWriteSeam writes)
    {
        _home = home;
        _kernels = new Kernels(writes);
        _kernels.Add(home, network);
        _routes = _kernels.Subscribe(home, NetlinkFamily.Route, _routeGroups);
        _rules = _kernels.Subscribe(home, NetlinkFamily.Netfilter, _netfilterGroups);
    }

    public FileIdentity? Enter(NamespaceId name, string path, FileIdentity? expected)
    {
        NetworkNamespace network;
        try
        {
            network = NetworkNamespace.Open(path);
        }
        catch (SystemCallException)
        {
            return null;
        }
        if (expected is { } wanted && network.Identity != wanted)
        {
            network.Dispose();
            return null;
        }
        if (_kernels.Knows(name))
        {
            _kernels.Remove(name);
        }
        var identity = network.Identity;
        _kernels.Add(name, network);
        return identity;
    }

    public void Leave(NamespaceId name) => _kernels.Remove(name);

    public IReadOnlyList<EntryFailure> Apply(IReadOnlyList<DeltaItem> items)
    {
        foreach (var item in items)
        {
            _hasIptables |= item.Want is { Entry.Kind: EntryKind.IptablesChain or EntryKind.IptablesRule };
        }
        try
        {
            _kernels.Apply(items);
            return [];
        }
        catch (ApplyException exception)
        {
            return [.. exception.Refusals.Select(static refusal => new EntryFailure(refusal.Item.Key, refusal.ToString()))];
        }
    }

    public int Forget(IReadOnlyCollection<EndedFlow> ended) => ended.Count == 0 ? 0 : EndedConnections.Forget(_kernels, _home, ended);

    public int Forget(IReadOnlySet<ConnectionMark> marks) => marks.Count == 0 ? 0 : Enum.GetValues<IpFamily>().Sum(
        family => _kernels.Forget(_home, [.. _kernels.Connections(_home, family).Where(connection => marks.Contains(connection.Mark))]));

    public string? Parameter(EntryKey key) =>
        (_kernels.Observe([key.Namespace], _parameterKinds, [key]).Entries.GetValueOrDefault(key)?.Entry as SysctlEntry)?.Value;

    public ObservedState Observe(NamespaceId name, IEnumerable<EntryKey> parameters, KernelAreas areas) =>
        _kernels.Observe([name], KindsOf(areas), parameters);

    public LinkTraffic? Traffic(string device) => _kernels.Traffic(_home, device);

    public MacAddress? MacOf(NamespaceId name, string device) => _kernels.MacOf(name, device);

    public Delta Difference(DesiredState desired, ObservedState observed, IReadOnlyCollection<NamespaceId> namespaces, KernelAreas areas)
    {
        var kinds = KindsOf(areas);
        var wanted = new DesiredState();
        foreach (var want in desired.Entries.Values)
        {
            _hasIptables |= want.Entry.Kind is EntryKind.IptablesChain or EntryKind.IptablesRule;
            if ((kinds is null || kinds.Contains(want.Entry.Kind)) && namespaces.Contains(want.Entry.Namespace))
            {
                wanted.Set(Comparable(want, observed));
            }
        }
        var delta = Linux.State.Difference.Between(wanted, observed, kinds);
        // What is to be made is made whole.
        return new Delta(
            [.. delta.Items.Select(item => item.Want is { } want ? item with { Want = desired.Entries[want.Entry.Key] } : item)],
            delta.Conflicts);
    }

    private static HashSet<EntryKind>? KindsOf(KernelAreas areas) => areas switch
    {
        KernelAreas.Routing => _routingKinds,
        KernelAreas.Rules => _ruleKinds,
        _ => null,
    };

    public async ValueTask<ForeignChange> WaitForChangeAsync(CancellationToken cancel)
    {
        var writers = new HashSet<uint>();
        var areas = KernelAreas.None;
        var lost = false;
        while (writers.Count == 0 && !lost)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var routes = _routes.ReceiveAsync(message => Hear(message, KernelAreas.Routing), either.Token).AsTask();
            var rules = _rules.ReceiveAsync(message => Hear(message, KernelAreas.Rules), either.Token).AsTask();
            await Task.WhenAny(routes, rules);
            await either.CancelAsync();
            foreach (var task in new[] { routes, rules })
            {
                try
                {
                    lost |= await task == NotificationOutcome.StateLost;
                }
                catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
                {
                    // The other one had something to say.
                }
            }
        }
        return lost ? new ForeignChange([]) : new ForeignChange(writers, areas);

        void Hear(NetlinkMessage message, KernelAreas area)
        {
            if (!_kernels.IsOwn(_home, message.PortId) && (area == KernelAreas.Rules ? IsOfOurTables(message) : !IsResolution(message)))
            {
                lock (writers)
                {
                    writers.Add(message.PortId);
                    areas |= area;
                }
            }
        }
    }

    public void Dispose()
    {
        _routes.Dispose();
        _rules.Dispose();
        _kernels.Dispose();
    }

    // Reading all that is Plumb's because a table of somebody else changed would cost a node with many Services much for nothing.
    private bool IsOfOurTables(NetlinkMessage message) =>
        NftablesEvents.Read(message) is NftablesEntryEvent { Table: var table } && (table.IsPlumbs || (_hasIptables && IptablesTable.IsIn(table)));

    // The kernel finds and forgets hardware addresses by itself all day; it never touches permanent ones without their link. (What
    // happens to a bridge's forwarding table it tells in its own name, whoever did it.)
    private static bool IsResolution(NetlinkMessage message) =>
        message is { PortId: 0, Type: RTM_NEWNEIGH or RTM_DELNEIGH } && message.Payload.Length != 0 && message.Payload[0] != AF_BRIDGE;

    // The other end of a veth whose container is not entered cannot be named: that the pair is there is all that can be said.
    private static Desired Comparable(Desired want, ObservedState observed) =>
        want.Entry is LinkEntry { Type: LinkType.Veth } link
        && observed.Entries.GetValueOrDefault(link.Key)?.Entry is LinkEntry { Type: LinkType.Veth { PeerNamespace: null } }
            ? new Desired(link with { Type = new LinkType.Veth(null, null) }, want.Stamp)
            : want;
}
