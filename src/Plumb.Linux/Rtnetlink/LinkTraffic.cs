using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>What a device has carried since it was made, in packets (IFLA_STATS64, <c>struct rtnl_link_stats64</c>).</summary>
/// <param name="NotSent">Was to be sent, and was not: tx_errors and tx_dropped.</param>
public readonly record struct LinkTraffic(ulong Received, ulong Sent, ulong NotSent)
{
    internal const ushort IFLA_STATS64 = 23;

    // rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped
    private const int Fields = 8;

    internal static void EmitGet(NetlinkWriter writer, string name)
    {
        using (writer.Message(RTM_GETLINK))
        {
            writer.Structure(default(LinkMessage.Header));
            writer.Text(LinkMessage.IFLA_IFNAME, name);
        }
    }

    internal static LinkTraffic Parse(ReadOnlySpan<byte> payload)
    {
        WireHeader.Read<LinkMessage.Header>(payload, "struct ifinfomsg", out var attributes);
        foreach (var a in new AttributeReader(attributes, "RTM_NEWLINK"))
        {
            if (a.Type == IFLA_STATS64)
            {
                var fields = MemoryMarshal.Cast<byte, ulong>(a.Structure(nameof(IFLA_STATS64), Fields * sizeof(ulong)));
                return new LinkTraffic(fields[0], fields[1], fields[5] + fields[7]);
            }
        }
        return default;
    }
}
