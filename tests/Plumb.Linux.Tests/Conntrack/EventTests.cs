using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Tests.Nftables;

namespace Plumb.Linux.Tests.Conntrack;

public sealed class EventTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_connection_is_told_of_when_it_begins_is_answered_and_is_deleted()
    {
        using var space = new NftNamespace();
        await Witness.Shell(space.Namespace, "ip link set lo up");
        Assert.Equal("", space.Load("table ip t { chain out { type filter hook output priority 0; ct state new ct mark set 7; }; }"));
        using var subscription = space.Namespace.Subscribe(NetlinkFamily.Netfilter, ConntrackEvent.Groups);
        using var server = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 7000));
        using var client = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        client.SendTo([1], new IPEndPoint(IPAddress.Loopback, 7000));
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        server.ReceiveFrom(new byte[8], ref from);
        server.SendTo([2], from);
        client.ReceiveFrom(new byte[8], ref from);
        await Witness.Run(space.Namespace, "conntrack", "-D", "-p", "udp", "--dport", "7000");

        var events = new List<ConntrackEvent>();
        while (events.Count == 0 || events[^1].Change != ConntrackChange.Destroy)
        {
            await subscription.ReceiveAsync(message =>
            {
                if (ConntrackEvent.Read(message) is { } read)
                {
                    events.Add(read);
                }
            }, TestContext.Current.CancellationToken);
        }
        Assert.Equal([ConntrackChange.New, ConntrackChange.Update, ConntrackChange.Destroy], events.Select(static one => one.Change));
        Assert.All(events, static one => Assert.Equal((7000, 17), (one.Entry.Original.DestinationPort, one.Entry.Original.Protocol)));
        Assert.Equal(7u, events[0].Entry.Mark.Value);
    }
}
