using System.Globalization;
using Plumb.Agent.Running;
using Plumb.Network.Pods;

namespace Plumb.Agent.Metrics;

/// <summary>How much there is of what, at one moment.</summary>
internal sealed record NodeGauges
{
    private const string Connection = "/proc/sys/net/netfilter/nf_conntrack_"; // of the namespace of whoever reads

    private static readonly IReadOnlyDictionary<string, long> _none = new Dictionary<string, long>();

    public static NodeGauges None { get; } = new();

    public IReadOnlyDictionary<string, long> EntriesByLayer { get; init; } = _none;

    public IReadOnlyDictionary<string, long> LeasesByRange { get; init; } = _none;

    public IReadOnlyDictionary<string, long> CapacityByRange { get; init; } = _none;

    public long Nodes { get; init; }

    public long Pods { get; init; }

    public long Services { get; init; }

    public long Connections { get; init; }

    public long MostConnections { get; init; }

    public bool IsReady { get; init; }

    /// <summary>Looked at between two rounds of the loop.</summary>
    public static NodeGauges Of(NodeState state)
    {
        var pools = PodPools.Usable(state.View.Cluster, state.View.Node, []);
        return new NodeGauges
        {
            EntriesByLayer = state.Planner.Index.CountByLayer(),
            LeasesByRange = pools.ToDictionary(static pool => pool.Range.ToString(), pool => (long)state.Leases.CountIn(pool.Range)),
            CapacityByRange = pools.ToDictionary(static pool => pool.Range.ToString(), static pool => (long)Math.Min(HostLocal.Capacity(pool.Range), long.MaxValue)),
            Nodes = state.View.Cluster.Nodes.Count,
            Pods = state.Leases.All.Count,
            Services = state.View.Cluster.Services.Count,
            Connections = Read("count"),
            MostConnections = Read("max"),
            IsReady = NodeTrouble.Of(state) is null,
        };
    }

    private static long Read(string name)
    {
        try
        {
            return long.Parse(File.ReadAllText(Connection + name), CultureInfo.InvariantCulture);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException or FormatException)
        {
            // No connection is tracked as long as nobody asks for it: the module is not loaded.
            return 0;
        }
    }
}
