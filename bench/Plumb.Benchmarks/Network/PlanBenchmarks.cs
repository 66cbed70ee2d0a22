using BenchmarkDotNet.Attributes;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Benchmarks.Network;

/// <summary>One change beside many things that do not change. It costs what it changes: the times must not grow with the cluster.</summary>
public class PlanBenchmarks
{
    private const string Self = "node-1";

    private Planner _planner = null!;
    private NetworkView _without = null!;
    private NetworkView _with = null!;
    private NetworkView _otherNode = null!;
    private Sandbox _pod = null!;

    /// <summary>As many pods are on this node, and a tenth as many nodes in the cluster.</summary>
    [Params(10, 10_000)]
    public int Pods { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var cluster = ClusterView.Empty.With(Node(1, new IpPrefix(IpAddress.V4(10, 244, 0, 0), 16)));
        for (var i = 2; i <= Math.Max(2, Pods / 10); i++)
        {
            cluster = cluster.With(Node(i, new IpPrefix(IpAddress.V4(10, 0, 0, 0).Plus((ulong)i << 8), 24)));
        }
        var facts = NodeFacts.Create(
            Self,
            new NamespaceId(Self),
            new NetworkOptions { ClusterRanges = [IpPrefix.Parse("10.0.0.0/8")], ServiceRanges = [IpPrefix.Parse("172.20.0.0/16")] },
            new Underlay("eth0", MacAddress.FromNumber(0x02_00_00_00_00_01), 1500, [IpPrefix.Parse("192.168.0.1/16")], []));
        for (var i = 0; i < Pods; i++)
        {
            facts = facts.With(Pod(i));
        }
        _without = new NetworkView(cluster, facts);
        _pod = Pod(Pods);
        _with = _without with { Node = facts.With(_pod) };
        _otherNode = _without with { Cluster = cluster.With(Node(2, new IpPrefix(IpAddress.V4(10, 0, 2, 0), 25))) };
        _planner = Planner.FromScratch(Layers.For(facts.Options), _without);
    }

    [Benchmark]
    public int OnePodComesAndGoes()
    {
        var change = new Change(_pod.Id.Subject);
        return Planned(_planner.Apply([change], _with)) + Planned(_planner.Apply([change], _without));
    }

    [Benchmark]
    public int OneOtherNodeChangesAndBack()
    {
        var change = new Change(Subject.Node("node-2"));
        return Planned(_planner.Apply([change], _otherNode)) + Planned(_planner.Apply([change], _without));
    }

    /// <summary>The facts themselves: a new value for each change.</summary>
    [Benchmark]
    public NodeFacts FactsOfOnePodMore() => _without.Node.With(_pod);

    private static int Planned(IReadOnlyList<DeltaItem> items) =>
        items.Count > 0 ? items.Count : throw new InvalidOperationException("the change was planned to nothing");

    private static ClusterNode Node(int number, IpPrefix pods) => new($"node-{number}")
    {
        Addresses = [IpAddress.V4(192, 168, 0, 0).Plus((ulong)number)],
        PodRanges = [pods],
        Created = DateTimeOffset.UnixEpoch,
    };

    private static Sandbox Pod(int number) => new(
        new SandboxId($"{number:x8}", "eth0"),
        new NamespaceId($"pod-{number:x8}"),
        [new PodLease(IpAddress.V4(10, 244, 0, 2).Plus((ulong)number), IpPrefix.Parse("10.244.0.0/16"))])
    {
        PodScope = "default",
        PodName = $"website-{number}",
    };
}
