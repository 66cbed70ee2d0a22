using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Ipset;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>The match <c>set</c>: whether a packet is in a set of ip_set, as <c>ip_set_test</c> looks for it.</summary>
internal static class SetMatch
{
    /// <param name="directions"><c>src</c> or <c>dst</c> for each part of the set's type, by commas.</param>
    /// <returns>As <see cref="Condition"/>.</returns>
    public static double? Test(XtPacket p, string name, string directions)
    {
        if (p.Place.Sets is not { } sets || sets(name) is not { } set)
        {
            return null;
        }
        var isSource = Array.ConvertAll(directions.Split(','), static word => word == "src");
        return set.Type == "list:set" ? TestList(p, set, sets, directions) : Test(p, set, isSource) is { } yes ? (yes ? 1 : 0) : null;
    }

    // ip_set_test of list:set: the first that has it.
    private static double? TestList(XtPacket p, IpSet list, Func<string, IpSet?> sets, string directions)
    {
        foreach (var member in list.Members)
        {
            // A set of the other family has nothing of this packet.
            if (member.Set is { } name && (sets(name) is not { Family: { } family } || family == p.Packet.Family) && Test(p, name, directions) is not 0)
            {
                return Test(p, name, directions);
            }
        }
        return 0;
    }

    private static bool? Test(XtPacket p, IpSet set, bool[] isSource)
    {
        var parts = set.Type[(set.Type.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(',');
        if (set.Family is { } family && family != p.Packet.Family)
        {
            return false;
        }
        if (parts.Length > isSource.Length || !Array.TrueForAll(parts, static part => part is "ip" or "net" or "port" or "iface" or "mark"))
        {
            return null;
        }
        // bitmap:port knows two protocols; hash types keep the protocol with the port.
        if (set.Type == "bitmap:port" && p.Packet.Protocol is not (Packet.Tcp or Packet.Udp))
        {
            return false;
        }
        IpSetMember? best = null;
        foreach (var member in set.Members)
        {
            if (Covers(p, set, member, parts, isSource) is not { } covers)
            {
                return null;
            }
            // Longer prefixes are asked first, and the first that fits decides.
            if (covers && (best is null || Worth(member).CompareTo(Worth(best)) > 0))
            {
                best = member;
            }
        }
        return best is { IsException: false };
    }

    private static (int, int) Worth(IpSetMember member) => (member.Length ?? 128, member.Length2 ?? 128);

    private static bool? Covers(XtPacket p, IpSet set, IpSetMember member, string[] parts, bool[] isSource)
    {
        var addresses = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            var fits = parts[i] switch
            {
                "port" => IsPort(p.Packet, member, isSource[i]),
                "iface" => member.IsBridgePort ? (bool?)null : member.Device == (isSource[i] ? p.Place.InDevice : p.Place.OutDevice),
                "mark" => member.Mark == (p.Packet.Mark & set.MarkMask),
                _ => IsWithin(isSource[i] ? p.Packet.Source : p.Packet.Destination, set, member, addresses++ == 0),
            };
            if (fits is not true)
            {
                return fits;
            }
        }
        return true;
    }

    private static bool IsWithin(IpAddress address, IpSet set, IpSetMember member, bool isFirst)
    {
        var (stored, length) = isFirst ? (member.Address, member.Length) : (member.Address2, member.Length2);
        return stored is { } network && network.Family == address.Family
            && new IpPrefix(network, Math.Min(length ?? network.BitLength, set.NetmaskLength ?? network.BitLength)).Contains(address);
    }

    // ip_set_get_ip4_port
    private static bool IsPort(Packet packet, IpSetMember member, bool isSource)
    {
        var port = packet.Message is { } message ? (ushort)((message.Type << 8) | message.Code) : isSource ? packet.SourcePort : packet.DestinationPort;
        return member.Port == port && (member.Protocol is not { } protocol || protocol == packet.Protocol);
    }
}
