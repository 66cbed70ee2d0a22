using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Overlay;

namespace Plumb.Network.Pods;

/// <summary>
/// The node's bridge and its pods. A pod's address stands alone (/32, /128) and its only way is its router, the bridge: every
/// packet between two pods of one node crosses layer 3 there, where address translation and policy see it.
/// </summary>
public sealed class PodsLayer : ILayer
{
    private static readonly BridgePort PortOfPod = new()
    {
        // The forwarding table is written, not learned, and holds every pod: there is nobody left to ask or to flood.
        Learning = false,
        Flood = false,
        MulticastFlood = false,
        BroadcastFlood = false,
        // A pod that reaches itself through a Service: where br_netfilter is on, the bridge sends such a frame back by its own port.
        Hairpin = true,
    };

    public string Name => "pods";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after)
    {
        var subject = change.Subject;
        if (subject.Kind == SubjectKind.Sandbox)
        {
            yield return new PlanKey(Name, subject);
            if (ServedRangesDiffer(SandboxId.From(subject), before.Node, after.Node) || before.Node.HasLoopbackPorts != after.Node.HasLoopbackPorts || before.Node.HadLoopbackPorts != after.Node.HadLoopbackPorts)
            {
                yield return new PlanKey(Name, Subject.Machine);
            }
        }
        else if (subject.Kind == SubjectKind.Node)
        {
            if (subject.Name == after.Node.Name || IsRival(subject.Name, before) || IsRival(subject.Name, after))
            {
                yield return new PlanKey(Name, Subject.Machine);
            }
        }
        else if (subject == Subject.Machine)
        {
            yield return new PlanKey(Name, subject);
            foreach (var id in after.Node.Sandboxes.Keys)
            {
                yield return new PlanKey(Name, id.Subject);
            }
        }
    }

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (node.Underlay is not { } wire || PathMtu.OfPods(node) is not { } mtuBytes)
        {
            return;
        }
        if (key.Subject == Subject.Machine)
        {
            PlanBridge(cluster, node, wire, mtuBytes, write);
        }
        else if (node.Sandbox(SandboxId.From(key.Subject)) is { } sandbox)
        {
            PlanPod(sandbox, node, wire, mtuBytes, write);
        }
    }

    private static void PlanBridge(ClusterView cluster, NodeFacts node, Underlay wire, int mtuBytes, IPlanWriter write)
    {
        var refused = new List<(string Line, Origin Cause)>();
        var pools = PodPools.Served(cluster, node, refused);
        foreach (var (line, cause) in refused)
        {
            write.Refuse(line, cause);
        }
        var home = node.Namespace;
        foreach (var pool in pools)
        {
            if (!PathMtu.Carries(node, pool.Range.Family))
            {
                continue; // in use from better days
            }
            write.Add(
                new LinkEntry(home, Devices.Bridge, new LinkType.Bridge { SpanningTree = false, MulticastSnooping = false, VlanFiltering = false })
                {
                    Mac = Devices.BridgeMac(wire.Addresses[0].Address),
                    MtuBytes = mtuBytes,
                    Up = true,
                    NoAutomaticAddress = true,
                },
                pool.Cause);
            write.Add(
                new AddressEntry(home, Devices.Bridge, pool.Gateway) { NoDuplicateDetection = WithoutDetection(pool.Range.Family), Protocol = RouteProtocol.Plumb },
                pool.Cause);
            PlanBridgeSysctls(node, pool, write);
            PlanServiceRoute(node, wire, pool, write);
        }
    }

    private static void PlanBridgeSysctls(NodeFacts node, PodPool pool, IPlanWriter write)
    {
        var home = node.Namespace;
        if (pool.Range.Family == IpFamily.V4)
        {
            // Packets between two pods of this node leave by the device that they came in by. "There is a shorter way" would be
            // the kernel's advice, and it would be wrong.
            write.Add(new SysctlEntry(home, $"net/ipv4/conf/{Devices.Bridge}/send_redirects", "0"), pool.Cause);
            // For ports of the node that lead to a pod: without it the kernel neither sends what comes from 127.0.0.1 to this device nor takes the answer (ip_route_output_key and
            // ip_route_input_slow of net/ipv4/route.c). With it pods could speak to what listens there, were they not kept from it (Stages.GuardLoopback).
            if (node.HadLoopbackPorts)
            {
                write.Add(new SysctlEntry(home, $"net/ipv4/conf/{Devices.Bridge}/route_localnet", node.HasLoopbackPorts ? "1" : "0"), pool.Cause);
            }
        }
        else
        {
            write.Add(new SysctlEntry(home, $"net/ipv6/conf/{Devices.Bridge}/accept_dad", "0"), pool.Cause);
            write.Add(new SysctlEntry(home, $"net/ipv6/conf/{Devices.Bridge}/accept_ra", "0"), pool.Cause);
        }
    }

    // A ClusterIP is nowhere, but connect() looks for a route before address translation sees the first packet.
    private static void PlanServiceRoute(NodeFacts node, Underlay wire, PodPool pool, IPlanWriter write)
    {
        foreach (var services in node.Options.ServiceRanges)
        {
            if (services.Family == pool.Range.Family && wire.AddressOf(services.Family) is { } own)
            {
                write.Add(
                    new RouteEntry(node.Namespace, services.Network)
                    {
                        NextHops = [new NextHop(Devices.Bridge, null)],
                        Scope = services.Family == IpFamily.V4 ? RouteScope.Link : RouteScope.Universe,
                        PreferredSource = own.Address,
                        Metric = MetricOf(services.Family),
                    },
                    new Origin(Subject.Option("service-cidr")));
            }
        }
    }

    private static void PlanPod(Sandbox sandbox, NodeFacts node, Underlay wire, int mtuBytes, IPlanWriter write)
    {
        var cause = sandbox.Origin;
        var (home, inside) = (node.Namespace, sandbox.Namespace);
        var (nodeEnd, podEnd) = (sandbox.NodeEnd, sandbox.Id.Interface);
        var bridgeMac = Devices.BridgeMac(wire.Addresses[0].Address);

        write.Add(new LinkEntry(inside, Devices.Loopback, new LinkType.Loopback()) { Up = true }, cause);
        write.Add(
            new LinkEntry(inside, podEnd, new LinkType.Veth(home, nodeEnd))
            {
                Mac = sandbox.Mac,
                MtuBytes = mtuBytes,
                Up = true,
                NoAutomaticAddress = true,
            },
            cause);
        write.Add(
            new LinkEntry(home, nodeEnd, new LinkType.Veth(inside, podEnd))
            {
                MtuBytes = mtuBytes,
                Up = true,
                NoAutomaticAddress = true,
                Master = Devices.Bridge,
                Port = PortOfPod,
            },
            cause);
        write.Add(new FdbEntry(home, nodeEnd, sandbox.Mac) { OfMaster = true }, cause);

        foreach (var lease in sandbox.Leases)
        {
            var family = lease.Address.Family;
            if (!PathMtu.Carries(node, family))
            {
                continue;
            }
            write.Add(
                new AddressEntry(inside, podEnd, IpPrefix.Host(lease.Address)) { NoDuplicateDetection = WithoutDetection(family), Protocol = RouteProtocol.Plumb },
                cause);
            write.Add(
                new RouteEntry(inside, IpPrefix.Host(lease.Gateway))
                {
                    NextHops = [new NextHop(podEnd, null)],
                    Scope = family == IpFamily.V4 ? RouteScope.Link : RouteScope.Universe,
                    Metric = MetricOf(family),
                },
                cause);
            write.Add(
                new RouteEntry(inside, IpPrefix.Everything(family))
                {
                    NextHops = [new NextHop(podEnd, lease.Gateway)],
                    Metric = MetricOf(family),
                },
                cause);
            write.Add(new NeighbourEntry(inside, podEnd, lease.Gateway) { Mac = bridgeMac }, cause);
            write.Add(new NeighbourEntry(home, Devices.Bridge, lease.Address) { Mac = sandbox.Mac }, cause);
        }
    }

    // Duplicate detection is IPv6's: every address here is given once, and a pod would wait 1.6 s for nothing.
    private static bool? WithoutDetection(IpFamily family) => family == IpFamily.V6 ? true : null;

    // The kernel gives an IPv6 route without a metric 1024 (IP6_RT_PRIO_USER).
    private static uint MetricOf(IpFamily family) => family == IpFamily.V4 ? 0u : 1024u;

    private static bool ServedRangesDiffer(SandboxId id, NodeFacts before, NodeFacts after) =>
        AnyDiffers(before.Sandbox(id), before, after) || AnyDiffers(after.Sandbox(id), before, after);

    private static bool AnyDiffers(Sandbox? sandbox, NodeFacts before, NodeFacts after)
    {
        foreach (var lease in sandbox?.Leases ?? [])
        {
            if (before.IsPoolInUse(lease.Pool) != after.IsPoolInUse(lease.Pool))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsRival(string name, NetworkView view)
    {
        if (view.Cluster.Node(view.Node.Name) is { } self)
        {
            foreach (var rival in view.Cluster.Rivals(self))
            {
                if (rival == name)
                {
                    return true;
                }
            }
        }
        return false;
    }
}
