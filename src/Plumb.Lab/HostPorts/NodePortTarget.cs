using System.Net;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.HostPorts;

/// <summary>A machine at which node ports can be asked.</summary>
internal sealed record NodePlace(string Name, IReadOnlyList<IpAddress> Addresses);

/// <summary>Where connections to one node port of a Service are to go, as it is now.</summary>
/// <param name="nodes">All nodes of the lab.</param>
/// <param name="local">The Service's slices, where only nodes that have an endpoint answer (externalTrafficPolicy Local); else null.</param>
internal sealed class NodePortTarget(ushort nodePort, IpFamily family, IReadOnlyList<NodePlace> nodes, Informer<EndpointSlice>? local)
{
    private uint _turn;

    /// <summary>The nodes to try, one after another: each time another first, as a balancer in front of them would.</summary>
    public IEnumerable<IPEndPoint> Next()
    {
        var wanted = local is null ? null : NodesWithEndpoints(local);
        var first = (int)(Interlocked.Increment(ref _turn) % (uint)nodes.Count);
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[(first + i) % nodes.Count];
            if (wanted is null || wanted.Contains(node.Name))
            {
                yield return new IPEndPoint(AddressOf(node).ToIPAddress(), nodePort);
            }
        }
    }

    private IpAddress AddressOf(NodePlace node)
    {
        foreach (var address in node.Addresses)
        {
            if (address.Family == family)
            {
                return address;
            }
        }
        return node.Addresses[0];
    }

    private static HashSet<string> NodesWithEndpoints(Informer<EndpointSlice> slices)
    {
        var ready = new HashSet<string>(StringComparer.Ordinal);
        var going = new HashSet<string>(StringComparer.Ordinal);
        foreach (var slice in slices.Objects.Values)
        {
            foreach (var endpoint in slice.Endpoints)
            {
                if (endpoint.NodeName is { } node && (endpoint.Conditions.IsReady || endpoint.Conditions.IsServing))
                {
                    (endpoint.Conditions.IsReady ? ready : going).Add(node);
                }
            }
        }
        return ready.Count > 0 ? ready : going;
    }
}
