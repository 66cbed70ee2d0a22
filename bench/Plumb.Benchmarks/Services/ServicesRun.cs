using System.Diagnostics;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Network.Services;
using Plumb.Network.Services.Iptables;

namespace Plumb.Benchmarks.Services;

/// <summary>
/// Services from objects to a real kernel, beside `nft -f` of the very same table; and one endpoint that changes among them. Not a matter for a
/// micro-benchmark: most of it happens once, and the kernel does half.
/// </summary>
internal sealed class ServicesRun : IDisposable
{
    private readonly int _changes;

    private static readonly NamespaceId _home = new("node-1");

    private readonly NetworkNamespace _network = NetworkNamespace.Create();
    private readonly Kernels _kernels = new();
    private readonly Planner _planner;

    private ServicesRun(bool byIptables)
    {
        // Each starts a program.
        _changes = byIptables ? 100 : 1000;
        _kernels.Add(_home, NetworkNamespace.Open(_network.ProcPath));
        var self = new ClusterNode("node-1") { Addresses = [IpAddress.V4(192, 168, 1, 11)], PodRanges = [IpPrefix.Parse("10.244.1.0/24")] };
        var wire = new Underlay("eth0", default, 1500, [IpPrefix.Parse("192.168.1.11/24")], []);
        var node = NodeFacts.Create("node-1", _home, NetworkOptions.Default, wire);
        // The other layers need a wire; this one only a kernel.
        _planner = Planner.FromScratch([byIptables ? new IptablesServicesLayer() : new ServicesLayer()], new NetworkView(ClusterView.Empty.With(self), node));
        _kernels.Apply([.. _planner.Desired.Entries.Values.Select(static desired => new DeltaItem(desired, null))]);
    }

    /// <summary>One row of a Markdown table.</summary>
    public static void Run(int services, int endpoints, bool byIptables)
    {
        using (var warm = new ServicesRun(byIptables))
        {
            warm.Load(Objects(20, endpoints));
        }
        var objects = Objects(services, endpoints);
        using var run = new ServicesRun(byIptables);
        var clock = Stopwatch.StartNew();
        run.Load(objects);
        var loaded = clock.Elapsed;
        var heap = GC.GetTotalMemory(forceFullCollection: true);
        var peer = byIptables ? run.LoadByRestore() : run.LoadByNft();
        var times = run.ChangeEndpoints(objects.Slices);
        Console.WriteLine(
            $"| {(byIptables ? "iptables" : "nftables")} | {services} × {endpoints} | {loaded.TotalSeconds:0.00} | {peer?.TotalSeconds.ToString("0.00") ?? "(needs root)"} | {loaded / peer:0.00} | {times[times.Count / 2]:0.00} | {times[times.Count * 99 / 100]:0.00} | {heap / 1e6:0} |");
    }

    public void Dispose()
    {
        _kernels.Dispose();
        _network.Dispose();
    }

    private static (List<ClusterService> Services, List<ServiceSlice> Slices) Objects(int count, int endpoints)
    {
        var services = new List<ClusterService>(count);
        var slices = new List<ServiceSlice>(count);
        for (var i = 0; i < count; i++)
        {
            var service = new Subject(SubjectKind.Service, "default", $"service-{i}");
            services.Add(new ClusterService(service)
            {
                ClusterIPs = [IpAddress.V4(10, 96, 1, 0).Plus((ulong)i)],
                Ports = [new ClusterServicePort("http", IpProtocol.Tcp, 80, 0)],
            });
            var all = new SliceEndpoint[endpoints];
            for (var e = 0; e < endpoints; e++)
            {
                all[e] = Endpoint(IpAddress.V4(10, 128, 0, 0).Plus((ulong)((i * endpoints) + e)), e);
            }
            slices.Add(new ServiceSlice(new Subject(SubjectKind.EndpointSlice, "default", $"service-{i}-x7k2p"), service)
            {
                Family = IpFamily.V4,
                Ports = [new SlicePort("http", IpProtocol.Tcp, 8080)],
                Endpoints = [.. all],
            });
        }
        return (services, slices);
    }

    private static SliceEndpoint Endpoint(IpAddress address, int number) =>
        new(address, EndpointState.Ready | EndpointState.Serving, $"node-{(number % 10) + 1}", [], []);

    private void Load((List<ClusterService> Services, List<ServiceSlice> Slices) objects) => Change(
        objects.Services.Select(static service => (service.Subject, (ClusterService?)service)),
        objects.Slices.Select(static slice => (slice.Subject, (ServiceSlice?)slice)));

    private void Change(IEnumerable<(Subject, ClusterService?)> services, IEnumerable<(Subject, ServiceSlice?)> slices)
    {
        var changed = new List<Subject>();
        var cluster = _planner.View.Cluster.With(_planner.View.Cluster.Services.With(services, slices, changed));
        _kernels.Apply(_planner.Apply([.. changed.Select(static subject => new Change(subject))], _planner.View with { Cluster = cluster }));
    }

    /// <summary>Milliseconds of each change, sorted.</summary>
    private List<double> ChangeEndpoints(List<ServiceSlice> slices)
    {
        var random = new Random(1);
        var times = new List<double>(_changes);
        for (var i = 0; i < _changes; i++)
        {
            var slice = _planner.View.Cluster.Services.Slice(slices[random.Next(slices.Count)].Subject)!;
            var endpoints = slice.Endpoints.ToArray();
            endpoints[random.Next(endpoints.Length)] = Endpoint(IpAddress.V4(10, 200, 0, 0).Plus((ulong)i), i);
            var clock = Stopwatch.GetTimestamp();
            Change([], [(slice.Subject, slice with { Endpoints = [.. endpoints] })]);
            times.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
        }
        times.Sort();
        return times;
    }

    /// <summary>Null where nft cannot: all of it is one transaction, which must fit the socket's buffer.</summary>
    private TimeSpan? LoadByNft()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Nft(_network, "list", "table", "ip", "plumb") ?? "");
            using var fresh = NetworkNamespace.Create();
            var clock = Stopwatch.StartNew();
            return Nft(fresh, "-f", file) is null ? null : clock.Elapsed;
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The same chains, by iptables-restore alone.</summary>
    private TimeSpan? LoadByRestore()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Said(_network, "iptables-save") ?? "");
            using var fresh = NetworkNamespace.Create();
            var clock = Stopwatch.StartNew();
            return Said(fresh, "iptables-restore", file) is null ? null : clock.Elapsed;
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string? Nft(NetworkNamespace inside, params string[] arguments) => Said(inside, ["nft", .. arguments]);

    private static string? Said(NetworkNamespace inside, params string[] command)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net={inside.ProcPath}", .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
