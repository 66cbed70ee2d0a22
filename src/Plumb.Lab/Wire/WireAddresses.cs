using Plumb.Lab.HostPorts;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Lab.Wire;

/// <summary>
/// Who has which addresses on the wire, one of each family that there is: .1 the wire itself, .11 and on the nodes, .100 the outside client. In IPv6 the
/// same digits stand at the end (192.168.1.11 and fd00:192:168:1::11), so that a person reads the same machine off both.
/// </summary>
public sealed class WireAddresses
{
    private const uint WireHost = 1;
    private const uint FirstNodeHost = 11;
    private const uint OutsideHost = 100;
    private const int NodePodsLengthV4 = 24;
    private const int NodePodsLengthV6 = 64;
    private const uint DnsHost = 10;

    private readonly ValueList<IpPrefix> _pods;
    private readonly ValueList<IpPrefix> _services;

    /// <exception cref="LabException">Too many nodes, ranges that overlap or are too small.</exception>
    public WireAddresses(LabOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Nodes is < 1 or > LabOptions.MaxNodes)
        {
            throw new LabException($"--nodes {options.Nodes}: a lab has 1 to {LabOptions.MaxNodes} nodes");
        }
        RefuseOverlaps(options);
        RequireRoom(DefaultRanges.Nodes, options.NodeRanges, largestV4: 24, largestV6: 116);
        RequireRoom(DefaultRanges.Pods, options.PodRanges, PodRangeLength(NodePodsLengthV4, options.Nodes), PodRangeLength(NodePodsLengthV6, options.Nodes));
        RequireRoom(DefaultRanges.Services, options.ServiceRanges, largestV4: 28, largestV6: 124);
        Ranges = [.. options.NodeRanges.Select(static range => range.Network)];
        NodeCount = options.Nodes;
        _pods = options.PodRanges;
        _services = options.ServiceRanges;
    }

    /// <summary>Of the wire, the preferred family first; so are all lists here.</summary>
    public ValueList<IpPrefix> Ranges { get; }

    public int NodeCount { get; }

    public ValueList<IpPrefix> Wire => At(WireHost);

    public ValueList<IpPrefix> Outside => At(OutsideHost);

    /// <param name="number">From 1.</param>
    public ValueList<IpPrefix> Node(int number) => At(FirstNodeHost + (uint)(number - 1));

    /// <summary>The ranges of a node's pods: 10.244.N.0/24 and fd00:10:244:N::/64 for node-N.</summary>
    /// <param name="number">From 1.</param>
    public ValueList<IpPrefix> PodRanges(int number) => [.. _pods.Select(range => range.Part(NodePodsLength(range.Family), (uint)number))];

    /// <summary>The cluster's DNS server: the tenth address of each of the services' ranges.</summary>
    public ValueList<IpAddress> DnsServers => DnsServersIn(_services);

    /// <param name="services">The services' ranges.</param>
    public static ValueList<IpAddress> DnsServersIn(ValueList<IpPrefix> services) => [.. services.Select(static range => range.First.Plus(DnsHost))];

    /// <summary>The nodes and their addresses, in order.</summary>
    internal IReadOnlyList<NodePlace> Places() => [.. Enumerable.Range(1, NodeCount).Select(number => new NodePlace(WirePlan.NodeId(number).Name, Of(Node(number))))];

    /// <summary>Without the prefix lengths.</summary>
    public static ValueList<IpAddress> Of(ValueList<IpPrefix> own) => [.. own.Select(static one => one.Address)];

    private static int NodePodsLength(IpFamily family) => family == IpFamily.V4 ? NodePodsLengthV4 : NodePodsLengthV6;

    private ValueList<IpPrefix> At(uint host) =>
        [.. Ranges.Select(range => new IpPrefix(range.First.Plus(range.Family == IpFamily.V4 ? host : AsHexadecimal(host)), range.Length))];

    /// <summary>The number whose hexadecimal digits are the decimal ones of another: 0x11 for 11.</summary>
    private static uint AsHexadecimal(uint number) => number < 10 ? number : (AsHexadecimal(number / 10) << 4) | (number % 10);

    // node-N has 10.244.N.0/24, hence one /24 more than there are nodes.
    private static int PodRangeLength(int nodeLength, int nodes) => nodeLength - (32 - System.Numerics.BitOperations.LeadingZeroCount((uint)nodes));

    private static void RefuseOverlaps(LabOptions options)
    {
        List<(string What, string Option, IpPrefix Range)> ranges = [];
        foreach (var (kind, chosen) in (ReadOnlySpan<(DefaultRanges, ValueList<IpPrefix>)>)
            [(DefaultRanges.Nodes, options.NodeRanges), (DefaultRanges.Pods, options.PodRanges), (DefaultRanges.Services, options.ServiceRanges)])
        {
            foreach (var range in chosen)
            {
                ranges.Add((kind.What, kind.Option, range));
            }
        }
        for (var i = 0; i < ranges.Count; i++)
        {
            for (var j = i + 1; j < ranges.Count; j++)
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

    private static void RequireRoom(DefaultRanges kind, ValueList<IpPrefix> chosen, int largestV4, int largestV6)
    {
        foreach (var range in chosen)
        {
            var largest = range.Family == IpFamily.V4 ? largestV4 : largestV6;
            if (range.Length > largest)
            {
                throw new LabException($"{kind.Option} {range}: too small, the {kind.What}' {(range.Family == IpFamily.V4 ? "" : "IPv6 ")}range has to be a /{largest} or larger");
            }
        }
    }
}
