using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;
using Plumb.Linux.Json;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>A namespace, read and ready to be written: what it holds, and all that a walk might ask it. Several threads may each read one.</summary>
public sealed class SnapshotSpace : IDisposable
{
    /// <summary>In one line at most.</summary>
    internal const int Most = 256;

    /// <param name="space">As it was when it was found; what was not read then is read now.</param>
    /// <param name="parameters">Of the kernel, in which plans have an interest.</param>
    public SnapshotSpace(Space space, IEnumerable<string> parameters)
    {
        ArgumentNullException.ThrowIfNull(space);
        var whole = space.Whole;
        Entries = whole.Count;
        var unread = whole.Unread.Where(one => one.Key.Namespace == space.Id).ToDictionary(static one => one.Key.Kind, static one => one.Value);
        var values = new SortedDictionary<string, string>(space.Parameters(parameters).ToDictionary(), StringComparer.Ordinal);
        Lines.Add(LineKinds.Space, new SpaceLine(values, unread.Count == 0 ? null : unread), SnapshotJson.Default.SpaceLine, space.Id);
        // In the order in which the kernel told them: of chains with one priority it decides.
        foreach (var some in whole.Entries.Values.Where(observed => observed.Entry.Namespace == space.Id && observed.Entry.Kind != EntryKind.Sysctl).Chunk(Most))
        {
            Lines.Add(LineKinds.Entries, json => StateJson.Write(json, some), space.Id);
        }
        foreach (var some in space.Sockets.Chunk(Most))
        {
            Lines.Add(LineKinds.Sockets, some, StateJson.Sockets, space.Id);
        }
        foreach (var some in space.Sets.Chunk(1))
        {
            Lines.Add(LineKinds.Sets, some, StateJson.Sets, space.Id);
        }
        foreach (var some in space.VirtualServices.Chunk(Most))
        {
            Lines.Add(LineKinds.VirtualServices, some, StateJson.VirtualServices, space.Id);
        }
        foreach (var some in Connections(space).Chunk(Most))
        {
            Lines.Add(LineKinds.Connections, some, StateJson.Connections, space.Id);
        }
    }

    /// <summary>How many things the kernel holds there.</summary>
    public int Entries { get; }

    internal LineBuffer Lines { get; } = new();

    public void Dispose() => Lines.Dispose();

    // The kernel keeps those of all namespaces in one table, and goes through the whole of it whosoever's are asked for: 1,000 pods that track nothing are not worth 2,000 times that.
    private static IEnumerable<ConntrackEntry> Connections(Space space) =>
        ((IpFamily[])[IpFamily.V4, IpFamily.V6]).Where(space.TracksConnections).SelectMany(space.Connections);
}
