using Plumb.Linux.Native;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Kernel;

/// <summary>What can be set on a link that exists, new or not: only what is stated and differs is sent.</summary>
/// <remarks>
/// Several messages, since the kernel handles the attributes of one in an order of its own: it takes a link up before it looks at how
/// IPv6 makes addresses, and a port's switches exist only once there is a master.
/// </remarks>
internal static class LinkSettings
{
    public static void Emit(RtnetlinkBatch batch, DeltaItem item, LinkEntry want, DeviceIndexes devices)
    {
        var isNew = RtnetlinkApplier.IsNewLink(item);
        var was = isNew ? null : item.Was as LinkEntry;
        var index = devices.Get(want.Name);

        if (want.NoAutomaticAddress is { } none && none != was?.NoAutomaticAddress)
        {
            var mode = none ? LinkMessage.IN6_ADDR_GEN_MODE_NONE : LinkMessage.IN6_ADDR_GEN_MODE_EUI64;
            // Where there is no IPv6 (MTU below 1,280, or none in the kernel) no address is made either.
            new LinkMessage { Index = index, AddressGeneration = mode }.Emit(batch.For(item, none ? Errno.EAFNOSUPPORT : Errno.None), RTM_SETLINK);
        }
        if (!isNew && want.Type is LinkType.Bridge bridge && !(was is not null && bridge.IsSatisfiedBy(was.Type)))
        {
            new LinkMessage { Index = index, Info = new LinkInfo("bridge") { Bridge = LinkConversion.ToBridge(bridge) } }.Emit(batch.For(item), RTM_NEWLINK);
        }
        var settings = new LinkMessage
        {
            Index = index,
            // One that this namespace made has its alias; the far end of a pair has none yet.
            Alias = item.Want!.Stamp?.Text,
            // A new link was made with its address and MTU.
            Mac = !isNew && want.Mac != was?.Mac ? want.Mac : null,
            MtuBytes = !isNew && want.MtuBytes != was?.MtuBytes ? (uint?)want.MtuBytes : null,
            Master = MasterIndex(want, was, devices),
        };
        if (settings is not { Alias: null, Mac: null, MtuBytes: null, Master: null })
        {
            settings.Emit(batch.For(item), RTM_SETLINK);
        }
        if (want.Port is { } port && !(was?.Port is { } hadPort && settings.Master is null && port.IsSatisfiedBy(hadPort)))
        {
            new LinkMessage { Index = index, Info = new LinkInfo("") { BridgePort = LinkConversion.ToPort(port) } }.Emit(batch.For(item), RTM_NEWLINK);
        }
        if (want.Up is { } up && up != (was?.Up ?? false))
        {
            new LinkMessage { Index = index, Flags = up ? LinkMessage.IFF_UP : 0, Change = LinkMessage.IFF_UP }.Emit(batch.For(item), RTM_SETLINK);
        }
    }

    private static uint? MasterIndex(LinkEntry want, LinkEntry? was, DeviceIndexes devices)
    {
        if (want.Master is not { } master || master == (was?.Master ?? ""))
        {
            return null;
        }
        return master.Length == 0 ? 0 : (uint)devices.Get(master);
    }
}
