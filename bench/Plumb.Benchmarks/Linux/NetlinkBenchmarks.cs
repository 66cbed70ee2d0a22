using BenchmarkDotNet.Attributes;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Benchmarks.Linux;

/// <summary>What a pod's attachment and an observation of a node are made of: messages written and read, a hundred at a time.</summary>
public class NetlinkBenchmarks
{
    private const int Count = 100;

    private readonly NetlinkWriter _writer = new(64 << 10);
    private RouteMessage[] _routes = [];
    private byte[] _datagram = [];

    [GlobalSetup]
    public void Prepare()
    {
        _routes = [.. Enumerable.Range(0, Count).Select(static i => new RouteMessage
        {
            Family = IpFamily.V4,
            Destination = new IpPrefix(IpAddress.V4(10, 244, (byte)i, 0), 24),
            Table = RouteTable.Main,
            Protocol = RouteProtocol.Plumb,
            Type = RouteType.Unicast,
            Hops = [new RouteHop(2, IpAddress.V4(192, 168, 1, (byte)i), 1, 0)],
        })];
        Write100Routes();
        _datagram = _writer.Written.ToArray();
    }

    [Benchmark]
    public int Write100Routes()
    {
        _writer.Clear();
        foreach (var route in _routes)
        {
            route.Emit(_writer, RtnetlinkTypes.RTM_NEWROUTE);
        }
        return _writer.LengthBytes;
    }

    [Benchmark]
    public int Read100Routes()
    {
        var hops = 0;
        foreach (var message in new NetlinkReader(_datagram))
        {
            hops += RouteMessage.Parse(message.Payload).Hops.Count;
        }
        return hops;
    }
}
