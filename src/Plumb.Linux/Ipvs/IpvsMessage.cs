using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Ipvs;

/// <summary>Messages of the generic family <c>IPVS</c> (<c>linux/ip_vs.h</c>): lists of services, and of the servers of one.</summary>
internal static class IpvsMessage
{
    public const string Family = "IPVS";
    private const byte Version = 1;

    private const byte IPVS_CMD_GET_SERVICE = 4;
    private const byte IPVS_CMD_GET_DEST = 8;
    private const ushort IPVS_CMD_ATTR_SERVICE = 1;
    private const ushort IPVS_CMD_ATTR_DEST = 2;

    private const ushort IPVS_SVC_ATTR_AF = 1;
    private const ushort IPVS_SVC_ATTR_PROTOCOL = 2;
    private const ushort IPVS_SVC_ATTR_ADDR = 3;
    private const ushort IPVS_SVC_ATTR_PORT = 4;
    private const ushort IPVS_SVC_ATTR_FWMARK = 5;
    private const ushort IPVS_SVC_ATTR_SCHED_NAME = 6;
    private const ushort IPVS_SVC_ATTR_FLAGS = 7;
    private const uint IP_VS_SVC_F_PERSISTENT = 1;

    private const ushort IPVS_DEST_ATTR_ADDR = 1;
    private const ushort IPVS_DEST_ATTR_PORT = 2;
    private const ushort IPVS_DEST_ATTR_FWD_METHOD = 3;
    private const ushort IPVS_DEST_ATTR_WEIGHT = 4;
    private const ushort IPVS_DEST_ATTR_ACTIVE_CONNS = 7;
    private const ushort IPVS_DEST_ATTR_INACT_CONNS = 8;
    private const ushort IPVS_DEST_ATTR_ADDR_FAMILY = 11;
    private const uint IP_VS_CONN_F_FWD_MASK = 7;

    public static void WriteServices(NetlinkWriter wire, ushort family)
    {
        using (wire.Message(family, NetlinkFlags.Dump))
        {
            wire.Structure(new GenericHeader(IPVS_CMD_GET_SERVICE, Version));
        }
    }

