using System.Collections.Immutable;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>What connection tracking remembers, in each namespace, of packets that were walked already. A value, as the travellers that carry it.</summary>
internal sealed class Memory
{
    private readonly ImmutableDictionary<(NamespaceId, ConntrackTuple), Remembered> _byTuple;

    private Memory(ImmutableDictionary<(NamespaceId, ConntrackTuple), Remembered> byTuple) => _byTuple = byTuple;

    public static Memory Empty { get; } = new(ImmutableDictionary<(NamespaceId, ConntrackTuple), Remembered>.Empty);

    /// <summary>What kernels told of connections that are under way.</summary>
    public static Memory Of(IEnumerable<(NamespaceId Space, ConntrackEntry Connection)> remembered)
    {
        var memory = Empty;
        foreach (var (space, entry) in remembered)
        {
            memory = memory.With(space, new Connection(ConnectionState.Established, entry.Original, entry.Reply)
            {
                Mark = entry.Mark,
                Zone = entry.Zone,
                SourceDecided = true,
                DestinationDecided = true,
            }, []);
        }
        return memory;
    }

    public Remembered? Find(NamespaceId space, ConntrackTuple tuple) => _byTuple.GetValueOrDefault((space, tuple));

    /// <param name="rewriters">What translated it, so that the way back can say whose doing it was.</param>
    public Memory With(NamespaceId space, Connection connection, ImmutableList<Hop> rewriters)
    {
        var remembered = new Remembered(connection, rewriters);
        return new Memory(_byTuple.SetItem((space, connection.Original), remembered).SetItem((space, connection.Reply), remembered));
    }
}

internal sealed record Remembered(Connection Connection, ImmutableList<Hop> Rewriters);
