using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Bpf;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Tests.Nftables;
using Plumb.Testing;

namespace Plumb.Linux.Tests.Bpf;

public sealed class TracePointTests
{
    [Fact, Trait(UserNamespace.Needs, UserNamespace.Root)]
    public async Task A_packet_is_seen_with_its_namespace_and_the_reason_of_its_drop()
    {
        using var space = new NftNamespace();
        await Witness.Shell(space.Namespace, "ip link set lo up");
        Assert.Equal("", space.Load("table ip t { chain in { type filter hook input priority 0; udp dport 7777 drop; }; }"));
        using var points = PacketTracePoints.Open();
        using var socket = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        var token = "seen by the kernel"u8.ToArray();
        socket.SendTo(token, new IPEndPoint(IPAddress.Loopback, 7777));

        var seen = new List<(TracePoint At, uint Inode, int Device, string? Reason)>();
        points.Drain((in TracedPacket one) =>
        {
            if (one.Packet.IndexOf(token) >= 0)
            {
                seen.Add((one.At, one.Inode, one.Device, one.Reason));
            }
        });
        var inode = (uint)space.Namespace.Identity.Inode;
        Assert.Equal([(TracePoint.Queued, inode, 1, null), (TracePoint.Received, inode, 1, null), (TracePoint.Dropped, inode, 1, "NETFILTER_DROP")], seen);
    }

    [Fact, Trait(UserNamespace.Needs, UserNamespace.Root)]
    public async Task What_tables_of_routes_answer_is_seen_with_the_way_that_they_found()
    {
        using var space = new NftNamespace();
        await Witness.Shell(space.Namespace, "ip link add v type veth peer name w; ip link set v up; ip link set w up; ip addr add 10.0.0.1/24 dev v; ip route add 10.9.0.0/16 via 10.0.0.7; ip route add blackhole 10.8.0.0/16");
        using var points = PacketTracePoints.Open();
        using var socket = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        socket.SendTo([1], new IPEndPoint(IPAddress.Parse("10.9.1.2"), 7777));
        Assert.Throws<SocketException>(() => socket.SendTo([1], new IPEndPoint(IPAddress.Parse("10.8.1.2"), 7777)));

        var seen = new List<TracedRoute>();
        points.Drain(static (in TracedPacket _) => { }, seen.Add);
        var found = seen.First(static one => one.Destination == IpAddress.V4(10, 9, 1, 2) && !one.IsMiss);
        Assert.Equal((254u, (uint)space.Namespace.Identity.Inode, IpAddress.V4(10, 0, 0, 7), 0), (found.Table, found.Inode, found.Gateway, found.Error));
        Assert.NotEqual(0, found.Device);
        Assert.Equal((int)Errno.EINVAL, seen.First(static one => one.Destination == IpAddress.V4(10, 8, 1, 2) && !one.IsMiss).Error);
    }

    [Fact]
    public void Without_the_first_user_namespaces_rights_it_is_refused() =>
        Assert.Equal(Errno.EPERM, Assert.Throws<SystemCallException>(PacketTracePoints.Open).Errno);
}
