using System.Collections.Immutable;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>What connection tracking remembers, in each namespace, of packets that were walked already. A value, as the travellers that carry it.</summary>
internal sealed class Memory
{
    private readonly ImmutableDictionary<(NamespaceId, ConntrackTuple), Remembered> _byTuple;
    private readonly ImmutableDictionary<(NamespaceId, string), (IpAddress, ushort)> _endpoints;

    private Memory(ImmutableDictionary<(NamespaceId, ConntrackTuple), Remembered> byTuple, ImmutableDictionary<(NamespaceId, string), (IpAddress, ushort)> endpoints) =>
        (_byTuple, _endpoints) = (byTuple, endpoints);

    public static Memory Empty { get; } = new(ImmutableDictionary<(NamespaceId, ConntrackTuple), Remembered>.Empty, ImmutableDictionary<(NamespaceId, string), (IpAddress, ushort)>.Empty);

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
        return new Memory(_byTuple.SetItem((space, connection.Original), remembered).SetItem((space, connection.Reply), remembered), _endpoints);
    }

    /// <summary>From where a peer of WireGuard was heard last; null: not on this walk.</summary>
    public (IpAddress Address, ushort Port)? Endpoint(NamespaceId space, string key) => _endpoints.TryGetValue((space, key), out var known) ? known : null;

    public Memory WithEndpoint(NamespaceId space, string key, (IpAddress Address, ushort Port) endpoint) => new(_byTuple, _endpoints.SetItem((space, key), endpoint));
}

internal sealed record Remembered(Connection Connection, ImmutableList<Hop> Rewriters);
