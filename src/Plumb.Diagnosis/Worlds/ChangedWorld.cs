using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Nftables;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Worlds;

/// <summary>Another world with changes made to it that nobody has made: no kernel is touched.</summary>
/// <param name="gone">Namespaces that are no more.</param>
/// <param name="forgets">Which connections that a namespace remembers it would not; null: none.</param>
public sealed class ChangedWorld(
    IWorld before, IEnumerable<DeltaItem> changes, IReadOnlySet<NamespaceId> gone, Func<NamespaceId, ConntrackEntry, bool>? forgets = null) : IWorld
{
    private readonly ILookup<NamespaceId, DeltaItem> _changes = changes.ToLookup(static item => item.Key.Namespace);
    private readonly Dictionary<NamespaceId, Space?> _spaces = [];

    public IEnumerable<NamespaceId> Known => before.Known.Where(id => !gone.Contains(id));

    public Space? Find(NamespaceId id)
    {
        if (!_spaces.TryGetValue(id, out var known))
        {
            var was = gone.Contains(id) ? null : before.Find(id);
            _spaces[id] = known = was is null || !(_changes.Contains(id) || forgets is not null) ? was
                : new Space(id, With(was.Whole, _changes[id]), new ChangedSource(was, _changes.Contains(id), forgets));
        }
        return known;
    }

    private static ObservedState With(ObservedState was, IEnumerable<DeltaItem> changes)
    {
        var now = new ObservedState();
        foreach (var observed in was.Entries.Values)
        {
            now.Set(observed);
        }
        foreach (var ((space, kind), why) in was.Unread)
        {
            now.SetUnread(space, kind, why);
        }
        foreach (var item in changes)
        {
            var held = now.Entries.GetValueOrDefault(item.Key);
            if (item.Want is not { } want)
            {
                now.Remove(item.Key);
            }
            else if (held is null || !want.Entry.IsSatisfiedBy(held.Entry))
            {
                now.Set(new Observed(want.Entry, Owner.Plumb, want.Stamp, held?.Facts ?? new KernelFacts()));
            }
        }
        return now;
    }

    /// <summary>Sockets and parameters as they are, and connections but for what is forgotten; rules as they would be.</summary>
    private sealed class ChangedSource(Space was, bool isChanged, Func<NamespaceId, ConntrackEntry, bool>? forgets) : ISpaceSource
    {
        private HookPrograms? _programs;

        public IReadOnlyList<BoundSocket> Sockets() => was.Sockets;

        public IReadOnlyList<ConntrackEntry> Connections(IpFamily family) =>
            forgets is null ? was.Connections(family) : [.. was.Connections(family).Where(one => !forgets(was.Id, one))];

        public ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone) =>
            was.Connection(tuple, zone) is { } entry && forgets?.Invoke(was.Id, entry) != true ? entry : null;

        public IReadOnlyList<IpSet> Sets() => [.. was.Sets];

        public IReadOnlyList<IpvsService> VirtualServices() => was.VirtualServices;

        public IReadOnlyDictionary<string, string> Parameters(IReadOnlyList<string> paths)
        {
            var values = new Dictionary<string, string>(paths.Count, StringComparer.Ordinal);
            foreach (var path in paths)
            {
                if (was.Parameter(path) is { } value)
                {
                    values[path] = value;
                }
            }
            return values;
        }

        public IReadOnlyList<string> HoldersOf(string device) => was.HoldersOf(device);

        public bool MayCarryIpvlan => was.MayCarryIpvlan;

        public bool TracksConnections(ObservedState state, IpFamily family) => isChanged ? All(state).TracksConnections(family) : was.TracksConnections(family);

        public IReadOnlyList<IHookProgram> Programs(ObservedState state, IpFamily family, ChainHook hook) => isChanged ? All(state).At(family, hook) : was.Programs(family, hook);

        private HookPrograms All(ObservedState state) => _programs ??= new HookPrograms(state.Entries.Values, was.Id);
    }
}
