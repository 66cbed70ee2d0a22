using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Scenes;

namespace Plumb.Whatif;

/// <summary>
/// Whom changed entries may concern, so that nobody else need be walked. Entries of a Service concern who goes to that Service; a route or neighbour, who goes
/// to its addresses; anything else on a node, all who are there. What only an option causes is the part that Services have in common: it changes with one of them.
/// </summary>
internal sealed class Concerned
{
    private readonly IScene _scene;
    private readonly HashSet<Subject> _services = [];
    private readonly HashSet<Party> _parties = [];

    public Concerned(IScene scene, IEnumerable<PlannedChange> changes, ClusterView before, ClusterView after)
    {
        _scene = scene;
        foreach (var change in changes)
        {
            foreach (var item in change.Items)
            {
                Add(item, change, before, after);
            }
        }
    }

    /// <summary>The places of Services, as they are and as they would be.</summary>
    public IReadOnlyList<Probe> Services(ClusterView before, ClusterView after)
    {
        var probes = new List<Probe>();
        var node = _scene.Parties.All.FirstOrDefault(static party => party.Kind == PartyKind.Node);
        foreach (var service in _services.Order().SelectMany(subject => new[] { before.Services.Service(subject), after.Services.Service(subject) }).OfType<ClusterService>())
        {
            foreach (var port in service.Ports)
            {
                var title = $"{service.Subject}:{port.Port}";
                var protocol = (byte)port.Protocol;
                probes.AddRange(service.ClusterIPs.Select(address => new Probe(title, address, protocol, port.Port, FromOutside: false)));
                probes.AddRange(service.ExternalIPs.Concat(service.BalancerAddresses).Select(address => new Probe(title, address, protocol, port.Port, FromOutside: true)));
                if (port.NodePort != 0 && node is not null)
                {
                    probes.AddRange(node.Addresses.Select(address => new Probe(title, address, protocol, port.NodePort, FromOutside: true)));
                }
            }
        }
        return [.. probes.Distinct()];
    }

    /// <summary>Pods and machines themselves.</summary>
    public IReadOnlyList<Probe> Parties()
    {
        var probes = new List<Probe>();
        foreach (var party in _parties)
        {
            var port = _scene.World.Find(party.Space)?.Sockets.FirstOrDefault(static socket => socket.Protocol == Packet.Tcp)?.Port ?? 0;
            foreach (var address in party.Addresses)
            {
                probes.Add(new Probe(party.Subject, address, port != 0 ? Packet.Tcp : address.Family == IpFamily.V4 ? Packet.Icmp : Packet.IcmpV6, port, FromOutside: false));
            }
        }
        return probes;
    }

    /// <summary>Whether a connection may go another way.</summary>
    public bool Includes(IpAddress asked, ushort port, IpAddress reached, IReadOnlyList<Probe> services) =>
        _parties.Any(party => party.Addresses.Contains(asked) || party.Addresses.Contains(reached)) || services.Any(probe => probe.Port == port && (probe.Address == asked || probe.FromOutside));

    private void Add(DeltaItem item, PlannedChange change, ClusterView before, ClusterView after)
    {
        foreach (var cause in change.Causes(item.Key))
        {
            if (cause.Subject.Kind == SubjectKind.Service)
            {
                _services.Add(cause.Subject);
            }
            else if (cause.Subject.Kind == SubjectKind.EndpointSlice && (before.Services.Slice(cause.Subject) ?? after.Services.Slice(cause.Subject)) is { } slice)
            {
                _services.Add(slice.Service);
            }
            else if (cause.Subject.Kind != SubjectKind.Option)
            {
                _parties.UnionWith(_scene.Parties.All.Where(party => Concerns(item.Want?.Entry ?? item.Was!, change.Node, party)));
            }
        }
    }

    private static bool Concerns(Entry entry, string node, Party party) => entry switch
    {
        RouteEntry route => party.Addresses.Any(route.Destination.Contains),
        NeighbourEntry neighbour => party.Addresses.Contains(neighbour.Address),
        // Where the way to a station leads; whose station it is, routes and neighbours tell.
        FdbEntry => false,
        _ when entry.Namespace.Name == node => party.Node == node,
        _ => party.Space == entry.Namespace,
    };
}
