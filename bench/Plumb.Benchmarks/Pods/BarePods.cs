using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Benchmarks.Pods;

/// <summary>
/// What nodes and pods cost the kernel: a namespace and a bridge for each node; a namespace, a veth pair, an address, a route and a listening socket
/// for each pod, with the fewest messages that do it and a thread for each processor. No API, no plan, nothing is read back: the floor under `plumb up`.
/// </summary>
internal static class BarePods
{
    private const NetlinkFlags Make = NetlinkFlags.Create | NetlinkFlags.Exclusive;

    // Lives until the process ends, as a lab would.
    private static readonly List<object> _kept = [];

    /// <summary>Prints the seconds that it took.</summary>
    public static void Run(int nodes, int pods)
    {
        var clock = Stopwatch.StartNew();
        var next = -1;
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (Interlocked.Increment(ref next) is var node && node < nodes)
            {
                MakeNode(node, pods / nodes);
            }
        })).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        Console.WriteLine($"{clock.Elapsed.TotalSeconds:0.000}");
    }

    private static void MakeNode(int node, int pods)
    {
        // The thread stays in the namespace that it made last; what it opened before stays where it was opened.
        Keep(NetworkNamespace.UnshareAndOpen());
        using var socket = NetlinkSocket.Open(NetlinkFamily.Route);
        using var batch = new NetlinkWriter(4096);
        new LinkMessage { Index = 2, Name = "cni0", Info = new LinkInfo("bridge"), Flags = LinkMessage.IFF_UP, Change = LinkMessage.IFF_UP }
            .Emit(batch, RTM_NEWLINK, Make);
        socket.Execute(batch);
        for (var pod = 0; pod < pods; pod++)
        {
            var inside = NetworkNamespace.UnshareAndOpen();
            Keep(inside);
            batch.Clear();
            EmitPair(batch, $"veth{pod}", inside);
            socket.Execute(batch);
            batch.Clear();
            EmitInside(batch, IpAddress.V4(10, (byte)(100 + node), (byte)(pod / 250), (byte)((pod % 250) + 2)), IpAddress.V4(10, (byte)(100 + node), 0, 1));
            using var podSocket = NetlinkSocket.Open(NetlinkFamily.Route);
            podSocket.Execute(batch);
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Any, 80));
            listener.Listen();
            Keep(listener);
        }
    }

    private static void EmitPair(NetlinkWriter batch, string name, FileDescriptor inside)
    {
        var peer = new LinkMessage { Name = "eth0", Index = 2, NamespaceDescriptor = inside.Number };
        new LinkMessage { Name = name, Master = 2, Info = new LinkInfo("veth") { VethPeer = peer } }.Emit(batch, RTM_NEWLINK, Make);
        // The kernel takes neither end up before it has both.
        new LinkMessage { Name = name, Flags = LinkMessage.IFF_UP, Change = LinkMessage.IFF_UP }.Emit(batch, RTM_SETLINK);
    }

    private static void EmitInside(NetlinkWriter batch, IpAddress address, IpAddress gateway)
    {
        foreach (var index in (ReadOnlySpan<int>)[1, 2])
        {
            new LinkMessage { Index = index, Flags = LinkMessage.IFF_UP, Change = LinkMessage.IFF_UP }.Emit(batch, RTM_SETLINK);
        }
        new AddressMessage { Index = 2, Family = IpFamily.V4, PrefixLength = 16, Local = address, Address = address }.Emit(batch, RTM_NEWADDR, Make);
        new RouteMessage
        {
            Family = IpFamily.V4,
            Destination = IpPrefix.Parse("0.0.0.0/0"),
            Table = RouteTable.Main,
            Protocol = RouteProtocol.Plumb,
            Type = RouteType.Unicast,
            Hops = [new RouteHop(2, gateway, 1, 0)],
        }.Emit(batch, RTM_NEWROUTE, Make);
    }

    private static void Keep(object one)
    {
        lock (_kept)
        {
            _kept.Add(one);
        }
    }
}
