using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Overlay;

/// <summary>No tunnel: a plain route to each node's range, to the node itself where it is on the same wire, else to the wire's router.</summary>
public sealed class RoutedLayer : ILayer
{
    public string Name => "overlay";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after) =>
        RemoteNodes.Touched(Name, change, before, after);

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (node.Underlay is not { } wire || RemoteNodes.Remote(key, cluster, node) is not { } remote)
        {
            return;
        }
        foreach (var (range, cause) in RemoteNodes.Ranges(remote, cluster, node, write))
        {
            if (remote.AddressOf(range.Family) is not { } address)
            {
                write.Refuse($"no InternalIP of the family of {range}: there is no next hop to its pods", remote.Origin.At("status.addresses"));
            }
            else if (wire.IsOnWire(address))
            {
                write.Add(
                    new RouteEntry(node.Namespace, range)
                    {
                        NextHops = [new NextHop(wire.Device, address)],
                        Metric = RemoteNodes.MetricOf(range.Family),
                    },
                    cause);
            }
            else if (wire.RouterOf(range.Family) is { } router)
            {
                write.Add(
                    new RouteEntry(node.Namespace, range)
                    {
                        NextHops = [new NextHop(wire.Device, router)],
                        Metric = RemoteNodes.MetricOf(range.Family),
                    },
                    cause);
            }
            else
            {
                write.Refuse(
                    $"{address} is not on the wire of {wire.Device} ({wire.AddressOf(range.Family)?.Network}) and there is no router: use --overlay vxlan, or give {wire.Device} a default route",
                    remote.Origin.At("status.addresses"));
            }
        }
    }
}
