using Plumb.Linux.Addresses;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Between neighbours and forwarding entries as entries and as messages.</summary>
internal static class NeighbourConversion
{
    public static NeighbourEntry? ToNeighbour(NamespaceId id, NeighbourMessage message, LinkTable links)
    {
        if (message.Destination is not { } address || links.NameOf(message.Index) is not { } device)
        {
            return null;
        }
        var proxy = (message.Flags & NeighbourMessage.NTF_PROXY) != 0;
        return new NeighbourEntry(id, device, address)
        {
            Mac = message.Mac,
            // A proxy entry has no state of its own; the plan's default must be equal to what is read.
            State = proxy ? NeighbourState.Permanent : message.State,
            Proxy = proxy,
            Protocol = message.Protocol ?? RouteProtocol.Unspecified,
        };
    }

    public static NeighbourMessage ToMessage(NeighbourEntry entry, int index) => new()
    {
        Family = (byte)entry.Address.Family,
        Index = index,
        State = entry.State,
        Flags = entry.Proxy ? NeighbourMessage.NTF_PROXY : (byte)0,
        Destination = entry.Address,
        Mac = entry.Proxy ? null : entry.Mac,
        Protocol = entry.Protocol,
    };

    public static FdbEntry? ToFdb(NamespaceId id, NeighbourMessage message, LinkTable links)
    {
        if (message.Mac is not { } mac || links.NameOf(message.Index) is not { } device)
        {
            return null;
        }
        return new FdbEntry(id, device, mac)
        {
            OfMaster = message.Master is not null,
            Vlan = message.Vlan ?? 0,
            Remote = message.Destination,
            // `bridge fdb … permanent` sets both bits; the stronger one says it.
            State = message.State.HasFlag(NeighbourState.Permanent) ? NeighbourState.Permanent
                : message.State.HasFlag(NeighbourState.NoArp) ? NeighbourState.NoArp
                : message.State,
            Protocol = message.Protocol ?? RouteProtocol.Unspecified,
        };
    }

    public static NeighbourMessage ToMessage(FdbEntry entry, int index) => new()
    {
        Family = RtnetlinkTypes.AF_BRIDGE,
        Index = index,
        State = entry.State,
        Flags = entry.OfMaster ? NeighbourMessage.NTF_MASTER : NeighbourMessage.NTF_SELF,
        Mac = entry.Mac,
        Vlan = entry.Vlan == 0 ? null : entry.Vlan,
        Destination = entry.Remote,
        Protocol = entry.Protocol == RouteProtocol.Unspecified ? null : entry.Protocol,
    };
}
