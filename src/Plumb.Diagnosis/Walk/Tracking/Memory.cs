using System.Collections.Immutable;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>
/// What connection tracking remembers, in each namespace: of packets that were walked already, and else what the kernel remembers from before. A value, as the
/// travellers that carry it.
/// </summary>
internal sealed class Memory
{
    private readonly ImmutableDictionary<(NamespaceId, ushort Zone, ConntrackTuple), Remembered> _byTuple;
    private readonly ImmutableDictionary<(NamespaceId, string), (IpAddress, ushort)> _endpoints;

    private Memory(ImmutableDictionary<(NamespaceId, ushort, ConntrackTuple), Remembered> byTuple, ImmutableDictionary<(NamespaceId, string), (IpAddress, ushort)> endpoints) =>
        (_byTuple, _endpoints) = (byTuple, endpoints);

    public static Memory Empty { get; } = new(ImmutableDictionary<(NamespaceId, ushort, ConntrackTuple), Remembered>.Empty, ImmutableDictionary<(NamespaceId, string), (IpAddress, ushort)>.Empty);

    public Remembered? Find(Space space, ushort zone, ConntrackTuple tuple) =>
        _byTuple.TryGetValue((space.Id, zone, tuple), out var walked) ? walked
        // Echoes are told apart by an identifier that tuples here do not have: the one that is walked is nobody else's.
        : Tuples.HasPorts(tuple.Protocol) && space.Connection(tuple, zone) is { } entry ? new Remembered(Of(entry), [])
        : null;

    /// <param name="rewriters">What translated it, so that the way back can say whose doing it was.</param>
    public Memory With(NamespaceId space, Connection connection, ImmutableList<Hop> rewriters)
    {
        var remembered = new Remembered(connection, rewriters);
        return new Memory(_byTuple.SetItem((space, connection.Zone, connection.Original), remembered).SetItem((space, connection.Zone, connection.Reply), remembered), _endpoints);
    }

    /// <summary>From where a peer of WireGuard was heard last; null: not on this walk.</summary>
    public (IpAddress Address, ushort Port)? Endpoint(NamespaceId space, string key) => _endpoints.TryGetValue((space, key), out var known) ? known : null;

    public Memory WithEndpoint(NamespaceId space, string key, (IpAddress Address, ushort Port) endpoint) => new(_byTuple, _endpoints.SetItem((space, key), endpoint));

    private static Connection Of(ConntrackEntry entry) =>
        new(entry.IsAnswered ? ConnectionState.Established : entry.IsExpected ? ConnectionState.Related : ConnectionState.New, entry.Original, entry.Reply)
        {
            Mark = entry.Mark,
            Zone = entry.Zone,
            SourceDecided = true,
            DestinationDecided = true,
            Entry = entry,
        };
}

internal sealed record Remembered(Connection Connection, ImmutableList<Hop> Rewriters);
