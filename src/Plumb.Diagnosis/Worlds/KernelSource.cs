using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Kernel;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Worlds;

/// <summary>A namespace of kernels that run.</summary>
public sealed class KernelSource(Kernels kernels, NamespaceId id) : ISpaceSource, IElements
{
    private static readonly HashSet<EntryKind> Sysctls = [EntryKind.Sysctl];

    private static readonly bool HasIpvlan = Directory.Exists("/sys/module/ipvlan");

    internal static readonly HashSet<EntryKind> AllButElements = [.. Enum.GetValues<EntryKind>().Where(static kind => kind != EntryKind.Element)];

    private readonly Lock _gate = new();
    private HookPrograms? _programs;
    private ObservedState? _whole;

    /// <summary>Reads a namespace, but for the elements of sets: see <see cref="Space.Whole"/>.</summary>
    public static Space Observe(Kernels kernels, NamespaceId id) => new(id, Observe(kernels, [id], AllButElements, null), new KernelSource(kernels, id));

    /// <summary>Reads namespaces, and of those whose rules only administrators are told, all else: their rules are noted as unread.</summary>
    /// <param name="parameters">As <see cref="Kernels.Observe"/> has it.</param>
    public static ObservedState Observe(Kernels kernels, IReadOnlyCollection<NamespaceId> spaces, IEnumerable<EntryKey>? parameters) => Observe(kernels, spaces, null, parameters);

    private static ObservedState Observe(Kernels kernels, IReadOnlyCollection<NamespaceId> spaces, IReadOnlySet<EntryKind>? kinds, IEnumerable<EntryKey>? parameters)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(spaces);
        try
        {
            return kernels.Observe(spaces, kinds, parameters);
        }
        catch (NetlinkException refused) when (refused.Errno is Errno.EPERM or Errno.EACCES)
        {
            var state = kernels.Observe(spaces, Enum.GetValues<EntryKind>().Where(static kind => !Kernels.IsRules(kind)).ToHashSet(), parameters);
            foreach (var id in spaces)
            {
                state.SetUnread(id, EntryKind.Chain, "reading rules needs CAP_NET_ADMIN");
            }
            return state;
        }
    }

    // All of it again, so that rules and elements are of one moment; a pod has no sets.
    public ObservedState Whole(ObservedState state) =>
        _whole ??= state.Entries.Values.Any(static held => held.Entry is SetEntry) ? Observe(kernels, [id], null, null) : state;

    IReadOnlyList<Observed> IElements.All(SetEntry set)
    {
        // Several packets may be walked at once.
        lock (_gate)
        {
            try
            {
                return kernels.Elements(id, set);
            }
            catch (NetlinkException gone) when (gone.Errno == Errno.ENOENT)
            {
                // It went since the rules were read.
                return [];
            }
        }
    }

    Observed? IElements.Find(SetEntry set, Octets key)
    {
        lock (_gate)
        {
            return kernels.Element(id, set, key);
        }
    }

    public IReadOnlyList<BoundSocket> Sockets() => kernels.Listeners(id);

    public IReadOnlyList<ConntrackEntry> Connections(IpFamily family)
    {
        try
        {
            return kernels.Connections(id, family);
        }
        catch (NetlinkException)
        {
            // A kernel without connection tracking remembers none.
            return [];
        }
    }

    public ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone)
    {
        try
        {
            return kernels.Connection(id, tuple, zone);
        }
        catch (NetlinkException)
        {
            // As above.
            return null;
        }
    }

    public IReadOnlyList<IpvsService> VirtualServices()
    {
        try
        {
            return kernels.VirtualServices(id);
        }
        catch (NetlinkException)
        {
            // To whom it is not told, rules are not told either: they say so.
            return [];
        }
    }

    public IReadOnlyList<IpSet> Sets()
    {
        try
        {
            return kernels.Sets(id);
        }
        catch (NetlinkException)
        {
            // Rules that look into them cannot be decided then, and say so.
            return [];
        }
    }

    public IReadOnlyDictionary<string, string> Parameters(IReadOnlyList<string> paths)
    {
        var values = new Dictionary<string, string>(paths.Count, StringComparer.Ordinal);
        foreach (var observed in kernels.Observe([id], Sysctls, paths.Select(path => new EntryKey(id, EntryKind.Sysctl, path))).Entries.Values)
        {
            var sysctl = (SysctlEntry)observed.Entry;
            values[sysctl.Path] = sysctl.Value;
        }
        return values;
    }

    public IReadOnlyList<string> HoldersOf(string device) => [.. TunHolders.Of(device).Select(static holder => $"{holder.Program} (process {holder.Id})")];

    /// <summary>By the kernel module; a kernel that has it built in is none of a distribution's.</summary>
    public bool MayCarryIpvlan => HasIpvlan;

    public bool TracksConnections(ObservedState state, IpFamily family) => All(state).TracksConnections(family);

    public IReadOnlyList<IHookProgram> Programs(ObservedState state, IpFamily family, ChainHook hook)
    {
        ArgumentNullException.ThrowIfNull(state);
        return UnreadProgram.Of(state, id) is { } unread ? [unread] : All(state).At(family, hook);
    }

    private HookPrograms All(ObservedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return _programs ??= new HookPrograms(state.Entries.Values, id, this);
    }
}
