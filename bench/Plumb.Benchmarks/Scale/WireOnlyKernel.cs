using System.Threading.Channels;
using Plumb.Agent.Kernel;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Native;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Benchmarks.Scale;

/// <summary>
/// The least that an agent takes for a kernel: a device with the node's address. It takes whatever is written and keeps nothing of it, so that what is measured is the
/// agent's, and tells when something that is waited for is written.
/// </summary>
internal sealed class WireOnlyKernel(NamespaceId home, IpAddress address) : INodeKernel
{
    private readonly Channel<ForeignChange> _nobodyWrites = Channel.CreateUnbounded<ForeignChange>();
    private (string Text, TaskCompletionSource Seen)? _awaited;
    private (int Elements, TaskCompletionSource Seen)? _table;

    public long Written { get; private set; }

    /// <summary>Completes when an entry is written in whose text this stands.</summary>
    public Task WhenWritten(string text)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited = (text, seen);
        return seen.Task;
    }

    /// <summary>Completes when at least so many elements of sets and maps are written at once.</summary>
    public Task WhenTableWritten(int elements)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _table = (elements, seen);
        return seen.Task;
    }

    public FileIdentity? Enter(NamespaceId name, string path, FileIdentity? expected) => null;

    public void Leave(NamespaceId name)
    {
    }

    public IReadOnlyList<EntryFailure> Apply(IReadOnlyList<DeltaItem> items)
    {
        Written += items.Count;
        if (_table is { } table && items.Count(static item => item.Key.Kind == EntryKind.Element) >= table.Elements)
        {
            _table = null;
            table.Seen.SetResult();
        }
        else if (_awaited is { } awaited && items.Any(item => item.Want?.Entry.Print().Contains(awaited.Text, StringComparison.Ordinal) == true))
        {
            _awaited = null;
            awaited.Seen.SetResult();
        }
        return [];
    }

    public int Forget(IReadOnlyCollection<EndedFlow> ended) => 0;

    public int Forget(IReadOnlySet<ConnectionMark> marks) => 0;

    public ObservedState Observe(NamespaceId name, IEnumerable<EntryKey> parameters, KernelAreas areas)
    {
        var observed = new ObservedState();
        observed.Set(new Observed(new LinkEntry(home, "eth0", new LinkType.Other("device")) { MtuBytes = 1500, Mac = MacAddress.Parse("02:00:00:00:00:01"), Up = true }, Owner.Foreign, null, new KernelFacts()));
        observed.Set(new Observed(new AddressEntry(home, "eth0", new IpPrefix(address, 12)), Owner.Foreign, null, new KernelFacts()));
        return observed;
    }

    public string? Parameter(EntryKey key) => null;

    public LinkTraffic? Traffic(string device) => null;

    public MacAddress? MacOf(NamespaceId name, string device) => null;

    public Delta Difference(DesiredState desired, ObservedState observed, IReadOnlyCollection<NamespaceId> namespaces, KernelAreas areas) =>
        new([.. desired.Entries.Values.Select(static want => new DeltaItem(want, null))], []);

    public ValueTask<ForeignChange> WaitForChangeAsync(CancellationToken cancel) => _nobodyWrites.Reader.ReadAsync(cancel);

    public void Dispose()
    {
    }
}