    public static void WriteServers(NetlinkWriter wire, ushort family, IpvsService of)
    {
        using (wire.Message(family, NetlinkFlags.Dump))
        {
            wire.Structure(new GenericHeader(IPVS_CMD_GET_DEST, Version));
            using (wire.Nest(IPVS_CMD_ATTR_SERVICE))
            {
                wire.U16(IPVS_SVC_ATTR_AF, (ushort)of.Address.Family);
                if (of.Mark != 0)
                {
                    wire.U32(IPVS_SVC_ATTR_FWMARK, of.Mark);
                    return;
                }
                wire.U16(IPVS_SVC_ATTR_PROTOCOL, of.Protocol);
                wire.Ip(IPVS_SVC_ATTR_ADDR, of.Address);
                wire.U16BigEndian(IPVS_SVC_ATTR_PORT, of.Port);
            }
        }
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static IpvsService? ReadService(NetlinkMessage message)
    {
        foreach (var nest in GenericFamily.Attributes(message, "IPVS_CMD_NEW_SERVICE"))
        {
            if (nest.Type != IPVS_CMD_ATTR_SERVICE)
            {
                continue;
            }
            var (family, protocol, port, scheduler, mark, flags) = (IpFamily.V4, (byte)0, (ushort)0, "", 0u, 0u);
            ReadOnlySpan<byte> address = [];
            foreach (var a in nest.Nested("IPVS_CMD_ATTR_SERVICE"))
            {
                switch (a.Type)
                {
                    case IPVS_SVC_ATTR_AF:
                        family = FamilyOf(a.U16(nameof(IPVS_SVC_ATTR_AF)));
                        break;
                    case IPVS_SVC_ATTR_PROTOCOL:
                        protocol = (byte)a.U16(nameof(IPVS_SVC_ATTR_PROTOCOL));
                        break;
                    case IPVS_SVC_ATTR_ADDR:
                        address = a.Structure(nameof(IPVS_SVC_ATTR_ADDR), 16);
                        break;
                    case IPVS_SVC_ATTR_PORT:
                        port = a.U16BigEndian(nameof(IPVS_SVC_ATTR_PORT));
                        break;
                    case IPVS_SVC_ATTR_FWMARK:
                        mark = a.U32(nameof(IPVS_SVC_ATTR_FWMARK));
                        break;
                    case IPVS_SVC_ATTR_SCHED_NAME:
                        scheduler = a.Text(nameof(IPVS_SVC_ATTR_SCHED_NAME));
                        break;
                    case IPVS_SVC_ATTR_FLAGS:
                        flags = BitConverter.ToUInt32(a.Structure(nameof(IPVS_SVC_ATTR_FLAGS), 8));
                        break;
                    default:
                        break;
                }
            }
            return new IpvsService(Ip(address, family), protocol, port, scheduler) { Mark = mark, IsPersistent = (flags & IP_VS_SVC_F_PERSISTENT) != 0 };
        }
        return null;
    }

    /// <param name="family">Of the service: kernels before 3.18 say none.</param>
    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static IpvsServer? ReadServer(NetlinkMessage message, IpFamily family)
    {
        foreach (var nest in GenericFamily.Attributes(message, "IPVS_CMD_NEW_DEST"))
        {
            if (nest.Type != IPVS_CMD_ATTR_DEST)
            {
                continue;
            }
            var (port, method, weight, active, inactive) = ((ushort)0, 0u, 0, 0u, 0u);
            ReadOnlySpan<byte> address = [];
            foreach (var a in nest.Nested("IPVS_CMD_ATTR_DEST"))
            {
                switch (a.Type)
                {
                    case IPVS_DEST_ATTR_ADDR:
                        address = a.Structure(nameof(IPVS_DEST_ATTR_ADDR), 16);
                        break;
                    case IPVS_DEST_ATTR_PORT:
                        port = a.U16BigEndian(nameof(IPVS_DEST_ATTR_PORT));
                        break;
                    case IPVS_DEST_ATTR_FWD_METHOD:
                        method = a.U32(nameof(IPVS_DEST_ATTR_FWD_METHOD)) & IP_VS_CONN_F_FWD_MASK;
                        break;
                    case IPVS_DEST_ATTR_WEIGHT:
                        weight = a.S32(nameof(IPVS_DEST_ATTR_WEIGHT));
                        break;
                    case IPVS_DEST_ATTR_ACTIVE_CONNS:
                        active = a.U32(nameof(IPVS_DEST_ATTR_ACTIVE_CONNS));
                        break;
                    case IPVS_DEST_ATTR_INACT_CONNS:
                        inactive = a.U32(nameof(IPVS_DEST_ATTR_INACT_CONNS));
                        break;
                    case IPVS_DEST_ATTR_ADDR_FAMILY:
                        family = FamilyOf(a.U16(nameof(IPVS_DEST_ATTR_ADDR_FAMILY)));
                        break;
                    default:
                        break;
                }
            }
            return new IpvsServer(Ip(address, family), port, (IpvsMethod)method, weight) { ActiveConnections = active, InactiveConnections = inactive };
        }
        return null;
    }

    private static IpFamily FamilyOf(ushort number) => number == (ushort)IpFamily.V6 ? IpFamily.V6 : IpFamily.V4;

    // union nf_inet_addr: an IPv4 address is its first four bytes. A service for a mark has none.
    private static IpAddress Ip(ReadOnlySpan<byte> union, IpFamily family) =>
        union.Length >= 16 && IpAddress.TryRead(family == IpFamily.V4 ? union[..4] : union[..16], out var address) ? address : IpAddress.Unspecified(family);
}
