using Plumb.Api.Schema;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>The zones of a cluster and the share of its processors that each has.</summary>
internal sealed class ZoneShares
{
    public static readonly ZoneShares None = new([]);

    private readonly Dictionary<string, double> shares;

    private ZoneShares(Dictionary<string, double> shares) => this.shares = shares;

    public IReadOnlyDictionary<string, double> Shares => shares;

    /// <returns><see cref="None"/> where a node that is Ready tells no zone or no processors, or all are in one zone.</returns>
    public static ZoneShares Of(IEnumerable<Node> nodes)
    {
        var cpus = new Dictionary<string, double>(StringComparer.Ordinal);
        double sum = 0;
        foreach (var node in nodes)
        {
            if (node.Metadata.Labels.ContainsKey("node-role.kubernetes.io/control-plane") || !node.Status.Conditions.IsTrue("Ready"))
                continue;
            if (!node.Metadata.Labels.TryGetValue(TopologyHints.ZoneLabel, out string? zone) || !node.Status.Allocatable.TryGetValue("cpu", out var cpu)
                || !Quantities.TryParse(cpu.ToString(), out var amount) || amount <= 0)
            {
                return None;
            }
            cpus[zone] = cpus.GetValueOrDefault(zone) + (double)amount;
            sum += (double)amount;
        }
        return cpus.Count < 2 ? None : new ZoneShares(cpus.ToDictionary(static zone => zone.Key, zone => zone.Value / sum));
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
    /// <returns>The zone of each by the pod's uid, those of before kept where they can be; null: no hints at all.</returns>
    public static Dictionary<string, string>? Assign(IReadOnlyCollection<PlacedEndpoint> endpoints, ZoneShares zones)
    {
        if (zones.Shares.Count < 2 || endpoints.Count < zones.Shares.Count)
            return null;
        var room = Room(endpoints.Count, zones);
        foreach (var (zone, share) in zones.Shares)
        {
            if (room[zone] == 0 || share / ((double)room[zone] / endpoints.Count) - 1 > MostOverload)
                return null;
        }
        var assigned = new Dictionary<string, string>(endpoints.Count);
        // 1. In its own zone; 2. where it was; 3. wherever there is room.
        foreach (var endpoint in endpoints)
        {
            if (endpoint.Zone.Length == 0)
                return null;
            Take(endpoint, endpoint.Zone);
        }
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

    /// <summary>How many each zone gets: by its share, the largest remainders first.</summary>
    private static Dictionary<string, int> Room(int total, ZoneShares zones)
    {
        var room = zones.Shares.ToDictionary(static zone => zone.Key, zone => (int)(zone.Value * total));
        int left = total - room.Values.Sum();
        foreach (var (zone, _) in zones.Shares.OrderByDescending(zone => zone.Value * total % 1).ThenBy(static zone => zone.Key, StringComparer.Ordinal))
        {
            if (left-- > 0)
                room[zone]++;
        }
        return room;
    }
}
