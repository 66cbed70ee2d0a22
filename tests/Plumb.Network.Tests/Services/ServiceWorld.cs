using System.Diagnostics;
using System.Text;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Manifests;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Network.Tests.Services;

/// <summary>
/// Two nodes and a client outside on one wire, with pods, each a network namespace; the plans of both nodes are in their kernels.
/// Addresses end alike in both families: node-N is 192.168.1.1N and fd00:192:168:1::1N.
/// </summary>
internal sealed class ServiceWorld : IDisposable
{
    public const string Outside = "outside";

    /// <summary>Pods, the node that each is on, and the last byte of its address there.</summary>
    public static readonly IReadOnlyDictionary<string, (string Node, int Host)> Pods = new Dictionary<string, (string, int)>
    {
        ["client"] = ("node-1", 2),
        ["near"] = ("node-1", 3),
        ["far"] = ("node-2", 2),
        ["farther"] = ("node-2", 3),
    };

    private readonly Dictionary<string, NetworkNamespace> _places = [];
    private readonly Dictionary<string, Planner> _planners = [];
    private readonly bool _dual;

    public ServiceWorld(bool dual = false, ServicesKind services = ServicesKind.Nftables)
    {
        _dual = dual;
        foreach (var place in (string[])["node-1", "node-2", Outside, "wire", .. Pods.Keys])
        {
            _places[place] = NetworkNamespace.Create();
            Kernels.Add(new NamespaceId(place), NetworkNamespace.Open(_places[place].ProcPath));
        }
        BuildWire();
        var options = new NetworkOptions { Overlay = OverlayKind.Routed, Services = services };
        if (dual)
        {
            options = options with
            {
                ClusterRanges = [.. options.ClusterRanges, IpPrefix.Parse("fd00:10:244::/56")],
                ServiceRanges = [.. options.ServiceRanges, IpPrefix.Parse("fd00:10:96::/112")],
            };
        }
        var cluster = ClusterView.Empty.With(Node(1)).With(Node(2));
        foreach (var number in new[] { 1, 2 })
        {
            var name = $"node-{number}";
            var node = NodeFacts.Create(name, new NamespaceId(name), options, new Underlay("eth0", default, 1500, [.. WireAddresses(10 + number)], []));
            foreach (var (pod, (on, host)) in Pods)
            {
                if (on == name)
                {
                    node = node.With(new Sandbox(new SandboxId($"{pod.GetHashCode(StringComparison.Ordinal):x8}", "eth0"), new NamespaceId(pod), [.. Leases(number, host)]) { PodScope = "default", PodName = pod });
                }
            }
            var planner = _planners[name] = Planner.FromScratch(Layers.For(options), new NetworkView(cluster, node));
            Kernels.Apply([.. planner.Desired.Entries.Values.Select(static desired => new DeltaItem(desired, null))]);
        }
        foreach (var place in _places.Values)
        {
            Settle(place);
        }
    }

    public Kernels Kernels { get; } = new();

    public NetworkNamespace this[string place] => _places[place];

    public Planner PlanOf(string node) => _planners[node];

    /// <summary>Services and slices as they are now, on every node.</summary>
    public void Apply(string yaml) => Change(ManifestReader.Parse("yaml", Encoding.UTF8.GetBytes(yaml)), gone: false);

    public void Delete(string yaml) => Change(ManifestReader.Parse("yaml", Encoding.UTF8.GetBytes(yaml)), gone: true);

    /// <summary>Goes over to another back end on every node.</summary>
    public void Switch(ServicesKind services)
    {
        foreach (var planner in _planners.Values)
        {
            var options = planner.View.Node.Options with { Services = services };
            var items = planner.Replan(Layers.For(options), planner.View with { Node = planner.View.Node.With(options) });
            Kernels.Apply([.. items.Where(static item => item.Want is not null)]);
            Kernels.Apply([.. items.Where(static item => item.Want is null)]);
        }
    }

    public IpAddress AddressOf(string place, IpFamily family = IpFamily.V4)
    {
        var (node, host) = Pods.TryGetValue(place, out var pod) ? (pod.Node[^1] - '0', pod.Host) : (0, place == Outside ? 100 : 10 + (place[^1] - '0'));
        return (family, node) switch
        {
            (IpFamily.V4, 0) => IpAddress.V4(192, 168, 1, (byte)host),
            (IpFamily.V4, _) => IpAddress.V4(10, 244, (byte)node, (byte)host),
            (_, 0) => IpAddress.Parse($"fd00:192:168:1::{host}"),
            _ => IpAddress.Parse($"fd00:10:244:{node}::{host}"),
        };
    }

