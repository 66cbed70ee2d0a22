using System.Diagnostics.CodeAnalysis;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;
using Plumb.Linux.Sysctls;

namespace Plumb.Linux.Kernel;

/// <summary>
/// The namespaces of one world by their names: observes what they hold and applies changes, also such that span several (a veth
/// pair). May be used by several threads; changes are made by one at a time.
/// </summary>
public sealed class Kernels(IWriteSeam? seam = null) : IDisposable
{
    private readonly Lock _oneWriter = new();
    private readonly Dictionary<NamespaceId, KernelNamespace> _namespaces = [];
    private readonly IWriteSeam _seam = seam ?? IWriteSeam.None;
    private readonly IReadOnlyList<IEntryFamily> _families = [new NftablesFamily(), new IptablesFamily()];

    /// <summary>Whether a kind of entry is one of packet filters and translations: they change together, and tell of it together.</summary>
    public static bool IsRules(EntryKind kind) => Nftables.NftablesKernel.Handles(kind) || Iptables.IptablesKernel.Handles(kind);

    /// <summary>Makes a namespace known under a name. The object is taken over: it is disposed of with this one or by <see cref="Remove"/>.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void Add(NamespaceId id, NetworkNamespace network)
    {
        ArgumentNullException.ThrowIfNull(network);
        lock (_namespaces)
        {
            if (!_namespaces.TryAdd(id, new KernelNamespace(id, network)))
            {
                throw new ArgumentException($"a namespace {id} is known already", nameof(id));
            }
        }
    }

    /// <summary>Forgets a namespace and closes what was opened inside it; false if it is not known.</summary>
    public bool Remove(NamespaceId id)
    {
        KernelNamespace? removed;
        lock (_namespaces)
        {
            if (!_namespaces.Remove(id, out removed))
            {
                return false;
            }
            foreach (var other in _namespaces.Values)
            {
                lock (other.Numbers)
                {
                    foreach (var (number, target) in other.Numbers)
                    {
                        if (target == id)
                        {
                            other.Numbers.Remove(number);
                        }
                    }
                }
            }
        }
        removed.Dispose();
        return true;
    }

    public bool Knows(NamespaceId id)
    {
        lock (_namespaces)
        {
            return _namespaces.ContainsKey(id);
        }
    }

    /// <summary>Listens to rtnetlink's or nftables' changes in a known namespace.</summary>
    public NetlinkSubscription Subscribe(NamespaceId id, NetlinkFamily family, ReadOnlySpan<uint> groups) =>
        Get(id).Network.Subscribe(family, groups);

    /// <summary>Whether a notification's sender is this object itself.</summary>
    public bool IsOwn(NamespaceId id, uint portId) => Get(id).IsOwnPort(portId);

    /// <summary>The connections that a namespace remembers.</summary>
    /// <param name="mark">Only those with this mark; null: all.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell, or has no connection tracking.</exception>
    public IReadOnlyList<ConntrackEntry> Connections(NamespaceId id, Addresses.IpFamily family, ConnectionMark? mark = null) =>
        ConntrackKernel.List(Get(id).Netfilter, family, mark);

    /// <summary>The sets that rules of iptables may look into.</summary>
    /// <exception cref="NetlinkException">The kernel refuses to tell, or has no sets.</exception>
    public IReadOnlyList<IpSet> Sets(NamespaceId id) => IpSetKernel.List(Get(id).Netfilter);

    /// <summary>The virtual services of IPVS in a namespace; none where the kernel has not loaded it.</summary>
    /// <exception cref="NetlinkException">The kernel refuses to tell.</exception>
    public IReadOnlyList<IpvsService> VirtualServices(NamespaceId id) => IpvsKernel.IsLoaded ? IpvsKernel.List(Get(id).Generic) : [];

    /// <summary>The connection that a namespace remembers of which this is one direction; null: none.</summary>
    /// <exception cref="NetlinkException">The kernel refuses to tell, or has no connection tracking.</exception>
    public ConntrackEntry? Connection(NamespaceId id, ConntrackTuple tuple, ushort zone) => ConntrackKernel.Find(Get(id).Netfilter, tuple, zone);

    /// <inheritdoc cref="NftablesKernel.Elements"/>
    public IReadOnlyList<Observed> Elements(NamespaceId id, SetEntry set) => NftablesKernel.Elements(Get(id).Netfilter, id, set);

    /// <inheritdoc cref="NftablesKernel.Find"/>
    public Observed? Element(NamespaceId id, SetEntry set, Octets key) => NftablesKernel.Find(Get(id).Netfilter, id, set, key);

    /// <summary>The sockets in a namespace that wait for peers.</summary>
    /// <exception cref="NetlinkException">The kernel refuses to tell.</exception>
    public IReadOnlyList<BoundSocket> Listeners(NamespaceId id) => SocketDiagnosis.List(Get(id).Sockets);

    /// <summary>What a device has carried; null: there is none of that name.</summary>
    public LinkTraffic? Traffic(NamespaceId id, string device)
    {
        using var request = new NetlinkWriter(64);
        LinkTraffic.EmitGet(request, device);
        LinkTraffic? traffic = null;
        Get(id).Route.TryExecute(request, (message, _) => traffic = LinkTraffic.Parse(message.Payload));
        return traffic;
    }

    /// <summary>The hardware address of a device that is Plumb's by its alias; null: none of that name is.</summary>
    /// <exception cref="NetlinkException">The kernel refuses to tell.</exception>
    public MacAddress? MacOf(NamespaceId id, string device)
    {
        using var request = new NetlinkWriter(64);
        LinkMessage.EmitGet(request, device);
        MacAddress? mac = null;
        var refused = Get(id).Route.TryExecute(request, (message, _) => mac = LinkMessage.Parse(message.Payload) is { Mac: var its, Alias: var alias } && Ownership.IsPlumbs(alias) ? its : null);
        return refused.Count == 0 || refused[0].Errno == Errno.ENODEV ? mac : throw new NetlinkException(refused);
    }

