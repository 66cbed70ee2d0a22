using System.Collections.Concurrent;
using System.Threading.Channels;
using Plumb.Agent.Kernel;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Native;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Tests;

/// <summary>A kernel of dictionaries that outlives the agents which use it, as a real one does. Every batch is one write.</summary>
internal sealed class FakeKernel(NamespaceId home)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, FileIdentity> _paths = [];
    private readonly Dictionary<FileIdentity, Dictionary<string, Observed>> _namespaces = [];
    private readonly List<Channel<ForeignChange>> _listeners = [];
    private readonly FileIdentity _homeIdentity = new(4, 1);

    /// <summary>What the kernel refuses, by a part of the entry's text.</summary>
    public string? Refuses { get; set; }

    /// <summary>Called before somebody looks into a namespace: it may wait, or fail as the look does.</summary>
    public Action<NamespaceId>? Looking { get; set; }

    /// <summary>The namespaces that were read whole, in their order.</summary>
    public ConcurrentQueue<NamespaceId> ReadWhole { get; } = new();

    public int Batches { get; private set; }

    public static string Path(string container) => $"/run/netns/{container}";

    public void MakeNamespace(string container)
    {
        lock (_lock)
        {
            var identity = new FileIdentity(4, (ulong)(_paths.Count + 100));
            _paths[Path(container)] = identity;
            _namespaces[identity] = [];
        }
    }

    public void EndNamespace(string container)
    {
        lock (_lock)
        {
            _paths.Remove(Path(container), out var identity);
            _namespaces.Remove(identity);
        }
    }

    /// <summary>What the node's namespace was given by an administrator.</summary>
    public void Give(Entry entry, Owner owner = Owner.Foreign)
    {
        lock (_lock)
        {
            Of(_homeIdentity)[KeyText(entry.Key)] = new Observed(entry, owner, null, new KernelFacts());
        }
    }

    /// <summary>A plugin behind ours in the chain gives a container's link another hardware address: the kernel tells nobody outside.</summary>
    public void SetMac(string container, string link, MacAddress mac)
    {
        lock (_lock)
        {
            var entries = _namespaces[_paths[Path(container)]];
            var (key, held) = entries.Single(one => one.Value.Entry is LinkEntry found && found.Name == link);
            entries[key] = new Observed((LinkEntry)held.Entry with { Mac = mac }, held.Owner, held.Stamp, held.Facts);
        }
    }

    /// <summary>Somebody removes an entry of the node's by hand.</summary>
    public void Remove(EntryKey key, uint writer = 4711)
    {
        lock (_lock)
        {
            Assert.True(Of(_homeIdentity).Remove(KeyText(key)), $"there is no {key}");
            foreach (var listener in _listeners)
            {
                listener.Writer.TryWrite(new ForeignChange([writer]));
            }
        }
    }

    public IReadOnlyList<string> Dump()
    {
        lock (_lock)
        {
            return [.. _namespaces.OrderBy(pair => pair.Key.Inode).SelectMany(pair => pair.Value.Values.Select(holds => $"{pair.Key.Inode} {holds.Entry.Print()} {holds.Stamp}").Order(StringComparer.Ordinal))];
        }
    }

    public INodeKernel Open(IWriteSeam writes) => new Session(this, writes);

    private static string KeyText(EntryKey key) => $"{key.Kind} {key.Name}";

    private Dictionary<string, Observed> Of(FileIdentity identity)
    {
        if (!_namespaces.TryGetValue(identity, out var entries))
        {
            _namespaces[identity] = entries = [];
        }
        return entries;
    }

    private sealed class Session : INodeKernel
    {
        private readonly FakeKernel _kernel;
        private readonly IWriteSeam _writes;
        private readonly Channel<ForeignChange> _changes = Channel.CreateUnbounded<ForeignChange>();
        private readonly Dictionary<NamespaceId, FileIdentity> _entered = [];

        public Session(FakeKernel kernel, IWriteSeam writes)
        {
            _kernel = kernel;
            _writes = writes;
            lock (kernel._lock)
            {
                kernel._listeners.Add(_changes);
            }
        }

        public FileIdentity? Enter(NamespaceId name, string path, FileIdentity? expected)
        {
            lock (_kernel._lock)
            {
                if (!_kernel._paths.TryGetValue(path, out var identity) || (expected is { } wanted && wanted != identity))
                {
                    return null;
                }
                _entered[name] = identity;
                return identity;
            }
        }

        public void Leave(NamespaceId name) => _entered.Remove(name);

        public IReadOnlyList<EntryFailure> Apply(IReadOnlyList<DeltaItem> items)
        {
            var failures = new List<EntryFailure>();
            foreach (var group in items.GroupBy(item => item.Key.Namespace))
            {
                // The kernel takes one message after another: an agent may end between any two.
                foreach (var item in group)
                {
                    _writes.BeforeWrite(item.Key.ToString());
                    lock (_kernel._lock)
                    {
                        var entries = _kernel.Of(Identity(group.Key));
                        if (item.Want is not { } want)
                        {
                            entries.Remove(KeyText(item.Key));
                        }
                        else if (_kernel.Refuses is { } refused && want.Entry.Print().Contains(refused, StringComparison.Ordinal))
                        {
                            failures.Add(new EntryFailure(item.Key, $"{want.Entry.Print()}: EEXIST File exists"));
                        }
                        else
                        {
                            entries[KeyText(item.Key)] = new Observed(want.Entry, Owner.Plumb, want.Stamp, new KernelFacts());
                        }
                    }
                }
                _kernel.Batches++;
            }
            return failures;
        }

        public int Forget(IReadOnlyCollection<EndedFlow> ended) => 0;

        public string? Parameter(EntryKey key)
        {
            lock (_kernel._lock)
            {
                return (_kernel.Of(Identity(key.Namespace)).GetValueOrDefault(KeyText(key))?.Entry as SysctlEntry)?.Value;
            }
        }

        public int Forget(IReadOnlySet<ConnectionMark> marks) => 0;

        public ObservedState Observe(NamespaceId name, IEnumerable<EntryKey> parameters, KernelAreas areas)
        {
            _kernel.Looking?.Invoke(name);
            _kernel.ReadWhole.Enqueue(name);
            var observed = new ObservedState();
            lock (_kernel._lock)
            {
                foreach (var holds in _kernel.Of(Identity(name)).Values)
                {
                    observed.Set(holds);
                }
            }
            return observed;
        }

        public LinkTraffic? Traffic(string device) => default(LinkTraffic);

        public MacAddress? MacOf(NamespaceId name, string device)
        {
            _kernel.Looking?.Invoke(name);
            lock (_kernel._lock)
            {
                return _kernel.Of(Identity(name)).Values.Select(static holds => holds.Entry).OfType<LinkEntry>().FirstOrDefault(link => link.Name == device)?.Mac;
            }
        }

        public Delta Difference(DesiredState desired, ObservedState observed, IReadOnlyCollection<NamespaceId> namespaces, KernelAreas areas)
        {
            var wanted = new DesiredState();
            foreach (var entry in desired.Entries.Values.Where(entry => namespaces.Contains(entry.Entry.Namespace)))
            {
                wanted.Set(entry);
            }
            return Linux.State.Difference.Between(wanted, observed);
        }

        public ValueTask<ForeignChange> WaitForChangeAsync(CancellationToken cancel) => _changes.Reader.ReadAsync(cancel);

        public void Dispose()
        {
            lock (_kernel._lock)
            {
                _kernel._listeners.Remove(_changes);
            }
        }

        private FileIdentity Identity(NamespaceId name) => name == _kernel.Home ? _kernel._homeIdentity : _entered[name];
    }

    private NamespaceId Home { get; } = home;
}
