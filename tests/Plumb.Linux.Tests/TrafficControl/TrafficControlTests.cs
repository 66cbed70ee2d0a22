using Plumb.Linux.State;
using Plumb.Linux.Json;
using Plumb.Linux.Tests.Kernel;
using Plumb.Linux.TrafficControl;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.TrafficControl;

/// <summary>What Plumb writes, tc reads; what tc writes, Plumb reads.</summary>
public sealed class TrafficControlTests
{
    private static readonly FilterEntry Outgoing = Copies(TrafficHook.Egress, 113, MirredTo.EgressMirror);
    private static readonly FilterEntry Incoming = Copies(TrafficHook.Ingress, 112, MirredTo.EgressMirror) with
    {
        Protocol = EtherType.IPv4,
        Rules = [new FilterRule([new FilterKey(16, 0x0a090000, 0xffff0000), new FilterKey(8, 0x00060000, 0x00ff0000)], [Mirred(MirredTo.IngressRedirect) with { Then = FilterVerdict.Stolen }])],
    };

    [Fact]
    public async Task Filters_as_tc_sees_them()
    {
        using var world = new TwoNodes();
        var desired = WithFilters();
        world.Apply(desired);

        Assert.Empty(world.Difference(desired).Items);
        Assert.Contains("qdisc clsact ffff: dev veth0 parent ffff:fff1", await Witness.Run(world.Node1, "tc", "qdisc"), StringComparison.Ordinal);
        var egress = await Witness.Run(world.Node1, "tc", "-s", "filter", "show", "dev", "veth0", "egress");
        Assert.Contains("filter protocol all pref 113 u32", egress, StringComparison.Ordinal);
        Assert.Contains("match 00000000/00000000 at 0", egress, StringComparison.Ordinal);
        Assert.Contains("mirred (Egress Mirror to device cni0) continue", egress, StringComparison.Ordinal);
        Assert.Contains("cookie 706c756d62", egress, StringComparison.Ordinal);
        var ingress = await Witness.Run(world.Node1, "tc", "filter", "show", "dev", "veth0", "ingress");
        Assert.Contains("filter protocol ip pref 112 u32", ingress, StringComparison.Ordinal);
        Assert.Contains("match 0a090000/ffff0000 at 16", ingress, StringComparison.Ordinal);
        Assert.Contains("match 00060000/00ff0000 at 8", ingress, StringComparison.Ordinal);
        Assert.Contains("mirred (Ingress Redirect to device cni0) stolen", ingress, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_that_nobody_wants_any_more_go_with_their_qdisc()
    {
        using var world = new TwoNodes();
        world.Apply(WithFilters());
        world.Apply(PodOnBridge());

        Assert.DoesNotContain("clsact", await Witness.Run(world.Node1, "tc", "qdisc"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_qdisc_stays_while_somebody_has_a_filter_on_it()
    {
        using var world = new TwoNodes();
        var desired = WithFilters();
        world.Apply(desired);
        await Witness.Shell(world.Node1, "tc filter add dev veth0 egress protocol ip pref 7 u32 match ip dst 10.9.9.9/32 action mirred egress mirror dev cni0");

        // By comparison, which sees whose it is; and blindly, as a plan that changes.
        world.Apply(PodOnBridge());
        world.Apply(desired);
        world.Kernels.Apply([.. Mirror().Select(static entry => new DeltaItem(null, entry))]);

        var left = await Witness.Run(world.Node1, "tc", "filter", "show", "dev", "veth0", "egress");
        Assert.Contains("pref 7 ", left, StringComparison.Ordinal);
        Assert.DoesNotContain("pref 113 ", left, StringComparison.Ordinal);
        Assert.Equal(Owner.Foreign, world.Kernels.Observe([Node]).Entries[Mirror()[0].Key].Owner);
    }

    [Fact]
    public async Task What_tc_writes_is_observed()
    {
        using var world = new TwoNodes();
        await Witness.Shell(world.Node1, """
            ip link add va type veth peer name vb
            ip link add vc type veth peer name vd
            tc qdisc add dev va clsact
            tc qdisc add dev vb ingress
            tc qdisc add dev vc root handle 1: tbf rate 1mbit burst 10k latency 50ms
            tc filter add dev va ingress protocol all pref 49000 u32 match u32 0 0 action mirred egress mirror dev vc
            tc filter add dev va egress protocol ip pref 10 u32 match ip dst 1.2.3.4/32 match ip dport 80 0xffff action mirred ingress redirect dev vd
            tc filter add dev va egress protocol ipv6 pref 11 u32 match ip6 dst fd00::1/128 action mirred egress redirect dev vc
            tc filter add dev va egress protocol ip pref 12 u32 match tcp dst 80 0xffff classid 1:1
            tc filter add dev vb parent ffff: protocol ip pref 5 u32 match u32 0 0 action mirred egress redirect dev vd
            """);

        var seen = world.Kernels.Observe([Node]).Entries.Values.Where(static one => one.Entry.Kind is EntryKind.Qdisc or EntryKind.Filter).Select(static one => $"{one.Owner} {one.Entry.Print()}").Order();

        Assert.Equal(
            [
                "Foreign filter dev va egress pref 10 protocol ip u32 match u32 0x01020304 0xffffffff at 16 match u32 0x00000050 0x0000ffff at 20 action mirred ingress redirect dev vd",
                "Foreign filter dev va egress pref 11 protocol ipv6 u32 match u32 0xfd000000 0xffffffff at 24 match u32 0x00000000 0xffffffff at 28 match u32 0x00000000 0xffffffff at 32 match u32 0x00000001 0xffffffff at 36 action mirred egress redirect dev vc",
                "Foreign filter dev va egress pref 12 protocol ip u32",
                "Foreign filter dev va ingress pref 49000 protocol all u32 match u32 0 0 action mirred egress mirror dev vc pipe",
                "Foreign filter dev vb ingress pref 5 protocol ip u32 match u32 0 0 action mirred egress redirect dev vd",
                "Foreign qdisc clsact dev va",
                "Foreign qdisc ingress dev vb",
                "Foreign qdisc tbf dev vc root",
            ],
            seen);
    }

    [Fact]
    public void Filters_cross_as_json()
    {
        var unknown = new FilterEntry(Node, "eth0", TrafficHook.Ingress, 1) { Classifier = "bpf", Chain = 3 };
        var decision = Outgoing with { Rules = [new FilterRule([], [new FilterAction.Verdict(FilterVerdict.Drop), new FilterAction.Unknown("pedit")])] };
        foreach (var entry in (Entry[])[.. Mirror(), unknown, decision, new QdiscEntry(Node, "eth0", TrafficHandle.Root, "netem"), new QdiscEntry(Node, "eth0", new TrafficHandle(0x10010), "sfq")])
        {
            Assert.Equal(entry, StateJson.ReadEntry(StateJson.Print(entry)));
        }
    }

    [Fact]
    public void A_device_tells_what_it_has_carried()
    {
        using var world = new TwoNodes();
        world.Apply(PodOnBridge());

        Assert.NotNull(world.Kernels.Traffic(Node, "veth0"));
        Assert.Null(world.Kernels.Traffic(Node, "veth7"));
    }

    private static FilterEntry Copies(TrafficHook hook, ushort preference, MirredTo to) => new(Node, "veth0", hook, preference) { Rules = [new FilterRule([], [Mirred(to)])] };

    private static FilterAction.Mirred Mirred(MirredTo to) => new(to, "cni0", FilterVerdict.Continue) { Cookie = ActionCookie.Plumb };

    private static Entry[] Mirror() => [QdiscEntry.OfFilters(Node, "veth0"), Outgoing, Incoming];

    private static DesiredState WithFilters()
    {
        var state = PodOnBridge();
        foreach (var entry in Mirror())
        {
            state.Set(entry);
        }
        return state;
    }
}
