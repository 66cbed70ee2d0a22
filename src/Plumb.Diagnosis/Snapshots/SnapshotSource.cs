using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Nftables;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>A namespace as a snapshot holds it.</summary>
internal sealed class SnapshotSource(NamespaceId id) : ISpaceSource
{
    private readonly List<BoundSocket> _sockets = [];
    private readonly List<ConntrackEntry> _connections = [];
    private readonly List<IpSet> _sets = [];
    private readonly List<IpvsService> _services = [];
    private ConnectionTable? _table;
    private HookPrograms? _programs;

    public IReadOnlyDictionary<string, string> Values { get; set; } = new Dictionary<string, string>();

    public void Add(IEnumerable<BoundSocket> some) => _sockets.AddRange(some);

    public void Add(IEnumerable<ConntrackEntry> some) => _connections.AddRange(some);

    public void Add(IEnumerable<IpSet> some) => _sets.AddRange(some);

    public void Add(IEnumerable<IpvsService> some) => _services.AddRange(some);

    public IReadOnlyList<BoundSocket> Sockets() => _sockets;

    public IReadOnlyList<ConntrackEntry> Connections(IpFamily family) => _connections.FindAll(one => one.Original.Source.Family == family);

    public IReadOnlyList<IpSet> Sets() => _sets;

    public IReadOnlyList<IpvsService> VirtualServices() => _services;

    public ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone) => (_table ??= new ConnectionTable(_connections)).Find(tuple, zone);

    public IReadOnlyDictionary<string, string> Parameters(IReadOnlyList<string> paths) => Values;

    public bool TracksConnections(ObservedState state, IpFamily family) => All(state).TracksConnections(family);

    public IReadOnlyList<IHookProgram> Programs(ObservedState state, IpFamily family, ChainHook hook) => All(state).At(family, hook);

    private HookPrograms All(ObservedState state) => _programs ??= new HookPrograms(state.Entries.Values, id);
}
