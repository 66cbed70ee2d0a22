using Plumb.Agent.Repair;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Agent.Tests.Repair;

public sealed class RepairTests : IDisposable
{
    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData(EntryKind.Route, "10.244.2.0/24 table main metric 0", "route 10.244.2.0/24 via 10.244.2.0 dev plumb-vxlan onlink proto 112 (Node node-2 spec.podCIDRs[0]) was removed; restored")]
    [InlineData(EntryKind.Link, "plumb-vxlan", "was removed; restored")]
    [InlineData(EntryKind.Chain, "ip plumb masquerade-pods", "was removed; restored")]
    [InlineData(EntryKind.Neighbour, "10.244.3.0 dev plumb-vxlan", "(Node node-3 spec.podCIDRs[0]) was removed; restored")]
    public async Task What_somebody_removes_comes_back_and_is_told(EntryKind kind, string name, string told)
    {
        await using var agent = await _node.StartAsync();
        await agent.Ready;
        var before = _node.Kernel.Dump();
        _node.Kernel.Remove(new EntryKey(TestNode.Id, kind, name));
        await _node.Log.LineAsync(told);
        Assert.Equal(before, _node.Kernel.Dump());
    }

    [Fact]
    public void A_table_that_somebody_deletes_is_one_line()
    {
        var table = TableBuilder.Plumb(TestNode.Id, TableFamily.Ip);
        var inside = table.Set("inside", SetFlags.Interval, DataType.Ipv4Address);
        var chain = table.Chain("masquerade-pods");
        Entry[] removed = [inside.Element([IpPrefix.Parse("10.244.0.0/16")]), inside.Element([IpPrefix.Parse("10.245.0.0/16")]), inside, chain, table.Table()];
        var route = new RouteEntry(TestNode.Id, IpPrefix.Parse("10.244.2.0/24")) { NextHops = [new NextHop("eth0", null)] };
        var news = RepairNews.Of([.. removed.Append(route).Select(static entry => new RepairFinding(entry, "Option cluster-cidr", "was removed", "restored", false))]);
        Assert.Equal(
            [
                "table ip plumb with 1 chain, 1 set, 2 elements (Option cluster-cidr) was removed; restored",
                "route 10.244.2.0/24 dev eth0 proto 112 (Option cluster-cidr) was removed; restored",
            ],
            news.Select(static report => report.Text));
    }

    [Fact]
    public void What_befell_entries_of_one_table_in_different_ways_is_told_apart_in_lines_of_their_own()
    {
        var table = TableBuilder.Plumb(TestNode.Id, TableFamily.Ip);
        var inside = table.Set("inside", SetFlags.Interval, DataType.Ipv4Address);
        var news = RepairNews.Of(
        [
            new(inside, "Option cluster-cidr", "was removed", "restored", false),
            new(table.Chain("masquerade-pods"), "Option cluster-cidr", "was changed", "restored", false),
        ]);
        Assert.Equal(
            [
                "set ip plumb inside (Option cluster-cidr) was removed; restored",
                "chain ip plumb masquerade-pods (Option cluster-cidr) was changed; restored",
            ],
            news.Select(static report => report.Text));
    }

    [Fact]
    public async Task A_veth_pair_is_made_anew_with_all_that_hung_on_it()
    {
        await using var agent = await _node.StartAsync();
        await agent.Ready;
        await _node.AddAsync("abcdef01");
        var before = _node.Kernel.Dump();
        _node.Kernel.Remove(new EntryKey(TestNode.Id, EntryKind.Link, "vethabcdef01"));
        await _node.Log.LineAsync("vethabcdef01");
        Assert.Equal(before, _node.Kernel.Dump());
    }

    [Fact]
    public void Who_keeps_undoing_a_repair_is_given_way_to_for_longer_each_time()
    {
        var time = new ManualTime();
        var backoff = new RepairBackoff(time);
        var (fought, calm) = (new EntryKey(TestNode.Id, EntryKind.Link, "cni0"), new EntryKey(TestNode.Id, EntryKind.Link, "lo"));
        var pauses = new List<double>();
        for (var round = 0; round < 8; round++)
        {
            for (var repair = 0; repair < 5; repair++)
            {
                Assert.Equal(RepairVerdict.Repair, backoff.Judge(fought));
            }
            Assert.Equal(RepairVerdict.GiveWay, backoff.Judge(fought));
            Assert.Equal(RepairVerdict.StillGivingWay, backoff.Judge(fought));
            Assert.Equal(RepairVerdict.Repair, backoff.Judge(calm));
            Assert.Equal(backoff.PauseOf(fought), backoff.NextTry());
            pauses.Add(backoff.PauseOf(fought).TotalSeconds);
            time.Now += backoff.PauseOf(fought);
        }
        Assert.Equal([10, 20, 40, 80, 160, 320, 600, 600], pauses);
    }

    private sealed class ManualTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
