using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Kernel;

/// <summary>
/// Writes links and what hangs on them. Three steps, each over all namespaces before the next: remove, make links, set the rest.
/// </summary>
internal sealed class RtnetlinkApplier(Kernels kernels, IWriteSeam seam, List<Refusal> refusals)
{
    private const NetlinkFlags Make = NetlinkFlags.Create | NetlinkFlags.Exclusive;
    private const NetlinkFlags MakeOrReplace = NetlinkFlags.Create | NetlinkFlags.Replace;
    private const int SettingSteps = 9;

    // "plmb": the group of links that are about to go. Links of others have 0, or a number somebody chose.
    private const uint GoingGroup = 0x706C_6D62;

    /// <summary>Step 1: what is no longer wanted, and what cannot be changed in place; what depends on others first.</summary>
    public void Remove(KernelNamespace kernel, List<DeltaItem> items)
    {
        var removed = items.FindAll(static item => item.Was is not null && (item.Want is null || !IsChangedInPlace(item)) && IsOurs(item));
        if (removed.Count == 0)
        {
            return;
        }
        var devices = new DeviceIndexes(kernel);
        devices.Resolve(removed, static item => item.Was!);
        // A qdisc takes its filters with it, and they may be somebody's.
        removed.RemoveAll(item => item.Was is QdiscEntry qdisc && devices.Find(qdisc.Device) is { } index && TrafficControlReader.HoldsForeign(kernel, qdisc, index));
        using var batch = new RtnetlinkBatch(kernel, seam, refusals) { ToleratesMissing = true };
        foreach (var kind in (ReadOnlySpan<EntryKind>)
            [EntryKind.Filter, EntryKind.Qdisc, EntryKind.Rule, EntryKind.Route, EntryKind.Fdb, EntryKind.Neighbour, EntryKind.Address, EntryKind.Link])
        {
            foreach (var item in removed)
            {
                if (item.Key.Kind == kind && item.Was is not LinkEntry { Type: LinkType.Veth })
                {
                    EmitRemoval(batch, item, devices);
                }
            }
        }
        batch.Send();
        foreach (var cables in removed.FindAll(item => item.Was is LinkEntry { Type: LinkType.Veth } cable && devices.Find(cable.Name) is not null).Chunk(LinkRemoval.MostAtOnce))
        {
            RemoveCables(batch, cables, devices);
        }
    }

