using System.Text.Json;
using Plumb.Linux.Kernel;
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

    [Theory]
    [InlineData(1_000, 15_000, "1Kbit", "15000b")]
    [InlineData(10_000_000, 20_000, "10Mbit", "20000b")]
    [InlineData(1_000_000_000, 625_000, "1Gbit", "625000b")]
    [InlineData(100_000_000_000, 1_000_000, "100Gbit", "1000000b")]
    public async Task A_bucket_as_tc_sees_it(ulong bits, ulong burstBytes, string rate, string burst)
    {
        using var world = new TwoNodes();
        var desired = WithQueue(TokenBucket.Of(bits / 8, burstBytes, 50_000));
        world.Apply(desired);

        Assert.Empty(world.Difference(desired).Items);
        foreach (var device in new[] { "veth0", "ifb0123" })
        {
            using var seen = JsonDocument.Parse(await Witness.Run(world.Node1, "tc", "-j", "-r", "qdisc", "show", "dev", device));
            var tbf = seen.RootElement.EnumerateArray().Single(static one => one.GetProperty("kind").GetString() == "tbf");
            Assert.Equal("706c:", tbf.GetProperty("handle").GetString());
            Assert.Equal(bits / 8, tbf.GetProperty("options").GetProperty("rate").GetUInt64());
        }
        Assert.Contains($"qdisc tbf dev veth0 root rate {rate} burst {burst} limit 50000b", world.Kernels.Observe([Node]).Entries[Root("veth0")].Entry.Print(), StringComparison.Ordinal);
        Assert.Equal(Owner.Plumb, world.Kernels.Observe([Node]).Entries[Root("veth0")].Owner);
        Assert.Contains("ifb", await Witness.Run(world.Node1, "ip", "-d", "link", "show", "dev", "ifb0123"), StringComparison.Ordinal);

        world.Apply(PodOnBridge());
        Assert.DoesNotContain("tbf", await Witness.Run(world.Node1, "tc", "qdisc"), StringComparison.Ordinal);
        Assert.DoesNotContain("ifb0123", await Witness.Run(world.Node1, "ip", "link"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_is_changed_in_place_and_comes_again_when_somebody_has_taken_it_away()
    {
        using var world = new TwoNodes();
        world.Apply(WithQueue(TokenBucket.Of(1_250_000, 20_000, 50_000)));
        // The first may be lost: links that have just been made come up by and by.
        await Witness.Run(world.Pod1, "ping", "-c10", "-i0.2", "-W10", "10.244.1.1");
        var sent = await SentAsync(world);
        Assert.NotEqual(0, sent);

        var faster = WithQueue(TokenBucket.Of(2_500_000, 20_000, 50_000));
        world.Apply(faster);
        Assert.Contains("rate 20Mbit", await Witness.Run(world.Node1, "tc", "qdisc", "show", "dev", "veth0"), StringComparison.Ordinal);
        // A queue that had been made anew would have counted nothing.
        Assert.True(await SentAsync(world) >= sent);

        await Witness.Run(world.Node1, "tc", "qdisc", "del", "dev", "veth0", "root");
        Assert.Null(Assert.Single(world.Difference(faster).Items).Was);
        world.Apply(faster);
        Assert.Empty(world.Difference(faster).Items);
    }

    [Fact]
    public async Task Somebodys_queue_is_never_taken_away()
    {
        using var world = new TwoNodes();
        var bucket = QdiscEntry.OfDevice(Node, "veth0", TokenBucket.Of(1_250_000, 20_000, 50_000));
        world.Apply(WithQueue(bucket.Bucket!.Value));
        await Witness.Run(world.Node1, "tc", "qdisc", "replace", "dev", "veth0", "root", "handle", "5:", "pfifo");

        Assert.Equal("qdisc pfifo dev veth0 root", Assert.Single(world.Difference(WithQueue(bucket.Bucket.Value)).Conflicts).Holds.Entry.Print());
        // By comparison, which sees whose it is; and blindly, as a plan that changes.
        world.Apply(PodOnBridge());
        world.Kernels.Apply([new DeltaItem(null, bucket)]);
        Assert.Throws<ApplyException>(() => world.Kernels.Apply([new DeltaItem(new Desired(bucket), null)]));

        Assert.Contains("qdisc pfifo 5: root", await Witness.Run(world.Node1, "tc", "qdisc", "show", "dev", "veth0"), StringComparison.Ordinal);
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
                "Foreign qdisc tbf dev vc root rate 1Mbit burst 10240b limit 16490b",
            ],
            seen);
    }

    [Fact]
    public void Filters_cross_as_json()
    {
        var unknown = new FilterEntry(Node, "eth0", TrafficHook.Ingress, 1) { Classifier = "bpf", Chain = 3 };
        var decision = Outgoing with { Rules = [new FilterRule([], [new FilterAction.Verdict(FilterVerdict.Drop), new FilterAction.Unknown("pedit")])] };
        foreach (var entry in (Entry[])[.. Mirror(), unknown, decision, QdiscEntry.OfDevice(Node, "eth0", TokenBucket.Of(1_000, 2_000, 3_000)), new QdiscEntry(Node, "eth0", TrafficHandle.Root, "netem"), new QdiscEntry(Node, "eth0", new TrafficHandle(0x10010), "sfq")])
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

    private static async Task<long> SentAsync(TwoNodes world)
    {
        using var seen = JsonDocument.Parse(await Witness.Run(world.Node1, "tc", "-j", "-s", "qdisc", "show", "dev", "veth0"));
        return seen.RootElement.EnumerateArray().Single(static one => one.GetProperty("kind").GetString() == "tbf").GetProperty("bytes").GetInt64();
    }

    private static EntryKey Root(string device) => QdiscEntry.OfDevice(Node, device, default).Key;

    private static DesiredState WithQueue(TokenBucket bucket)
    {
        var state = PodOnBridge();
        state.Set(new LinkEntry(Node, "ifb0123", new LinkType.Ifb()) { MtuBytes = 1450, Up = true, NoAutomaticAddress = true }, new Stamp("plumb:test"));
        state.Set(QdiscEntry.OfDevice(Node, "ifb0123", bucket));
        state.Set(QdiscEntry.OfDevice(Node, "veth0", bucket));
        return state;
    }

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
