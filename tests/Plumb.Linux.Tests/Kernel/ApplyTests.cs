using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

public sealed class ApplyTests
{
    [Fact]
    public void A_pod_on_a_bridge_is_applied_and_then_there_is_nothing_left_to_do()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();

        world.Apply(desired);

        Assert.Equal("", string.Join('\n', world.Difference(desired).Items));
    }

    [Fact]
    public void Removing_what_is_no_longer_desired_leaves_two_namespaces_as_they_were()
    {
        using var world = new TwoNodes();
        var onlyLoopback = new DesiredState();
        onlyLoopback.Set(new LinkEntry(Pod, "lo", new LinkType.Loopback()) { Up = true });
        world.Apply(onlyLoopback);
        var before = Keys(world);

        world.Apply(PodOnBridge());
        Assert.NotEqual(before, Keys(world));
        world.Apply(onlyLoopback);

        Assert.Equal(before, Keys(world));
    }

    [Fact]
    public void What_a_refused_entry_is_called_and_why_is_said_and_the_others_are_done()
    {
        using var world = new TwoNodes();
        var desired = PodOnBridge();
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.9.0.0/16")) { NextHops = [new NextHop("cni0", IpAddress.Parse("172.16.0.1"))] });
        desired.Set(new RouteEntry(Node, IpPrefix.Parse("10.8.0.0/16")) { NextHops = [new NextHop("nowhere", null)] });

        var exception = Assert.Throws<ApplyException>(() => world.Apply(desired));

        Assert.Equal(
            [
                "node-1: route 10.8.0.0/16 dev nowhere proto 112: there is no device nowhere",
                "node-1: route 10.9.0.0/16 via 172.16.0.1 dev cni0 proto 112: Nexthop has invalid gateway: Network is unreachable (ENETUNREACH)",
            ],
            exception.Refusals.Select(r => r.ToString()).Order());
        Assert.Equal(2, world.Difference(desired).Items.Count);
    }

    private static List<string> Keys(TwoNodes world) =>
        [.. world.Kernels.Observe(Both).Entries.Values.Where(o => !o.Entry.Key.Name.Contains("ff00::", StringComparison.Ordinal)).Select(o => o.Entry.ToString()).Order()];
}
