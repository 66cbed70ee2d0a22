using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Cluster;

/// <summary>A Node object as the network sees it.</summary>
public static class NodeReading
{
    private const string InternalIp = "InternalIP";
    private const string ZoneLabel = "topology.kubernetes.io/zone";

    /// <summary>Never fails: a field that is not what it should be is left out and named in <see cref="ClusterNode.Problems"/>.</summary>
    public static ClusterNode Read(Kubernetes.Objects.Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var problems = new List<string>();
        return new ClusterNode(node.Metadata.Name)
        {
            Created = node.Metadata.CreationTimestamp ?? default,
            Zone = node.Metadata.Labels.GetValueOrDefault(ZoneLabel, ""),
            Addresses = Addresses(node, problems),
            PodRanges = Ranges(node, problems),
            Problems = [.. problems],
        };
    }

    private static ValueList<IpAddress> Addresses(Kubernetes.Objects.Node node, List<string> problems)
    {
        var addresses = new List<IpAddress>(2);
        for (var i = 0; i < node.Status.Addresses.Count; i++)
        {
            var (type, text) = (node.Status.Addresses[i].Type, node.Status.Addresses[i].Address);
            if (type != InternalIp)
            {
                continue;
            }
            if (IpAddress.TryParse(text, out var address))
            {
                addresses.Add(address);
            }
            else
            {
                problems.Add($"status.addresses[{i}]: '{text}' is not an IP address; it is left out");
            }
        }
        return [.. addresses];
    }

    private static ValueList<IpPrefix> Ranges(Kubernetes.Objects.Node node, List<string> problems)
    {
        var ranges = new List<IpPrefix>(2);
        var texts = node.Spec.PodCIDRs.Count == 0 && node.Spec.PodCIDR is { Length: > 0 } only ? [only] : node.Spec.PodCIDRs;
        for (var i = 0; i < texts.Count; i++)
        {
            if (!IpPrefix.TryParse(texts[i], out var range))
            {
                problems.Add($"spec.podCIDRs[{i}]: '{texts[i]}' is not a range such as 10.244.1.0/24; it is left out");
            }
            else if (range != range.Network)
            {
                problems.Add($"spec.podCIDRs[{i}]: {range} has bits beyond its prefix, {range.Network} is meant; it is left out");
            }
            else if (ranges.Exists(other => other.Family == range.Family))
            {
                problems.Add($"spec.podCIDRs[{i}]: {range} is a second range of one family; it is left out");
            }
            else
            {
                ranges.Add(range);
            }
        }
        return [.. ranges];
    }
}
