using BenchmarkDotNet.Attributes;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Benchmarks.Linux;

/// <summary>A node's whole state compared with what is desired: what an observation after lost notifications costs.</summary>
public class DifferenceBenchmarks
{
    private static readonly NamespaceId Node = new("node-1");
    private readonly DesiredState _desired = new();
    private readonly ObservedState _observed = new();

    [Params(100, 10_000)]
    public int Entries { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        for (var i = 0; i < Entries; i++)
        {
            _desired.Set(Route(i));
            // One of a hundred is missing, one is too many.
            if (i % 100 != 0)
            {
                _observed.Set(new Observed(Route(i), Owner.Plumb, null, new KernelFacts()));
            }
        }
        _observed.Set(new Observed(Route(Entries), Owner.Plumb, null, new KernelFacts()));
    }

    [Benchmark]
    public int Compare() => Difference.Between(_desired, _observed).Items.Count;

    [Benchmark]
    public EntryKey Key() => Route(7).Key;

    private static RouteEntry Route(int i) =>
        new(Node, new IpPrefix(IpAddress.V4(10, (byte)(i >> 16), (byte)(i >> 8), (byte)i), 32))
        {
            Protocol = RouteProtocol.Plumb,
            NextHops = [new NextHop("cni0", null)],
        };
}
