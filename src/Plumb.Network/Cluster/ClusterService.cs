using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Network.Cluster;

/// <summary>
/// What the network needs of a Service that nodes serve. Services without a ClusterIP (headless, ExternalName) and those with
/// another proxy's label are none of these.
/// </summary>
public sealed record ClusterService(Subject Subject)
{
    private Origin? _origin;

    /// <summary>spec.clusterIPs, at most one of each family, the preferred family first.</summary>
    public ValueList<IpAddress> ClusterIPs { get; init; }

    public ValueList<ClusterServicePort> Ports { get; init; }

    public ValueList<IpAddress> ExternalIPs { get; init; }

    /// <summary>status.loadBalancer.ingress[*].ip, those with ipMode Proxy left out: they are not for nodes to answer.</summary>
    public ValueList<IpAddress> BalancerAddresses { get; init; }

    /// <summary>spec.loadBalancerSourceRanges without those that lie inside another; empty: everybody.</summary>
    public ValueList<IpPrefix> SourceRanges { get; init; }

    /// <summary>internalTrafficPolicy Local: through the ClusterIP only this node's endpoints are reached.</summary>
    public bool IsLocalInside { get; init; }

    /// <summary>externalTrafficPolicy Local: from outside only this node's endpoints are reached, and they see the client's own address.</summary>
    public bool IsLocalOutside { get; init; }

    /// <summary>How long a client stays with its endpoint; null without affinity.</summary>
    public int? AffinitySeconds { get; init; }

    /// <summary>Established TCP connections are forgotten when their endpoint is gone, so that their clients hear of it; asked for by an annotation.</summary>
    public bool EndsTcp { get; init; }

    /// <summary>spec.healthCheckNodePort; 0: none.</summary>
    public ushort HealthCheckPort { get; init; }

    /// <summary>Whether balancers ask every node if it has endpoints.</summary>
    public bool IsHealthChecked => HealthCheckPort != 0 && IsLocalOutside;

    /// <summary>One line for each field that is not what it should be; such fields are left out above.</summary>
    public ValueList<string> Problems { get; init; }

    public Origin Origin => _origin ??= new Origin(Subject);

    /// <summary>Whether anything but the ClusterIPs leads here.</summary>
    public bool IsReachedFromOutside
    {
        get
        {
            var byNodePort = false;
            foreach (var port in Ports)
            {
                byNodePort |= port.NodePort != 0;
            }
            return byNodePort || ExternalIPs.Count != 0 || BalancerAddresses.Count != 0;
        }
    }

    public bool Equals(ClusterService? other) =>
        other is not null
        && Subject == other.Subject
        && ClusterIPs == other.ClusterIPs
        && Ports == other.Ports
        && ExternalIPs == other.ExternalIPs
        && BalancerAddresses == other.BalancerAddresses
        && SourceRanges == other.SourceRanges
        && IsLocalInside == other.IsLocalInside
        && IsLocalOutside == other.IsLocalOutside
        && AffinitySeconds == other.AffinitySeconds
        && HealthCheckPort == other.HealthCheckPort
        && EndsTcp == other.EndsTcp
        && Problems == other.Problems;

    public override int GetHashCode() => HashCode.Combine(Subject, ClusterIPs, Ports);
}

/// <summary>One port of a Service. Endpoint slices name it by name and protocol; the port there may differ from pod to pod.</summary>
/// <param name="Name">Empty where the Service has one port without a name.</param>
/// <param name="NodePort">0: none.</param>
public readonly record struct ClusterServicePort(string Name, IpProtocol Protocol, ushort Port, ushort NodePort);
