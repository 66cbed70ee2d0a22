using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>An interface's address (RTM_NEWADDR, _DELADDR): <c>struct ifaddrmsg</c> and IFA_* of <c>linux/if_addr.h</c>.</summary>
public sealed record AddressMessage
{
    internal const ushort IFA_ADDRESS = 1;
    internal const ushort IFA_LOCAL = 2;
    internal const ushort IFA_BROADCAST = 4;
    internal const ushort IFA_CACHEINFO = 6;
    internal const ushort IFA_FLAGS = 8;
    internal const ushort IFA_PROTO = 11;
    internal const uint IFA_F_NODAD = 0x02;
    internal const uint IFA_F_NOPREFIXROUTE = 0x200;

    public IpFamily Family { get; init; }

    public byte PrefixLength { get; init; }

    public RouteScope Scope { get; init; }

    /// <summary>ifindex</summary>
    public int Index { get; init; }

    /// <summary>IFA_LOCAL: the interface's own address; null for IPv6 without a peer, where <see cref="Address"/> is the own one.</summary>
    public IpAddress? Local { get; init; }

    /// <summary>IFA_ADDRESS: the peer's of a point-to-point link, else the own one.</summary>
    public IpAddress? Address { get; init; }

    /// <summary>IFA_F_*, all 32 bits.</summary>
    public uint Flags { get; init; }

    /// <summary>IFA_PROTO (Linux 5.18); null where the kernel does not tell.</summary>
    public RouteProtocol? Protocol { get; init; }

    public UnknownAttributes Unknown { get; init; }

    public IpAddress? Own => Local ?? Address;

    public static AddressMessage Parse(ReadOnlySpan<byte> payload, bool keepUnknown = false)
    {
        var header = WireHeader.Read<Header>(payload, "struct ifaddrmsg", out var attributes);
        IpAddress? local = null;
        IpAddress? address = null;
        uint flags = header.Flags;
        RouteProtocol? protocol = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in new AttributeReader(attributes, "RTM_NEWADDR"))
        {
            switch (a.Type)
            {
                case IFA_LOCAL:
                    local = a.Ip(nameof(IFA_LOCAL));
                    break;
                case IFA_ADDRESS:
                    address = a.Ip(nameof(IFA_ADDRESS));
                    break;
                case IFA_FLAGS:
                    flags = a.U32(nameof(IFA_FLAGS));
                    break;
                case IFA_PROTO:
                    protocol = new RouteProtocol(a.U8(nameof(IFA_PROTO)));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return new AddressMessage
        {
            Family = (IpFamily)header.Family, PrefixLength = header.PrefixLength, Scope = (RouteScope)header.Scope, Index = header.Index,
            Local = local, Address = address, Flags = flags, Protocol = protocol, Unknown = unknown?.Take() ?? default,
        };
    }

    internal void Emit(NetlinkWriter writer, ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        using (writer.Message(type, flags))
        {
            // All flags go into their attribute; the header has room for eight of them only.
            writer.Structure(new Header { Family = (byte)Family, PrefixLength = PrefixLength, Scope = (byte)Scope, Index = Index });
            if (Local is { } local)
            {
                writer.Ip(IFA_LOCAL, local);
            }
            if (Address is { } address)
            {
                writer.Ip(IFA_ADDRESS, address);
            }
            if (Flags != 0)
            {
                writer.U32(IFA_FLAGS, Flags);
            }
            if (Protocol is { } protocol)
            {
                writer.U8(IFA_PROTO, protocol.Number);
            }
            Unknown.Emit(writer);
        }
    }

    internal static void EmitDump(NetlinkWriter writer)
    {
        using (writer.Message(RTM_GETADDR, NetlinkFlags.Dump))
        {
            writer.Structure(default(Header));
        }
    }

    /// <summary><c>struct ifaddrmsg</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Family;
        public byte PrefixLength;
        public byte Flags;
        public byte Scope;
        public int Index;
    }
}
