using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Rtnetlink;

/// <summary>One way that a route may take: attributes of the route itself when it is the only one, else a <c>struct rtnexthop</c>.</summary>
/// <param name="Index">ifindex; 0: not stated.</param>
/// <param name="Gateway">Of the route's family (RTA_GATEWAY) or of the other (RTA_VIA).</param>
/// <param name="Weight">rtnh_hops + 1</param>
/// <param name="Flags">RTNH_F_*</param>
public readonly record struct RouteHop(int Index, IpAddress? Gateway, int Weight, uint Flags)
{
    internal const uint RTNH_F_ONLINK = 4;

    // RTA_VIA: struct rtvia, a family in host order and the address.
    internal static IpAddress ParseVia(NetlinkAttribute attribute) =>
        IpAddress.TryRead(attribute.Structure(nameof(RouteMessage.RTA_VIA), 2)[2..], out var address)
            ? address
            : throw new NetlinkDecodeException(nameof(RouteMessage.RTA_VIA), "holds no address", attribute.Value);

    internal static ValueList<RouteHop> ParseMany(NetlinkAttribute attribute)
    {
        var hops = new List<RouteHop>();
        var rest = attribute.Value;
        while (rest.Length > 0)
        {
            var header = WireHeader.Read<NextHopHeader>(rest, "struct rtnexthop", out _);
            if (header.Length < NextHopHeader.Size || header.Length > rest.Length)
            {
                throw new NetlinkDecodeException("rtnh_len", $"is {header.Length} where {rest.Length} bytes are left", rest);
            }
            IpAddress? gateway = null;
            foreach (var a in new AttributeReader(rest[NextHopHeader.Size..header.Length], "RTA_MULTIPATH"))
            {
                gateway = a.Type switch
                {
                    RouteMessage.RTA_GATEWAY => a.Ip(nameof(RouteMessage.RTA_GATEWAY)),
                    RouteMessage.RTA_VIA => ParseVia(a),
                    _ => gateway,
                };
            }
            hops.Add(new RouteHop(header.Index, gateway, header.Hops + 1, header.Flags & RTNH_F_ONLINK));
            rest = rest[Math.Min(NetlinkControl.Align(header.Length), rest.Length)..];
        }
        return [.. hops];
    }

    internal void EmitSingle(NetlinkWriter writer, IpFamily routeFamily)
    {
        if (Index != 0)
        {
            writer.S32(RouteMessage.RTA_OIF, Index);
        }
        EmitGateway(writer, routeFamily);
    }

    internal static void EmitMany(NetlinkWriter writer, IpFamily routeFamily, ValueList<RouteHop> hops)
    {
        using var nest = writer.Nest(RouteMessage.RTA_MULTIPATH);
        foreach (var hop in hops)
        {
            using var entry = writer.OpenRecord();
            writer.Structure(new NextHopHeader { Flags = (byte)hop.Flags, Hops = (byte)(hop.Weight - 1), Index = hop.Index });
            hop.EmitGateway(writer, routeFamily);
        }
    }

    private void EmitGateway(NetlinkWriter writer, IpFamily routeFamily)
    {
        if (Gateway is not { } gateway)
        {
            return;
        }
        if (gateway.Family == routeFamily)
        {
            writer.Ip(RouteMessage.RTA_GATEWAY, gateway);
            return;
        }
        Span<byte> via = stackalloc byte[2 + gateway.ByteLength];
        MemoryMarshal.Write(via, (ushort)gateway.Family);
        gateway.WriteBytes(via[2..]);
        writer.Bytes(RouteMessage.RTA_VIA, via);
    }

    /// <summary><c>struct rtnexthop</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct NextHopHeader
    {
        public const int Size = 8;

        public ushort Length;
        public byte Flags;
        public byte Hops;
        public int Index;
    }
}