    /// <summary>Step 2: new links, down and without master. One message makes both ends of a veth pair, each in its namespace.</summary>
    public void CreateLinks(List<(KernelNamespace Kernel, List<DeltaItem> Items)> byNamespace)
    {
        var pairs = new VethPairs(byNamespace);
        // VXLAN devices last: the device that one stands on may be new itself.
        foreach (var vxlans in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var (kernel, items) in byNamespace)
            {
                var made = items.FindAll(item => IsNewLink(item) && ((LinkEntry)item.Want!.Entry).Type is LinkType.Vxlan == vxlans);
                if (made.Count > 0)
                {
                    CreateLinks(kernel, made, pairs);
                }
            }
        }
    }

    /// <summary>Step 3: everything else, in one batch.</summary>
    public void Set(KernelNamespace kernel, List<DeltaItem> items)
    {
        var set = items.FindAll(static item => item.Want is not null && IsOurs(item));
        if (set.Count == 0)
        {
            return;
        }
        var devices = new DeviceIndexes(kernel);
        devices.Resolve(set, static item => item.Want!.Entry);
        using var batch = new RtnetlinkBatch(kernel, seam, refusals);
        for (var step = 0; step < SettingSteps; step++)
        {
            foreach (var item in set)
            {
                if (StepOf(item.Want!.Entry) == step)
                {
                    EmitSetting(batch, item, devices);
                }
            }
        }
        batch.Send();
    }

    // A gateway's own route is made before those that lead to it.
    private static int StepOf(Entry entry) => entry switch
    {
        LinkEntry => 0,
        AddressEntry => 1,
        NeighbourEntry => 2,
        FdbEntry => 3,
        RouteEntry route => route.NeedsWayToGateway ? 5 : 4,
        QdiscEntry => 6,
        FilterEntry => 7,
        _ => SettingSteps - 1,
    };

    /// <summary>A new link, or one that takes another's place.</summary>
    internal static bool IsNewLink(DeltaItem item) =>
        item.Want is { Entry: LinkEntry { Type: not LinkType.Loopback } } && (item.Was is null || !IsChangedInPlace(item));

    private static bool IsOurs(DeltaItem item) =>
        item.Key.Kind is EntryKind.Link or EntryKind.Address or EntryKind.Route or EntryKind.Rule or EntryKind.Neighbour or EntryKind.Fdb or EntryKind.Qdisc or EntryKind.Filter;

    private static bool IsChangedInPlace(DeltaItem item) => (item.Want?.Entry, item.Was) switch
    {
        (LinkEntry want, LinkEntry was) => LostWithLink.IsChangedInPlace(want, was),
        (RouteEntry or NeighbourEntry or QdiscEntry { Bucket: not null }, _) => true,
        (FdbEntry want, FdbEntry was) => want.OfMaster && was.OfMaster,
        _ => false,
    };

    private static void EmitRemoval(RtnetlinkBatch batch, DeltaItem item, DeviceIndexes devices)
    {
        switch (item.Was)
        {
            case LinkEntry link when devices.Find(link.Name) is { } index:
                new LinkMessage { Index = index }.Emit(batch.For(item), RTM_DELLINK);
                break;
            case AddressEntry address when devices.Find(address.Device) is { } index:
                RouteConversion.ToMessage(address, index).Emit(batch.For(item), RTM_DELADDR);
                break;
            case NeighbourEntry neighbour when devices.Find(neighbour.Device) is { } index:
                NeighbourConversion.ToMessage(neighbour, index).Emit(batch.For(item), RTM_DELNEIGH);
                break;
            case FdbEntry entry when devices.Find(entry.Device) is { } index:
                NeighbourConversion.ToMessage(entry, index).Emit(batch.For(item), RTM_DELNEIGH);
                break;
            case RouteEntry route when devices.KnowsAllOf(route):
                RouteConversion.ToMessage(route, devices.Get).Emit(batch.For(item), RTM_DELROUTE);
                break;
            case RuleEntry rule:
                RouteConversion.ToMessage(rule).Emit(batch.For(item), RTM_DELRULE);
                break;
            case QdiscEntry qdisc when devices.Find(qdisc.Device) is { } index:
                // EINVAL: one of another number stands there, which somebody has put in its place.
                TrafficControlConversion.ToMessage(qdisc, index).Emit(batch.For(item, Errno.EINVAL), RTM_DELQDISC);
                break;
            case FilterEntry filter when devices.Find(filter.Device) is { } index:
                TrafficControlConversion.ToName(filter, index).Emit(batch.For(item), RTM_DELTFILTER);
                break;
            default:
                break; // its device is gone, and it with it
        }
    }

    // Before the kernel tells that a link is gone, it waits until no processor can hold it any more (synchronize_net). A group goes with one wait
    // (rtnl_group_dellink of net/core/rtnetlink.c).
    private static void RemoveCables(RtnetlinkBatch batch, DeltaItem[] cables, DeviceIndexes devices)
    {
        if (cables is [var one])
        {
            EmitRemoval(batch, one, devices);
        }
        else
        {
            foreach (var item in cables)
            {
                new LinkMessage { Index = IndexOf(item), Group = GoingGroup }.Emit(batch.For(item), RTM_SETLINK);
            }
            new LinkMessage { Group = GoingGroup }.Emit(batch.ForAll(cables), RTM_DELLINK);
        }
        batch.SendUntilGone([.. cables.Select(IndexOf)]);

        int IndexOf(DeltaItem item) => devices.Get(((LinkEntry)item.Was!).Name);
    }

    private static void EmitSetting(RtnetlinkBatch batch, DeltaItem item, DeviceIndexes devices)
    {
        if (devices.MissingOf(item.Want!.Entry) is { } missing)
        {
            batch.Refuse(item, $"there is no device {missing}");
            return;
        }
        switch (item.Want.Entry)
        {
            case LinkEntry link:
                LinkSettings.Emit(batch, item, link, devices);
                break;
            case AddressEntry address:
                RouteConversion.ToMessage(address, devices.Get(address.Device)).Emit(batch.For(item), RTM_NEWADDR, Make);
                break;
            case NeighbourEntry neighbour:
                // The kernel may have learned it in the meantime.
                NeighbourConversion.ToMessage(neighbour, devices.Get(neighbour.Device)).Emit(batch.For(item), RTM_NEWNEIGH, MakeOrReplace);
                break;
            case FdbEntry { Remote: not null, Mac.IsZero: true } flood:
                NeighbourConversion.ToMessage(flood, devices.Get(flood.Device)).Emit(batch.For(item), RTM_NEWNEIGH, NetlinkFlags.Create | NetlinkFlags.Append);
                break;
            case FdbEntry entry:
                NeighbourConversion.ToMessage(entry, devices.Get(entry.Device)).Emit(batch.For(item), RTM_NEWNEIGH, MakeOrReplace);
                break;
            case RouteEntry route:
                RouteConversion.ToMessage(route, devices.Get).Emit(batch.For(item), RTM_NEWROUTE, item.Was is null ? Make : MakeOrReplace);
                break;
            case RuleEntry rule:
                RouteConversion.ToMessage(rule).Emit(batch.For(item), RTM_NEWRULE, Make);
                break;
            case QdiscEntry { Discipline: QdiscEntry.Clsact } qdisc:
                // Somebody's is as good: what counts is that there is one.
                TrafficControlConversion.ToMessage(qdisc, devices.Get(qdisc.Device)).Emit(batch.For(item, Errno.EEXIST), RTM_NEWQDISC, Make);
                break;
            case QdiscEntry { Bucket: not null } qdisc:
                // In place: what waits in a queue whose rate changes goes on at the new one.
                TrafficControlConversion.ToMessage(qdisc, devices.Get(qdisc.Device)).Emit(batch.For(item), RTM_NEWQDISC, item.Was is null ? Make : MakeOrReplace);
                break;
            case QdiscEntry other:
                batch.Refuse(item, $"Plumb makes no queueing disciplines of kind {other.Discipline}");
                break;
            case FilterEntry filter:
                TrafficControlConversion.ToMessage(filter, devices).Emit(batch.For(item), RTM_NEWTFILTER, Make);
                break;
            default:
                break;
        }
    }

    private void CreateLinks(KernelNamespace kernel, List<DeltaItem> items, VethPairs pairs)
    {
        var devices = new DeviceIndexes(kernel);
        devices.Resolve(items, static item => item.Want!.Entry, lowerDevices: true);
        using var batch = new RtnetlinkBatch(kernel, seam, refusals);
        foreach (var item in items)
        {
            var link = (LinkEntry)item.Want!.Entry;
            switch (link.Type)
            {
                case LinkType.Veth veth:
                    CreateVeth(batch, item, link, veth, pairs);
                    break;
                case LinkType.Vxlan { Device: { } device } when devices.Find(device) is null:
                    batch.Refuse(item, $"there is no device {device}");
                    break;
                case LinkType.Vxlan { Device: { } device }:
                    Create(batch, item, link, LinkConversion.ToInfo(link.Type, devices.Get(device)));
                    break;
                case LinkType.Other or LinkType.Stacked or LinkType.IpTunnel or LinkType.Wireguard:
                    batch.Refuse(item, $"Plumb makes no links of kind {link.Type.KindName}");
                    break;
                default:
                    Create(batch, item, link, LinkConversion.ToInfo(link.Type, 0));
                    break;
            }
        }
        batch.Send();
    }

    private static void Create(RtnetlinkBatch batch, DeltaItem item, LinkEntry link, LinkInfo info)
    {
        var mtu = (uint?)link.MtuBytes;
        // A bridge takes its ports' smallest MTU until it is told one that it does not have: telling it at birth does not count.
        var birthMtu = link.Type is LinkType.Bridge && mtu is { } wanted ? wanted ^ 1 : mtu;
        var segments = (uint?)(link.Type as LinkType.Vxlan)?.GsoMaxSegments;
        new LinkMessage { Name = link.Name, Mac = link.Mac, MtuBytes = birthMtu, GsoMaxSegments = segments, Info = info }.Emit(batch.For(item), RTM_NEWLINK, Make);
        if (birthMtu != mtu)
        {
            new LinkMessage { Name = link.Name, MtuBytes = mtu }.Emit(batch.For(item), RTM_SETLINK);
        }
        if (item.Want!.Stamp is { } stamp)
        {
            // In the same system call: were it made without and then we died, it would be taken for somebody else's.
            new LinkMessage { Name = link.Name, Alias = stamp.Text }.Emit(batch.For(item), RTM_SETLINK);
        }
    }

    private void CreateVeth(RtnetlinkBatch batch, DeltaItem item, LinkEntry link, LinkType.Veth veth, VethPairs pairs)
    {
        if (!pairs.IsMadeBy(item))
        {
            return;
        }
        var where = veth.PeerNamespace ?? link.Namespace;
        if (!kernels.TryGet(where, out var there))
        {
            batch.Refuse(item, $"the namespace of its other end, {where}, is not known");
            return;
        }
        var other = pairs.OtherEnd(item);
        var peer = new LinkMessage
        {
            Name = other?.Name ?? veth.PeerName,
            Mac = other?.Mac,
            MtuBytes = (uint?)(other?.MtuBytes ?? link.MtuBytes),
            NamespaceDescriptor = where == link.Namespace ? null : there.Network.Number,
        };
        Create(batch, item, link, new LinkInfo("veth") { VethPeer = peer });
    }
}
