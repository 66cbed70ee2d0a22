using System.Text.Json.Nodes;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Pods;

namespace Plumb.Network.Planning;

/// <summary>What a plan without a machine takes for granted about it.</summary>
public sealed record AssumedMachine
{
    public string Device { get; init; } = "eth0";

    public int MtuBytes { get; init; } = 1500;

    /// <summary>Prefix length of the wire's IPv4 network.</summary>
    public int WireLength { get; init; } = 24;

    /// <summary>Prefix length of the wire's IPv6 network.</summary>
    public int WireLength6 { get; init; } = 64;

    public ValueList<IpAddress> Routers { get; init; }
}

/// <summary>
/// What would be in a node's kernel, from objects alone (<c>plumb plan</c>). Pods that are bound to the node count as started:
/// with the address of their status, else with the next free one in the order of their names.
/// </summary>
public static class OfflinePlan
{
    /// <param name="objects">Manifests; kinds that the network does not look at are passed over.</param>
    /// <exception cref="PlanInputException">An object cannot be read, or there is no such node.</exception>
    public static Planner Make(IEnumerable<JsonNode> objects, string nodeName, NetworkOptions options, AssumedMachine machine)
    {
        ArgumentNullException.ThrowIfNull(objects);
        ArgumentNullException.ThrowIfNull(machine);
        var (cluster, pods) = ClusterReading.Read(objects);
        var self = cluster.Node(nodeName) ?? throw new PlanInputException(
            $"there is no Node {nodeName} among the objects: {(cluster.Nodes.Count == 0 ? "they hold no nodes" : "they hold " + string.Join(", ", cluster.Nodes.Keys))}");
        var node = NodeFacts.Create(nodeName, new NamespaceId(nodeName), options, WireOf(self, machine));
        var view = new NetworkView(cluster, WithPods(cluster, node, pods));
        return Planner.FromScratch(Layers.For(options), view);
    }

    private static Underlay? WireOf(ClusterNode self, AssumedMachine machine)
    {
        var addresses = new List<IpPrefix>(2);
        foreach (var family in new[] { IpFamily.V4, IpFamily.V6 })
        {
            if (self.AddressOf(family) is { } address)
            {
                addresses.Add(new IpPrefix(address, family == IpFamily.V4 ? machine.WireLength : machine.WireLength6));
            }
        }
        return addresses.Count == 0
            ? null
            : new Underlay(machine.Device, default, machine.MtuBytes, [.. addresses], machine.Routers);
    }

    private static NodeFacts WithPods(ClusterView cluster, NodeFacts node, IReadOnlyList<Kubernetes.Objects.Pod> pods)
    {
        var mine = pods.Where(pod => pod.Spec.NodeName == node.Name && !pod.Spec.HostNetwork).ToList();
        mine.Sort(static (left, right) => string.CompareOrdinal(
            $"{left.Metadata.Namespace}/{left.Metadata.Name}", $"{right.Metadata.Namespace}/{right.Metadata.Name}"));
        var pools = PodPools.Usable(cluster, node, new List<(string, Origin)>());
        var held = new HashSet<IpAddress>();
        foreach (var pod in mine)
        {
            if (IpAddress.TryParse(pod.Status.PodIP, out var address))
            {
                held.Add(address);
            }
        }
        foreach (var pod in mine)
        {
            var leases = new List<PodLease>(2);
            foreach (var pool in pools)
            {
                IpAddress? given = IpAddress.TryParse(pod.Status.PodIP, out var stated) && pool.Range.Contains(stated)
                    ? stated
                    : HostLocal.Next(pool.Range, held.Contains, null);
                if (given is { } address)
                {
                    held.Add(address);
                    leases.Add(new PodLease(address, pool.Range));
                }
            }
            if (leases.Count != 0)
            {
                var scope = pod.Metadata.Namespace ?? "default";
                var id = new SandboxId($"{scope}_{pod.Metadata.Name}", Devices.PodEnd);
                node = node.With(new Sandbox(id, new NamespaceId($"{scope}/{pod.Metadata.Name}"), [.. leases])
                {
                    PodScope = scope,
                    PodName = pod.Metadata.Name,
                    PodUid = pod.Metadata.Uid ?? "",
                    Ports = [.. pod.Spec.Containers.SelectMany(static container => container.Ports).Where(static port => port.HostPort != 0).Select(PortOf)],
                    Bandwidth = BandwidthOf(pod),
                });
            }
        }
        return node;
    }

    private static Bandwidth BandwidthOf(Kubernetes.Objects.Pod pod)
    {
        try
        {
            return Bandwidth.Of(pod.Metadata.Annotations);
        }
        catch (FormatException wrong)
        {
            throw new PlanInputException($"Pod {pod.Metadata.Namespace ?? "default"}/{pod.Metadata.Name}: {wrong.Message}", wrong);
        }
    }

    private static HostPort PortOf(Kubernetes.Objects.ContainerPort port) => new(
        port.Protocol switch { "UDP" => IpProtocol.Udp, "SCTP" => IpProtocol.Sctp, _ => IpProtocol.Tcp },
        (ushort)port.HostPort,
        (ushort)port.Number,
        IpAddress.TryParse(port.HostIP, out var address) && !address.IsUnspecified ? address : null);
}

/// <summary>The objects do not make a plan; the message is one line for the user.</summary>
public sealed class PlanInputException(string message, Exception? cause = null) : Exception(message, cause);
