using Plumb.Agent.Kernel;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Agent.Tests.RealKernel;

public sealed class NodeKernelTests
{
    private static readonly NamespaceId Home = new("node-1");

    [Theory]
    [InlineData("firewalld", false)]
    [InlineData("nat", false)]
    [InlineData("firewalld", true)]
    public async Task What_somebody_does_in_a_table_of_his_own_is_not_looked_at(string table, bool servicesByIptables)
    {
        using var space = NetworkNamespace.Create();
        using var kernel = Open(space, servicesByIptables);
        using var neighbour = HandIn(space);
        using var vandal = HandIn(space);

        neighbour.Apply([Made(table)]);
        vandal.Apply([Made(TableId.PlumbName)]);

        var change = await kernel.WaitForChangeAsync(TestContext.Current.CancellationToken);
        Assert.Equal(KernelAreas.Rules, change.Areas);
        Assert.NotEmpty(change.Writers);
        Assert.All(change.Writers, id => Assert.True(vandal.IsOwn(Home, id)));
    }

    [Fact]
    public async Task Tables_of_iptables_are_looked_at_where_Services_are_served_by_them()
    {
        using var space = NetworkNamespace.Create();
        using var kernel = Open(space, servicesByIptables: true);
        using var vandal = HandIn(space);

        vandal.Apply([Made("nat")]);

        Assert.All((await kernel.WaitForChangeAsync(TestContext.Current.CancellationToken)).Writers, id => Assert.True(vandal.IsOwn(Home, id)));
    }

    private static NodeKernel Open(NetworkNamespace space, bool servicesByIptables)
    {
        var kernel = new NodeKernel(Home, NetworkNamespace.Open(space.ProcPath), IWriteSeam.None);
        if (servicesByIptables)
        {
            var desired = new DesiredState();
            desired.Set(new Desired(new IptablesChainEntry(Home, new IptablesTable(IpFamily.V4, IptablesTable.Nat), "KUBE-SERVICES")));
            kernel.Difference(desired, new ObservedState(), [Home], KernelAreas.All);
        }
        return kernel;
    }

    private static Kernels HandIn(NetworkNamespace space)
    {
        var hand = new Kernels();
        hand.Add(Home, NetworkNamespace.Open(space.ProcPath));
        return hand;
    }

    private static DeltaItem Made(string table) => new(new Desired(new TableEntry(Home, new TableId(TableFamily.Ip, table))), null);
}
