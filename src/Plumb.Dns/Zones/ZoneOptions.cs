using Plumb.Dns.Wire;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Zones;

/// <summary>What is told about a cluster's names; the rest follows from its objects.</summary>
public sealed record ZoneOptions
{
    public static ZoneOptions Default { get; } = new();

    /// <summary>The cluster's domain.</summary>
    public DomainName Domain { get; init; } = DomainName.Parse("cluster.local");

    /// <summary>Where the cluster's DNS server answers: the address of <c>ns.dns</c> in the domain.</summary>
    public IReadOnlyList<IpAddress> Servers { get; init; } = [IpAddress.V4(10, 96, 0, 10)];

    /// <summary>Ranges of ClusterIPs and of pods: whose addresses have no name here, have none.</summary>
    public IReadOnlyList<IpPrefix> Ranges { get; init; } = [IpPrefix.Parse("10.96.0.0/12"), IpPrefix.Parse("10.244.0.0/16")];

    /// <summary>
    /// Ranges in which every address is taken for a pod's, in every namespace (<c>10-244-1-5.default.pod</c>), as CoreDNS does by default: no node knows all pods.
    /// Where it is empty, only pods that were told of have such names.
    /// </summary>
    public IReadOnlyList<IpPrefix> PodRanges { get; init; } = [IpPrefix.Parse("10.244.0.0/16")];

    /// <summary>How long an asker may keep an answer, in seconds, and also that there is none.</summary>
    public uint TtlSeconds { get; init; } = 5;
}
