using Plumb.Linux.Kernel;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

public sealed class SysctlTests
{
    [Fact]
    public async Task A_parameter_is_set_in_its_own_namespace_alone()
    {
        using var world = new TwoNodes();
        var desired = new DesiredState();
        desired.Set(new SysctlEntry(Node, "net/ipv4/ip_forward", "1"));

        world.Apply(desired);

        Assert.Equal("1", (await Witness.Run(world.Node1, "cat", "/proc/sys/net/ipv4/ip_forward")).Trim());
        Assert.Equal("0", (await Witness.Run(world.Pod1, "cat", "/proc/sys/net/ipv4/ip_forward")).Trim());
        Assert.Empty(world.Difference(desired).Items);
    }

    [Fact]
    public void Several_numbers_are_compared_as_the_kernel_prints_them()
    {
        using var world = new TwoNodes();
        var desired = new DesiredState();
        desired.Set(new SysctlEntry(Node, "net/ipv4/ip_local_port_range", "20000\t30000"));

        world.Apply(desired);

        Assert.Empty(world.Difference(desired).Items);
    }

    [Theory]
    [InlineData("net/ipv4/no_such_parameter", "1", "No such file or directory (ENOENT)")]
    [InlineData("net/ipv4/conf/lo/rp_filter", "many", "Invalid argument (EINVAL)")]
    public void A_refused_parameter_is_named(string path, string value, string reason)
    {
        using var world = new TwoNodes();
        var desired = new DesiredState();
        desired.Set(new SysctlEntry(Node, path, value));

        var exception = Assert.Throws<ApplyException>(() => world.Apply(desired));

        Assert.Equal($"node-1: sysctl {path} = {value}: {reason}", exception.Message);
    }

    [Fact]
    public void A_parameter_that_is_no_longer_desired_keeps_its_value()
    {
        using var world = new TwoNodes();
        var desired = new DesiredState();
        desired.Set(new SysctlEntry(Node, "net/ipv4/ip_forward", "1"));
        world.Apply(desired);

        var delta = Difference.Between(new DesiredState(), world.Kernels.Observe(Both, parameters: desired.Entries.Keys));

        Assert.Empty(delta.Items);
    }
}
