using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Network.Cluster;

/// <summary>A Service object as the network sees it.</summary>
public static class ServiceReading
{
    private const int LongestAffinitySeconds = 86_400; // core/v1: one day

    /// <summary>The Service, or null when no node serves it: headless, ExternalName, another proxy's.</summary>
    /// <remarks>Never fails: a field that is not what it should be is left out and named in <see cref="ClusterService.Problems"/>.</remarks>
    public static ClusterService? Read(Kubernetes.Objects.Service service)
    {
        ArgumentNullException.ThrowIfNull(service);
        var spec = service.Spec;
        var labels = service.Metadata.Labels;
        if (spec.IsExternalName
            || spec.IsHeadless
            || labels.ContainsKey(Kubernetes.Objects.Service.ProxyNameLabel)
            || labels.ContainsKey(Kubernetes.Objects.Service.HeadlessLabel))
        {
            return null;
        }
        var problems = new List<string>();
        var clusterIPs = ClusterIPs(spec, problems);
        if (clusterIPs.Count == 0)
        {
            return null; // not given one yet
        }
        return new ClusterService(SubjectOf(service.Metadata.Namespace, service.Metadata.Name))
        {
            ClusterIPs = clusterIPs,
            Ports = Ports(spec, problems),
            ExternalIPs = Addresses(spec.ExternalIPs, "spec.externalIPs", problems),
            BalancerAddresses = Balancers(service, problems),
            SourceRanges = SourceRanges(spec, problems),
            IsLocalInside = spec.InternalTrafficPolicy == "Local",
            IsLocalOutside = spec.ExternalTrafficPolicy == "Local",
            AffinitySeconds = spec.Affinity is { } affinity ? Math.Clamp((int)affinity.TotalSeconds, 1, LongestAffinitySeconds) : null,
            HealthCheckPort = (ushort)Math.Clamp(spec.HealthCheckNodePort, 0, ushort.MaxValue),
            EndsTcp = EndsTcp(service, problems),
            Problems = [.. problems],
        };
    }

    private static bool EndsTcp(Kubernetes.Objects.Service service, List<string> problems)
    {
        const string annotation = Kubernetes.Objects.Service.EndConnectionsAnnotation;
        if (!service.Metadata.Annotations.TryGetValue(annotation, out var text) || text == "TCP")
        {
            return text is not null;
        }
        problems.Add($"metadata.annotations[{annotation}]: '{text}' is not TCP; connections live on");
        return false;
    }

    /// <summary>The name by which a Service is known here. An object without a namespace is in <c>default</c>.</summary>
    public static Subject SubjectOf(string? scope, string name) =>
        new(SubjectKind.Service, string.IsNullOrEmpty(scope) ? "default" : scope, name);

    private static ValueList<IpAddress> ClusterIPs(Kubernetes.Objects.ServiceSpec spec, List<string> problems)
    {
        var texts = spec.ClusterIPs.Count == 0 && spec.ClusterIP is { Length: > 0 } only ? [only] : spec.ClusterIPs;
        var all = new List<IpAddress>(2);
        foreach (var address in Addresses(texts, "spec.clusterIPs", problems))
        {
            if (all.Exists(other => other.Family == address.Family))
            {
                problems.Add($"spec.clusterIPs: {address} is a second one of its family; it is left out");
            }
            else
            {
                all.Add(address);
            }
        }
        return [.. all];
    }

    private static ValueList<ClusterServicePort> Ports(Kubernetes.Objects.ServiceSpec spec, List<string> problems)
    {
        var ports = new List<ClusterServicePort>(spec.Ports.Count);
        for (var i = 0; i < spec.Ports.Count; i++)
        {
            var port = spec.Ports[i];
            if (ProtocolOf(port.Protocol) is not { } protocol)
            {
                problems.Add($"spec.ports[{i}].protocol: '{port.Protocol}' is not TCP, UDP or SCTP; the port is left out");
            }
            else if (port.Port is < 1 or > ushort.MaxValue || port.NodePort is < 0 or > ushort.MaxValue)
            {
                problems.Add($"spec.ports[{i}]: {port.Port} and {port.NodePort} are not both ports; the port is left out");
            }
            else
            {
                ports.Add(new ClusterServicePort(port.Name ?? "", protocol, (ushort)port.Port, (ushort)port.NodePort));
            }
        }
        if (ports.Count > PoolMark.MostPorts)
        {
            problems.Add($"spec.ports: {ports.Count} ports are more than the {PoolMark.MostPorts} of one Service that nodes serve; those from the {PoolMark.MostPorts + 1}th on are left out: make it several Services");
            ports.RemoveRange(PoolMark.MostPorts, ports.Count - PoolMark.MostPorts);
        }
        return [.. ports];
    }

    internal static IpProtocol? ProtocolOf(string text) => text switch
    {
        "TCP" => IpProtocol.Tcp,
        "UDP" => IpProtocol.Udp,
        "SCTP" => IpProtocol.Sctp,
        _ => null,
    };

    private static ValueList<IpAddress> Addresses(IReadOnlyList<string> texts, string field, List<string> problems)
    {
        if (texts.Count == 0)
        {
            return [];
        }
        var addresses = new List<IpAddress>(texts.Count);
        for (var i = 0; i < texts.Count; i++)
        {
            if (!IpAddress.TryParse(texts[i], out var address))
            {
                problems.Add($"{field}[{i}]: '{texts[i]}' is not an IP address; it is left out");
            }
            else if (!addresses.Contains(address))
            {
                addresses.Add(address);
            }
        }
        return [.. addresses];
    }

    private static ValueList<IpAddress> Balancers(Kubernetes.Objects.Service service, List<string> problems)
    {
        var texts = new List<string>();
        foreach (var ingress in service.Status.LoadBalancer?.Ingress ?? [])
        {
            if (ingress is { Ip: { Length: > 0 } ip, IpMode: not "Proxy" })
            {
                texts.Add(ip);
            }
        }
        return service.Spec.Type == "LoadBalancer" ? Addresses(texts, "status.loadBalancer.ingress", problems) : [];
    }

    private static ValueList<IpPrefix> SourceRanges(Kubernetes.Objects.ServiceSpec spec, List<string> problems)
    {
        if (spec.LoadBalancerSourceRanges.Count == 0)
        {
            return [];
        }
        var ranges = new List<IpPrefix>();
        for (var i = 0; i < spec.LoadBalancerSourceRanges.Count; i++)
        {
            if (IpPrefix.TryParse(spec.LoadBalancerSourceRanges[i].Trim(), out var range))
            {
                ranges.Add(range.Network);
            }
            else
            {
                // Left out is closed, not open: the others still say who may come.
                problems.Add($"spec.loadBalancerSourceRanges[{i}]: '{spec.LoadBalancerSourceRanges[i]}' is not a range such as 192.168.1.0/24; nobody comes in by it");
            }
        }
        // Two prefixes either lie one in the other or are apart: the kernel takes only such as are apart.
        var outermost = ranges.Distinct().Where(range => !ranges.Exists(other => other != range && other.Contains(range))).Order().ToList();
        // All of them unreadable must not mean everybody.
        return outermost.Count != 0 ? [.. outermost] : [IpPrefix.Host(IpAddress.V4(0, 0, 0, 0))];
    }
}
