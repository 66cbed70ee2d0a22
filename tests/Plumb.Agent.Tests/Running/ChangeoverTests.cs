using Plumb.Agent.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Agent.Tests.Running;

public sealed class ChangeoverTests
{
    private static readonly NamespaceId Node = new("node-1");
    private static readonly TableId Plumb = TableId.Plumb(TableFamily.Ip);
    private static readonly IptablesTable Nat = new(IpFamily.V4, IptablesTable.Nat);

    private static readonly ChainEntry Hooked = new(Node, Plumb, "nat-prerouting") { Base = new BaseChain(ChainType.Nat, ChainHook.Prerouting, ChainPriority.DestinationNat) };
    private static readonly ChainEntry Inner = new(Node, Plumb, "services");
    private static readonly IptablesRuleEntry Jump = new(Node, Nat, "PREROUTING", "-j KUBE-SERVICES");
    private static readonly IptablesChainEntry Services = new(Node, Nat, "KUBE-SERVICES");
    private static readonly RouteEntry Route = new(Node, IpPrefix.Parse("10.244.2.0/24"));

    [Fact]
    public void What_is_new_comes_before_the_ways_into_what_is_old_go_and_those_before_what_is_old()
    {
        var toIptables = Changeover.Steps([Goes(Inner), Goes(Hooked), Comes(Services), Comes(Jump), Goes(Route)]);
        Assert.Equal([[Comes(Services), Comes(Jump), Goes(Route)], [Goes(Hooked)], [Goes(Inner)]], toIptables);
        var toNftables = Changeover.Steps([Goes(Services), Goes(Jump), Comes(Hooked), Comes(Inner)]);
        Assert.Equal([[Comes(Hooked), Comes(Inner)], [Goes(Services), Goes(Jump)], []], toNftables);
    }

    [Fact]
    public void Where_no_way_in_goes_everything_is_one_step()
    {
        DeltaItem[] items = [Goes(Inner), Comes(Hooked), Goes(Route), Goes(Services)];
        Assert.Equal(items, Assert.Single(Changeover.Steps(items)));
    }

    private static DeltaItem Comes(Entry entry) => new(new Desired(entry), null);

    private static DeltaItem Goes(Entry entry) => new(null, entry);
}
