using Plumb.Api.Schema;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>The zones of a cluster and the share of its processors that each has.</summary>
internal sealed class ZoneShares
{
    // Nodes of the control plane run no Services' pods (KEP-2433).
    private static readonly string[] ExcludedLabels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

    public IReadOnlyDictionary<string, double> Shares { get; private init; } = new Dictionary<string, double>();

    /// <summary>Why there are none to share between, in one line.</summary>
    public string? Fault { get; private init; }

    /// <returns>Without shares where a node that is Ready tells no zone or no processors, or all are in one zone.</returns>
    public static ZoneShares Of(IEnumerable<Node> nodes)
    {
        var cpus = new Dictionary<string, double>(StringComparer.Ordinal);
        double sum = 0;
        foreach (var node in nodes)
        {
            if (ExcludedLabels.Any(node.Metadata.Labels.ContainsKey) || !node.Status.Conditions.IsTrue("Ready"))
                continue;
            if (!node.Metadata.Labels.TryGetValue(TopologyHints.ZoneLabel, out string? zone) || zone.Length == 0)
                return new ZoneShares { Fault = $"node {node.Metadata.Name} has no label {TopologyHints.ZoneLabel}" };
            if (!node.Status.Allocatable.TryGetValue("cpu", out var cpu) || !Quantities.TryParse(cpu.ToString(), out var amount) || amount <= 0)
                return new ZoneShares { Fault = $"node {node.Metadata.Name} does not tell how many processors can be allocated" };
            cpus[zone] = cpus.GetValueOrDefault(zone) + (double)amount;
            sum += (double)amount;
        }
        return cpus.Count < 2
            ? new ZoneShares { Fault = "the nodes that are Ready are not in two zones" }
            : new ZoneShares { Shares = cpus.ToDictionary(static zone => zone.Key, zone => zone.Value / sum) };
    }
}

/// <summary>
/// `service.kubernetes.io/topology-mode: Auto` (KEP-2433): each zone gets as many of the ready endpoints as it has of the processors, its own ones first. None are
/// told apart where a zone would have to serve a fifth more than its share. Pure.
/// </summary>
internal static class TopologyHints
{
    public const string ZoneLabel = "topology.kubernetes.io/zone";

    private const double MostOverload = 0.2;

    /// <param name="endpoints">Those that are ready.</param>
    /// <param name="fault">Why there are no hints at all, in one line.</param>
    /// <returns>The zone of each by the pod's uid, those of before kept where they can be; empty: no hints at all.</returns>
    public static Dictionary<string, string> Assign(IReadOnlyCollection<PlacedEndpoint> endpoints, ZoneShares zones, out string? fault)
    {
        var room = Room(endpoints, zones, out fault);
        if (room is null)
            return [];
        var assigned = new Dictionary<string, string>(endpoints.Count);
        // 1. In its own zone; 2. where it was; 3. wherever there is room.
        foreach (var endpoint in endpoints)
            Take(endpoint, endpoint.Zone);
        foreach (var endpoint in endpoints)
            Take(endpoint, endpoint.ForZone);
        foreach (var endpoint in endpoints)
        {
            foreach (string zone in zones.Shares.Keys)
                Take(endpoint, zone);
        }
        return assigned;

        void Take(PlacedEndpoint endpoint, string zone)
        {
            if (room.GetValueOrDefault(zone) > 0 && assigned.TryAdd(endpoint.PodUid, zone))
                room[zone]--;
        }
    }

    /// <summary>How many each zone gets: what it must have not to be overloaded, the others where most is missing to the share.</summary>
    private static Dictionary<string, int>? Room(IReadOnlyCollection<PlacedEndpoint> endpoints, ZoneShares zones, out string? fault)
    {
        int total = endpoints.Count;
        var room = zones.Shares.ToDictionary(static zone => zone.Key, zone => (int)Math.Ceiling(zone.Value * total / (1 + MostOverload)));
        int left = total - room.Values.Sum();
        fault = zones.Fault;
        if (fault is null && endpoints.FirstOrDefault(static endpoint => endpoint.Zone.Length == 0) is { } homeless)
            fault = $"the node of pod {homeless.PodName} has no label {ZoneLabel}";
        else if (fault is null && (total < room.Count || left < 0))
            fault = $"{total} ready endpoints are too few to give each of {room.Count} zones its share, or nearly";
        if (fault is not null)
            return null;
        for (; left > 0; left--)
            room[zones.Shares.MaxBy(zone => (zone.Value * total - room[zone.Key], zone.Key)).Key]++;
        return room;
    }
}
