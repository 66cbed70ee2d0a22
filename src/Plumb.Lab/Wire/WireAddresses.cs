using Plumb.Linux.Addresses;

namespace Plumb.Lab.Wire;

/// <summary>Who has which address on the wire: .1 the wire itself, .11 and on the nodes, .100 the outside client.</summary>
public sealed class WireAddresses
{
    private const uint WireHost = 1;
    private const uint FirstNodeHost = 11;
    private const uint OutsideHost = 100;
    private const int NodePodsLength = 24;
    private const uint DnsHost = 10;

    private readonly IpPrefix _pods;
    private readonly IpPrefix _services;

    /// <exception cref="LabException">Too many nodes, ranges that overlap or are too small.</exception>
    public WireAddresses(LabOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Nodes is < 1 or > LabOptions.MaxNodes)
        {
            throw new LabException($"--nodes {options.Nodes}: a lab has 1 to {LabOptions.MaxNodes} nodes");
        }
        RefuseOverlaps(
            ("nodes", "--node-cidr", options.NodeRange),
            ("pods", "--pod-cidr", options.PodRange),
            ("services", "--service-cidr", options.ServiceRange));
        RequireRoom("nodes", "--node-cidr", options.NodeRange, largestLength: 24);
        RequireRoom("pods", "--pod-cidr", options.PodRange, largestLength: PodRangeLength(options.Nodes));
        RequireRoom("services", "--service-cidr", options.ServiceRange, largestLength: 28);
        Range = options.NodeRange.Network;
        NodeCount = options.Nodes;
        _pods = options.PodRange.Network;
        _services = options.ServiceRange.Network;
    }

    public IpPrefix Range { get; }

    public int NodeCount { get; }

    public IpPrefix Wire => At(WireHost);

    public IpPrefix Outside => At(OutsideHost);

    /// <param name="number">From 1.</param>
    public IpPrefix Node(int number) => At(FirstNodeHost + (uint)(number - 1));

    /// <summary>The range of a node's pods: 10.244.N.0/24 for node-N.</summary>
    /// <param name="number">From 1.</param>
    public IpPrefix PodRange(int number) => _pods.Part(NodePodsLength, (uint)number);

    /// <summary>Address of the cluster's DNS server, the tenth of the services' range.</summary>
    public IpAddress ClusterDns => _services.First.Plus(DnsHost);

    private IpPrefix At(uint host) => new(Range.First.Plus(host), Range.Length);

    // node-N has 10.244.N.0/24, hence one /24 more than there are nodes.
    private static int PodRangeLength(int nodes) => 24 - (32 - System.Numerics.BitOperations.LeadingZeroCount((uint)nodes));

    private static void RefuseOverlaps(params ReadOnlySpan<(string What, string Option, IpPrefix Range)> ranges)
    {
        for (var i = 0; i < ranges.Length; i++)
        {
            for (var j = i + 1; j < ranges.Length; j++)
            {
                if (ranges[i].Range.Overlaps(ranges[j].Range))
                {
                    throw new LabException(
                        $"the {ranges[i].What}' range {ranges[i].Range} ({ranges[i].Option}) overlaps the {ranges[j].What}' range "
                        + $"{ranges[j].Range} ({ranges[j].Option}): choose ranges that share no address");
                }
            }
        }
    }

    private static void RequireRoom(string what, string option, IpPrefix range, int largestLength)
    {
        if (range.Family != IpFamily.V4)
        {
            throw new LabException($"{option} {range}: the {what}' range has to be IPv4");
        }
        if (range.Length > largestLength)
        {
            throw new LabException($"{option} {range}: too small, the {what}' range has to be a /{largestLength} or larger");
        }
    }
}
