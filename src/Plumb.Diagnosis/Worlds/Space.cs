using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Iptables;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Nftables;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Worlds;

/// <summary>One network namespace as it was seen once, ordered by what a packet's way asks of it.</summary>
public sealed class Space
{
    private static readonly ChainHook[] NatHooks = [ChainHook.Prerouting, ChainHook.Input, ChainHook.Output, ChainHook.Postrouting];

    private readonly ISpaceSource _source;
    private readonly Dictionary<string, Observed> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _names = [];
    private readonly Dictionary<string, List<LinkEntry>> _ports = new(StringComparer.Ordinal);
    private readonly List<AddressEntry> _addresses = [];
    private readonly Dictionary<(IpFamily, RouteTable), List<RouteEntry>> _routes = [];
    private readonly Dictionary<IpFamily, List<RuleEntry>> _rules = new() { [IpFamily.V4] = [], [IpFamily.V6] = [] };
    private readonly Dictionary<(string, IpAddress), NeighbourEntry> _neighbours = [];
    private readonly HashSet<(string, IpAddress)> _proxies = [];
    private readonly Dictionary<string, List<FdbEntry>> _fdb = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<QdiscEntry>> _qdiscs = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, TrafficHook), List<FilterEntry>> _filters = [];
    private readonly Dictionary<string, string?> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<(IpFamily, ChainHook), IReadOnlyList<IHookProgram>> _programs = [];
    private readonly Dictionary<IpFamily, IReadOnlyList<ConntrackEntry>> _connections = [];
    private readonly Dictionary<(ConntrackTuple, ushort), ConntrackEntry?> _connection = [];
    private IReadOnlyList<BoundSocket>? _sockets;
    private IReadOnlyDictionary<string, IpSet>? _sets;
    private IReadOnlyList<IpvsService>? _virtualServices;

    /// <param name="state">May hold other namespaces too.</param>
    public Space(NamespaceId id, ObservedState state, ISpaceSource source)
    {
        ArgumentNullException.ThrowIfNull(state);
        Id = id;
        State = state;
        _source = source;
        foreach (var observed in state.Entries.Values)
        {
            if (observed.Entry.Namespace == id)
            {
                Take(observed);
            }
        }
        foreach (var routes in _routes.Values)
        {
            // fib_table_lookup: the longest prefix; in it TOS before any, then the least metric.
            routes.Sort(static (a, b) =>
                a.Destination.Length != b.Destination.Length ? b.Destination.Length - a.Destination.Length
                : a.Tos != b.Tos ? b.Tos - a.Tos
                : a.Metric.CompareTo(b.Metric));
        }
        foreach (var rules in _rules.Values)
        {
            rules.Sort(static (a, b) => a.Priority.CompareTo(b.Priority));
        }
        foreach (var filters in _filters.Values)
        {
            filters.Sort(static (a, b) => a.Preference - b.Preference);
        }
    }

    public NamespaceId Id { get; }

    /// <summary>As far as a packet's way needs it at once: elements of sets may be asked for one by one.</summary>
    public ObservedState State { get; }

    /// <summary>All of it.</summary>
    public ObservedState Whole => _source.Whole(State);

    public IEnumerable<LinkEntry> Links => _links.Values.Select(static link => (LinkEntry)link.Entry);

    public IReadOnlyList<AddressEntry> Addresses => _addresses;

    public IReadOnlyList<BoundSocket> Sockets => _sockets ??= _source.Sockets();

    /// <summary>The sets that rules of iptables look into; none where no rule does.</summary>
    public IEnumerable<IpSet> Sets => AllSets.Values;

    public IpSet? Set(string name) => AllSets.GetValueOrDefault(name);

    private IReadOnlyDictionary<string, IpSet> AllSets => _sets ??= (UsesSets ? _source.Sets() : []).DistinctBy(static set => set.Name).ToDictionary(static set => set.Name, StringComparer.Ordinal);

    private bool UsesSets => State.Entries.Values.Any(held => held.Entry.Namespace == Id && held.Entry switch
    {
        IptablesChainEntry chain => chain.Rules.Any(LooksIntoSet),
        IptablesRuleEntry rule => LooksIntoSet(rule.Text),
        _ => false,
    });

    private static bool LooksIntoSet(string rule) => rule.Contains("--match-set ", StringComparison.Ordinal);

    public LinkEntry? Link(string name) => _links.TryGetValue(name, out var link) ? (LinkEntry)link.Entry : null;

    public int Index(string link) => _links.TryGetValue(link, out var observed) ? observed.Facts.Index : 0;

    public string? Name(int index) => _names.GetValueOrDefault(index);

    /// <summary>Up, and somebody at the other end.</summary>
    public bool Carries(string link) =>
        _links.TryGetValue(link, out var observed) && ((LinkEntry)observed.Entry).Up == true && observed.Facts.Carrier != false;

    public bool IsPromiscuous(string link) => _links.TryGetValue(link, out var observed) && observed.Facts.Promiscuous == true;

    /// <summary>Whether the kernel has ipvlans at all; see <see cref="ISpaceSource.MayCarryIpvlan"/>.</summary>
    public bool MayCarryIpvlan => _source.MayCarryIpvlan;

    /// <inheritdoc cref="ISpaceSource.HoldersOf"/>
    public IReadOnlyList<string> HoldersOf(string device) => _source.HoldersOf(device);

    public IReadOnlyList<LinkEntry> PortsOf(string bridge) => _ports.TryGetValue(bridge, out var ports) ? ports : [];

    /// <summary>In the order in which the kernel tries them.</summary>
    public IReadOnlyList<RouteEntry> Routes(IpFamily family, RouteTable table) => _routes.TryGetValue((family, table), out var routes) ? routes : [];

    public IReadOnlyList<RuleEntry> Rules(IpFamily family) => _rules[family];

    public NeighbourEntry? Neighbour(string device, IpAddress address) => _neighbours.GetValueOrDefault((device, address));

    public bool IsProxyFor(string device, IpAddress address) => _proxies.Contains((device, address));

    /// <summary>What a bridge port or a VXLAN device holds.</summary>
    public IReadOnlyList<FdbEntry> Fdb(string device) => _fdb.TryGetValue(device, out var entries) ? entries : [];

    /// <summary>Queueing disciplines that somebody has put on a device.</summary>
    public IReadOnlyList<QdiscEntry> Qdiscs(string device) => _qdiscs.TryGetValue(device, out var qdiscs) ? qdiscs : [];

    /// <summary>In the order in which packets meet them.</summary>
    public IReadOnlyList<FilterEntry> Filters(string device, TrafficHook hook) => _filters.TryGetValue((device, hook), out var filters) ? filters : [];

    public IReadOnlyList<ConntrackEntry> Connections(IpFamily family) =>
        _connections.TryGetValue(family, out var known) ? known : _connections[family] = _source.Connections(family);

    /// <summary>What the kernel remembers of a flow from before; null: nothing. Asked for once.</summary>
    /// <param name="tuple">One of its directions.</param>
    public ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone)
    {
        if (!_connection.TryGetValue((tuple, zone), out var known))
        {
            _connection[(tuple, zone)] = known = _source.Connection(tuple, zone);
        }
        return known;
    }

    /// <summary>Whether some chain is for translation: then what is remembered is translated, and sources are kept apart.</summary>
    public bool Translates(IpFamily family) => NatHooks.Any(hook => Programs(family, hook).Any(static program => program.IsNat));

    /// <summary>IPVS remembers its own connections; the walk keeps them with the others.</summary>
    public bool TracksConnections(IpFamily family) => VirtualServices.Count > 0 || _source.TracksConnections(State, family);

    /// <summary>The virtual services of IPVS.</summary>
    public IReadOnlyList<IpvsService> VirtualServices => _virtualServices ??= _source.VirtualServices();

    public IReadOnlyList<IHookProgram> Programs(IpFamily family, ChainHook hook) =>
        _programs.TryGetValue((family, hook), out var known) ? known : _programs[(family, hook)] = _source.Programs(State, family, hook);

    /// <summary>Null: there is none.</summary>
    public string? Parameter(string path)
    {
        if (!_parameters.ContainsKey(path))
        {
            Read([path]);
        }
        return _parameters[path];
    }

    public bool IsOn(string path) => Parameter(path) is { } value and not "0";

    /// <summary>A parameter of a device that <c>all</c> may set as well: the larger one counts (IN_DEV_MAXCONF), which for switches is either.</summary>
    public int OfDevice(IpFamily family, string device, string name)
    {
        var all = ConfPath(family, "all", name);
        var own = ConfPath(family, device, name);
        if (!_parameters.ContainsKey(own) || !_parameters.ContainsKey(all))
        {
            Read([.. new[] { all, own }.Where(path => !_parameters.ContainsKey(path))]);
        }
        return Math.Max(Number(_parameters[all]), Number(_parameters[own]));
    }

    /// <summary>A parameter of a device that stands alone.</summary>
    public int OfDeviceAlone(IpFamily family, string device, string name) => Number(Parameter(ConfPath(family, device, name)));

    /// <summary>All that a walk might ask for, by path, and others beside.</summary>
    public IReadOnlyDictionary<string, string> Parameters(IEnumerable<string> others) => _source.Parameters([.. WalkParameters.Of(Links).Union(others)]);

    private static string ConfPath(IpFamily family, string device, string name) => $"net/ipv{(family == IpFamily.V4 ? 4 : 6)}/conf/{device}/{name}";

    private static int Number(string? value) => int.TryParse(value, out var number) ? number : 0;

    private void Read(IReadOnlyList<string> paths)
    {
        var values = _source.Parameters(paths);
        foreach (var path in paths)
        {
            if (!WalkParameters.Includes(path))
            {
                throw new ArgumentException($"{path} is not among those of {nameof(WalkParameters)}: snapshots would not hold it", nameof(paths));
            }
            _parameters[path] = values.GetValueOrDefault(path);
        }
    }

    private void Take(Observed observed)
    {
        switch (observed.Entry)
        {
            case LinkEntry link:
                _links[link.Name] = observed;
                _names[observed.Facts.Index] = link.Name;
                if (link.Master is { Length: > 0 } master)
                {
                    Among(_ports, master).Add(link);
                }
                break;
            case AddressEntry address:
                _addresses.Add(address);
                break;
            case RouteEntry route:
                Among(_routes, (route.Destination.Family, route.Table)).Add(route);
                break;
            case RuleEntry rule:
                _rules[rule.Family].Add(rule);
                break;
            case NeighbourEntry { Proxy: true } proxy:
                _proxies.Add((proxy.Device, proxy.Address));
                break;
            case NeighbourEntry neighbour:
                _neighbours[(neighbour.Device, neighbour.Address)] = neighbour;
                break;
            case FdbEntry fdb:
                Among(_fdb, fdb.Device).Add(fdb);
                break;
            case QdiscEntry qdisc:
                Among(_qdiscs, qdisc.Device).Add(qdisc);
                break;
            case FilterEntry { Chain: 0 } filter:
                Among(_filters, (filter.Device, filter.Hook)).Add(filter);
                break;
            case SysctlEntry sysctl:
                _parameters[sysctl.Path] = sysctl.Value;
                break;
            default:
                break;
        }
    }

    private static List<TValue> Among<TKey, TValue>(Dictionary<TKey, List<TValue>> lists, TKey key)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
        {
            lists.Add(key, list = []);
        }
        return list;
    }
}
