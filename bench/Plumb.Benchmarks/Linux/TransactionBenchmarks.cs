using BenchmarkDotNet.Attributes;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Wire;
using Plumb.Linux.State;

namespace Plumb.Benchmarks.Linux;

/// <summary>Elements of a set, from values to the bytes of a transaction.</summary>
public class TransactionBenchmarks
{
    private static readonly NamespaceId Node = new("node-1");
    private readonly SetSchema _set = new(new TableId(TableFamily.Ip, "plumb"), "backends", [DataType.Ipv4Address, DataType.IpProtocol, DataType.Port]);
    private (ElementEntry Entry, string? Comment)[] _elements = [];

    [GlobalSetup]
    public void Prepare() => _elements = Make();

    [Benchmark]
    public int Make1000Elements() => Make().Length;

    [Benchmark]
    public int Write1000Elements()
    {
        using var transaction = new Transaction();
        var done = transaction.Elements(_set, _elements, deletes: false, limitBytes: int.MaxValue);
        return done == _elements.Length ? transaction.LengthBytes : throw new InvalidOperationException($"{done} elements of {_elements.Length}");
    }

    // With their keys, which every element needs.
    private (ElementEntry, string?)[] Make()
    {
        var elements = new (ElementEntry, string?)[1000];
        for (var i = 0; i < elements.Length; i++)
        {
            var element = SetElement.Of(_set, [IpAddress.V4(10, 96, (byte)(i >> 8), (byte)i), 6, 80], []);
            var entry = new ElementEntry(Node, _set, element);
            _ = entry.Key;
            elements[i] = (entry, "Service default/website");
        }
        return elements;
    }
}
