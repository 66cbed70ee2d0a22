using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Nftables;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Worlds;

/// <summary>What of a namespace is asked for only when a packet comes to where it matters.</summary>
public interface ISpaceSource
{
    /// <summary>The state with the elements of sets, where it is without.</summary>
    ObservedState Whole(ObservedState state) => state;

    /// <summary>Sockets that wait for peers.</summary>
    IReadOnlyList<BoundSocket> Sockets();

    IReadOnlyList<ConntrackEntry> Connections(IpFamily family);

    /// <summary>The connection of which this is one direction; null: none is remembered.</summary>
    ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone);

    /// <summary>The sets of ip_set.</summary>
    IReadOnlyList<IpSet> Sets() => [];

    /// <summary>The virtual services of IPVS.</summary>
    IReadOnlyList<IpvsService> VirtualServices() => [];

    /// <summary>Kernel parameters by path below <c>/proc/sys</c>; those that do not exist are left out.</summary>
    IReadOnlyDictionary<string, string> Parameters(IReadOnlyList<string> paths);

    /// <summary>The processes at the other end of a tun or tap device, each in a few words; none: nobody can tell.</summary>
    IReadOnlyList<string> HoldersOf(string device) => [];

    /// <summary>Whether ipvlans may sit on devices: nothing in the namespace of those tells of them, and to look for them is costly.</summary>
    bool MayCarryIpvlan => true;

    /// <summary>Whether some rule needs connections to be tracked: else nobody does.</summary>
    bool TracksConnections(ObservedState state, IpFamily family);

    /// <summary>The rules that packets of a family meet at a hook, in order of priority.</summary>
    IReadOnlyList<IHookProgram> Programs(ObservedState state, IpFamily family, ChainHook hook);
}

/// <summary>A namespace with nobody listening, no rules and a kernel's defaults, but for what is given.</summary>
public sealed class GivenSource : ISpaceSource
{
    private ConnectionTable? _table;

    public IReadOnlyList<BoundSocket> Listening { get; init; } = [];

    public IReadOnlyList<IpvsService> Services { get; init; } = [];

    public IReadOnlyList<ConntrackEntry> Remembered { get; init; } = [];

    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<(IpFamily Family, ChainHook Hook), IReadOnlyList<IHookProgram>> Rules { get; init; } =
        new Dictionary<(IpFamily, ChainHook), IReadOnlyList<IHookProgram>>();

    public IReadOnlyList<BoundSocket> Sockets() => Listening;

    public IReadOnlyList<IpvsService> VirtualServices() => Services;

    public IReadOnlyList<ConntrackEntry> Connections(IpFamily family) => Remembered;

    public ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone) => (_table ??= new ConnectionTable(Remembered)).Find(tuple, zone);

    public IReadOnlyDictionary<string, string> Parameters(IReadOnlyList<string> paths) => Values;

    public bool TracksConnections(ObservedState state, IpFamily family) => Rules.Count > 0;

    public IReadOnlyList<IHookProgram> Programs(ObservedState state, IpFamily family, ChainHook hook) =>
        Rules.GetValueOrDefault((family, hook)) ?? [];
}
