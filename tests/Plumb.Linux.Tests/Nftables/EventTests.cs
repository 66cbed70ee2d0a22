using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Linux.Tests.Nftables;

public sealed class EventTests
{
    [Fact]
    public void Changes_tell_what_changed_and_by_whose_socket()
    {
        using var space = new NftNamespace();
        using var subscription = space.Namespace.Subscribe(NetlinkFamily.Netfilter, NftablesEvents.Groups);
        var table = TableBuilder.Plumb(NftNamespace.Id, TableFamily.Ip);
        var set = table.Set("ports", DataType.Port);

        space.Add([new(table.Table()), new(set), new(set.Element([80])), new(table.Chain("chain", table.Rule(Accept)))]);

        var events = Drain(subscription);
        var ours = space.Socket.PortId;
        Assert.Equal(
            [
                new NftablesEntryEvent(EntryKind.Table, table.Id, "plumb", Removed: false, ours),
                new NftablesEntryEvent(EntryKind.Set, table.Id, "ports", Removed: false, ours),
                new NftablesEntryEvent(EntryKind.Chain, table.Id, "chain", Removed: false, ours),
                new NftablesEntryEvent(EntryKind.Chain, table.Id, "chain", Removed: false, ours),
                new NftablesEntryEvent(EntryKind.Element, table.Id, "ports", Removed: false, ours),
            ],
            events.OfType<NftablesEntryEvent>());
        var first = Assert.IsType<NftablesGenerationEvent>(events[^1]);

        Assert.Equal("", space.Load("delete element ip plumb ports { 80 }"));

        var theirs = Drain(subscription);
        var removal = Assert.Single(theirs.OfType<NftablesEntryEvent>());
        Assert.Equal((EntryKind.Element, true), (removal.Kind, removal.Removed));
        Assert.NotEqual(ours, removal.PortId);
        var second = Assert.IsType<NftablesGenerationEvent>(theirs[^1]);
        Assert.Equal(first.Generation + 1, second.Generation);
        Assert.Equal("nft", second.ProcessName);
    }

    private static List<NftablesEvent> Drain(NetlinkSubscription subscription)
    {
        var events = new List<NftablesEvent>();
        while (subscription.TryReceive(message =>
        {
            if (NftablesEvents.Read(message) is { } read)
            {
                events.Add(read);
            }
        }) is not null)
        {
        }
        return events;
    }
}