    /// <summary>What a tool says inside of a place.</summary>
    public async Task<string> RunAsync(string place, params string[] command)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net={_places[place].ProcPath}", .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var cancel = TestContext.Current.CancellationToken;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var error = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {await error}");
        return await output;
    }

    public void Dispose()
    {
        Kernels.Dispose();
        foreach (var place in _places.Values)
        {
            place.Dispose();
        }
    }

    // The kernel begins to send by a new link when it has looked at its carrier, up to a second later; what is sent before is lost.
    private static void Settle(NetworkNamespace place)
    {
        const string wait = "until ! ip -o link show up | grep -v LOOPBACK | grep -vq 'state UP'; do sleep 0.02; done";
        using var process = Process.Start("nsenter", [$"--net={place.ProcPath}", "timeout", "60", "sh", "-c", wait]);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"a link of {place.ProcPath} has no carrier");
    }

    private void Change(IEnumerable<Manifest> manifests, bool gone)
    {
        var services = new List<(Subject, ClusterService?)>();
        var slices = new List<(Subject, ServiceSlice?)>();
        foreach (var manifest in manifests)
        {
            if (manifest.Kind.Kind == "Service")
            {
                var service = KubernetesJson.Read<Kubernetes.Objects.Service>(manifest.Object);
                services.Add((ServiceReading.SubjectOf(service.Metadata.Namespace, service.Metadata.Name), gone ? null : ServiceReading.Read(service)));
            }
            else
            {
                var slice = KubernetesJson.Read<Kubernetes.Objects.EndpointSlice>(manifest.Object);
                slices.Add((SliceReading.SubjectOf(slice.Metadata.Namespace, slice.Metadata.Name), gone ? null : new SliceReading().Read(slice)));
            }
        }
        foreach (var planner in _planners.Values)
        {
            var changed = new List<Subject>();
            var cluster = planner.View.Cluster.With(planner.View.Cluster.Services.With(services, slices, changed));
            Kernels.Apply(planner.Apply([.. changed.Select(static subject => new Change(subject))], planner.View with { Cluster = cluster }));
            var home = planner.View.Node.Namespace;
            foreach (var family in planner.Ended.Select(static flow => flow.Family).Distinct())
            {
                Kernels.Forget(home, [.. Kernels.Connections(home, family).Where(connection => planner.Ended.Any(flow => flow.Includes(connection)))]);
            }
        }
    }

    private ClusterNode Node(int number) => new($"node-{number}")
    {
        Addresses = [.. WireAddresses(10 + number).Select(static address => address.Address)],
        PodRanges = _dual ? [IpPrefix.Parse($"10.244.{number}.0/24"), IpPrefix.Parse($"fd00:10:244:{number}::/64")] : [IpPrefix.Parse($"10.244.{number}.0/24")],
        Zone = $"zone-{number}",
    };

    private List<IpPrefix> WireAddresses(int host)
    {
        var all = new List<IpPrefix> { new(IpAddress.V4(192, 168, 1, (byte)host), 24) };
        if (_dual)
        {
            all.Add(IpPrefix.Parse($"fd00:192:168:1::{host}/64"));
        }
        return all;
    }

    private List<PodLease> Leases(int node, int host)
    {
        var leases = new List<PodLease> { new(IpAddress.V4(10, 244, (byte)node, (byte)host), IpPrefix.Parse($"10.244.{node}.0/24")) };
        if (_dual)
        {
            leases.Add(new PodLease(IpAddress.Parse($"fd00:10:244:{node}::{host}"), IpPrefix.Parse($"fd00:10:244:{node}::/64")));
        }
        return leases;
    }

    private static MacAddress MacOf(int host) => MacAddress.FromNumber(0x02_00_00_00_00_00 + (ulong)host);

    private void BuildWire()
    {
        var wire = new NamespaceId("wire");
        var wanted = new List<Entry> { new LinkEntry(wire, "switch", new LinkType.Bridge { MulticastSnooping = false }) { Up = true } };
        (string, int)[] machines = [("node-1", 11), ("node-2", 12), (Outside, 100)];
        foreach (var (place, host) in machines)
        {
            var id = new NamespaceId(place);
            // They know one another, so that no test waits for the wire's own business.
            foreach (var (_, other) in machines)
            {
                foreach (var address in other == host ? [] : WireAddresses(other))
                {
                    wanted.Add(new NeighbourEntry(id, "eth0", address.Address) { Mac = MacOf(other) });
                }
            }
            wanted.Add(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true });
            wanted.Add(new LinkEntry(id, "eth0", new LinkType.Veth(wire, place)) { Up = true, Mac = MacOf(host), MtuBytes = 1500, NoAutomaticAddress = true });
            wanted.Add(new LinkEntry(wire, place, new LinkType.Veth(id, "eth0")) { Up = true, Master = "switch" });
            foreach (var address in WireAddresses(host))
            {
                wanted.Add(new AddressEntry(id, "eth0", address) { NoDuplicateDetection = address.Family == IpFamily.V6 ? true : null });
            }
        }
        // Addresses of balancers lead to node-1, as a router would have learned.
        wanted.Add(Route("192.168.1.192/27", "192.168.1.11"));
        if (_dual)
        {
            wanted.Add(Route("fd00:192:168:1::c0/123", "fd00:192:168:1::11"));
        }
        Kernels.Apply([.. wanted.Select(static entry => new DeltaItem(new Desired(entry), null))]);

        static RouteEntry Route(string to, string via) => new(new NamespaceId(Outside), IpPrefix.Parse(to))
        {
            NextHops = [new NextHop("eth0", IpAddress.Parse(via))],
            Metric = IpAddress.Parse(via).Family == IpFamily.V6 ? 1024u : 0,
        };
    }
}