    /// <summary>Makes a namespace forget exactly these connections. Returns how many were still there.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public int Forget(NamespaceId id, IReadOnlyList<ConntrackEntry> connections)
    {
        ArgumentNullException.ThrowIfNull(connections);
        if (connections.Count == 0)
        {
            return 0;
        }
        _seam.BeforeWrite($"conntrack: {connections.Count} deletions");
        return ConntrackKernel.Delete(Get(id).Netfilter, connections);
    }

    /// <summary>What the namespaces hold.</summary>
    /// <param name="kinds">Which kinds of entry; null: all.</param>
    /// <param name="parameters">Which sysctls: there are hundreds, so only those that somebody has an interest in are read.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell.</exception>
    public ObservedState Observe(
        IReadOnlyCollection<NamespaceId> namespaces,
        IReadOnlySet<EntryKind>? kinds = null,
        IEnumerable<EntryKey>? parameters = null)
    {
        ArgumentNullException.ThrowIfNull(namespaces);
        var state = new ObservedState();
        var targets = new List<KernelNamespace>(namespaces.Count);
        foreach (var id in namespaces)
        {
            targets.Add(Get(id));
        }
        using (var observer = new RtnetlinkObserver(this, state, kinds))
        {
            observer.Observe(targets);
        }
        foreach (var family in _families)
        {
            var covered = Enum.GetValues<EntryKind>().Where(kind => family.Covers(kind) && (kinds?.Contains(kind) ?? true)).ToHashSet();
            if (covered.Count == 0)
            {
                continue;
            }
            foreach (var target in targets)
            {
                family.Observe(target, covered, state);
            }
        }
        if (parameters is not null && (kinds?.Contains(EntryKind.Sysctl) ?? true))
        {
            ObserveParameters(parameters, targets, state);
        }
        return state;
    }

    /// <summary>
    /// Makes the changes, in the kernel's order: what depends on links goes before them and comes after them. Within one namespace and step
    /// all changes are one system call.
    /// </summary>
    /// <exception cref="ApplyException">Names each refused entry.</exception>
    public void Apply(IReadOnlyList<DeltaItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
        {
            return;
        }
        lock (_oneWriter)
        {
            var refusals = new List<Refusal>();
            var writer = new RtnetlinkApplier(this, _seam, refusals);
            var byNamespace = Group(items);
            foreach (var (kernel, changes) in byNamespace)
            {
                writer.Remove(kernel, changes);
            }
            writer.CreateLinks(byNamespace);
            foreach (var (kernel, changes) in byNamespace)
            {
                SysctlFamily.Apply(kernel, changes, opening: false, _seam, refusals);
            }
            foreach (var (kernel, changes) in byNamespace)
            {
                writer.Set(kernel, changes);
            }
            ApplyFamilies(byNamespace, refusals);
            foreach (var (kernel, changes) in byNamespace)
            {
                SysctlFamily.Apply(kernel, changes, opening: true, _seam, refusals);
            }
            if (refusals.Count > 0)
            {
                throw new ApplyException(refusals);
            }
        }
    }

    public void Dispose()
    {
        lock (_namespaces)
        {
            foreach (var kernel in _namespaces.Values)
            {
                kernel.Dispose();
            }
            _namespaces.Clear();
        }
    }

    internal KernelNamespace Get(NamespaceId id) =>
        TryGet(id, out var kernel) ? kernel : throw new ArgumentException($"no namespace {id} is known", nameof(id));

    internal bool TryGet(NamespaceId id, [NotNullWhen(true)] out KernelNamespace? kernel)
    {
        lock (_namespaces)
        {
            return _namespaces.TryGetValue(id, out kernel);
        }
    }

    internal List<KernelNamespace> All()
    {
        lock (_namespaces)
        {
            return [.. _namespaces.Values];
        }
    }

    private void ApplyFamilies(List<(KernelNamespace Kernel, List<DeltaItem> Items)> byNamespace, List<Refusal> refusals)
    {
        foreach (var family in _families)
        {
            foreach (var (kernel, changes) in byNamespace)
            {
                var covered = changes.FindAll(item => family.Covers(item.Key.Kind));
                if (covered.Count == 0)
                {
                    continue;
                }
                try
                {
                    family.Apply(kernel, covered, _seam);
                }
                catch (ApplyException exception)
                {
                    refusals.AddRange(exception.Refusals);
                }
            }
        }
    }

    private static void ObserveParameters(IEnumerable<EntryKey> parameters, List<KernelNamespace> targets, ObservedState state)
    {
        var byNamespace = parameters.Where(key => key.Kind == EntryKind.Sysctl).ToLookup(key => key.Namespace, key => key.Name);
        foreach (var target in targets)
        {
            SysctlFamily.Observe(target, [.. byNamespace[target.Id]], state);
        }
    }

    private List<(KernelNamespace Kernel, List<DeltaItem> Items)> Group(IReadOnlyList<DeltaItem> items)
    {
        var groups = new Dictionary<NamespaceId, List<DeltaItem>>();
        foreach (var item in items)
        {
            var id = item.Key.Namespace;
            if (!groups.TryGetValue(id, out var group))
            {
                groups.Add(id, group = []);
            }
            group.Add(item);
        }
        var result = new List<(KernelNamespace, List<DeltaItem>)>(groups.Count);
        foreach (var (id, group) in groups)
        {
            result.Add((Get(id), group));
        }
        return result;
    }
}
