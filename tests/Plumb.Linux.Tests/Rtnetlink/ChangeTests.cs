using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.Tests.Kernel;

namespace Plumb.Linux.Tests.Rtnetlink;

public sealed class ChangeTests
{
    [Fact(Timeout = 60_000)]
    public async Task What_somebody_does_by_hand_is_heard_as_typed_changes()
    {
        using var world = new TwoNodes();
        using var subscription = world.Kernels.Subscribe(
            TwoNodes.Node, NetlinkFamily.Route, [RtnetlinkGroups.Link, RtnetlinkGroups.IPv4Address, RtnetlinkGroups.IPv4Route, RtnetlinkGroups.IPv4Rule, RtnetlinkGroups.Neighbour]);
        await Witness.Shell(world.Node1, """
            ip link add br0 type bridge
            ip addr add 10.1.0.1/24 dev br0
            ip link set br0 up
            ip route add 10.2.0.0/16 via 10.1.0.2 dev br0
            ip neigh add 10.1.0.2 lladdr 0a:00:00:00:00:01 dev br0
            ip rule add pref 7 lookup 9
            ip route del 10.2.0.0/16
            """);
        var heard = new List<RtnetlinkChange>();

        while (!heard.Any(c => c is RtnetlinkChange.OfRoute { Removed: true }))
        {
            await subscription.ReceiveAsync(message => heard.Add(RtnetlinkChange.Parse(message)!), TestContext.Current.CancellationToken);
        }

        Assert.DoesNotContain(null, heard);
        Assert.Contains(heard, c => c is RtnetlinkChange.OfLink { Link.Name: "br0", Removed: false });
        Assert.Contains(heard, c => c is RtnetlinkChange.OfAddress { Removed: false } address && address.Address.Own.ToString() == "10.1.0.1");
        Assert.Contains(heard, c => c is RtnetlinkChange.OfRoute { Removed: false } route && route.Route.Destination.ToString() == "10.2.0.0/16");
        Assert.Contains(heard, c => c is RtnetlinkChange.OfNeighbour { Removed: false } n && n.Neighbour.Destination.ToString() == "10.1.0.2");
        Assert.Contains(heard, c => c is RtnetlinkChange.OfRule { Rule.Priority: 7, Removed: false });
    }
}
