using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>
/// A neighbour (RTM_NEWNEIGH, _DELNEIGH): <c>struct ndmsg</c> and NDA_* of <c>linux/neighbour.h</c>. With family AF_BRIDGE it is an
/// entry of a forwarding table instead, keyed by MAC.
/// </summary>
public sealed record NeighbourMessage
{
    internal const ushort NDA_DST = 1;
    internal const ushort NDA_LLADDR = 2;
    internal const ushort NDA_VLAN = 5;
    internal const ushort NDA_MASTER = 9;
    internal const ushort NDA_PROTOCOL = 12;
    internal const byte NTF_SELF = 0x02;
    internal const byte NTF_MASTER = 0x04;
    internal const byte NTF_PROXY = 0x08;

    /// <summary>AF_INET, AF_INET6 or AF_BRIDGE.</summary>
    public byte Family { get; init; }

    /// <summary>ifindex</summary>
    public int Index { get; init; }

    public NeighbourState State { get; init; }

    /// <summary>NTF_*</summary>
    public byte Flags { get; init; }

    public byte Type { get; init; }

    /// <summary>The neighbour's address; a VXLAN entry's remote.</summary>
    public IpAddress? Destination { get; init; }

    public MacAddress? Mac { get; init; }

    public ushort? Vlan { get; init; }

    /// <summary>NDA_MASTER: ifindex of the bridge whose table this is of; null: of the device's own.</summary>
    public uint? Master { get; init; }

    public RouteProtocol? Protocol { get; init; }

    public UnknownAttributes Unknown { get; init; }

    public static NeighbourMessage Parse(ReadOnlySpan<byte> payload, bool keepUnknown = false)
    {
        var header = WireHeader.Read<Header>(payload, "struct ndmsg", out var attributes);
        IpAddress? destination = null;
        MacAddress? mac = null;
        ushort? vlan = null;
        uint? master = null;
        RouteProtocol? protocol = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in new AttributeReader(attributes, "RTM_NEWNEIGH"))
        {
            switch (a.Type)
            {
                case NDA_DST:
                    destination = a.Ip(nameof(NDA_DST));
                    break;
                case NDA_LLADDR when a.Value.Length == MacAddress.ByteLength:
                    mac = a.Mac(nameof(NDA_LLADDR));
                    break;
                case NDA_VLAN:
                    vlan = a.U16(nameof(NDA_VLAN));
                    break;
                case NDA_MASTER:
                    master = a.U32(nameof(NDA_MASTER));
                    break;
                case NDA_PROTOCOL:
                    protocol = new RouteProtocol(a.U8(nameof(NDA_PROTOCOL)));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return new NeighbourMessage
        {
            Family = header.Family, Index = header.Index, State = (NeighbourState)header.State, Flags = header.Flags, Type = header.Type,
            Destination = destination, Mac = mac, Vlan = vlan, Master = master, Protocol = protocol, Unknown = unknown?.Take() ?? default,
        };
    }

    internal void Emit(NetlinkWriter writer, ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        using (writer.Message(type, flags))
        {
            writer.Structure(new Header { Family = Family, Index = Index, State = (ushort)State, Flags = Flags, Type = Type });
            if (Destination is { } destination)
            {
                writer.Ip(NDA_DST, destination);
            }
            if (Mac is { } mac)
            {
                writer.Mac(NDA_LLADDR, mac);
            }
            if (Vlan is { } vlan)
            {
                writer.U16(NDA_VLAN, vlan);
            }
            if (Master is { } master)
            {
                writer.U32(NDA_MASTER, master);
            }
            if (Protocol is { } protocol)
            {
                writer.U8(NDA_PROTOCOL, protocol.Number);
            }
            Unknown.Emit(writer);
        }
    }

    /// <param name="family">AF_BRIDGE: all forwarding tables. AF_UNSPEC: all neighbours; with <paramref name="proxies"/> the proxy entries instead.</param>
    internal static void EmitDump(NetlinkWriter writer, byte family, bool proxies = false)
    {
        using (writer.Message(RTM_GETNEIGH, NetlinkFlags.Dump))
        {
            writer.Structure(new Header { Family = family, Flags = proxies ? NTF_PROXY : (byte)0 });
        }
    }

    /// <summary><c>struct ndmsg</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Family;
        public byte Padding1;
        public ushort Padding2;
        public int Index;
        public ushort State;
        public byte Flags;
        public byte Type;
    }
}
