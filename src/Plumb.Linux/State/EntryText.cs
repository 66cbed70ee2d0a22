using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>Entries in the words of <c>ip</c>, <c>bridge</c> and <c>sysctl</c>: what a person would type to make them.</summary>
internal static class EntryText
{
    public static string Print(LinkEntry link)
    {
        var text = new StringBuilder("link ").Append(link.Name).Append(" type ").Append(link.Type.KindName);
        switch (link.Type)
        {
            case LinkType.Veth { PeerName: not null } veth:
                text.Append(" peer ").Append(veth.PeerName);
                Append(text, " netns ", veth.PeerNamespace?.Name);
                break;
            case LinkType.Vxlan vxlan:
                text.Append(" id ").Append(vxlan.Vni);
                Append(text, " dstport ", vxlan.Port?.ToString());
                Append(text, " local ", vxlan.Local?.ToString());
                Append(text, " dev ", vxlan.Device);
                AppendSwitch(text, vxlan.Learning, " learning", " nolearning");
                Append(text, " gso_max_segs ", vxlan.GsoMaxSegments?.ToString());
                break;
            case LinkType.Bridge bridge:
                AppendSwitch(text, bridge.SpanningTree, " stp_state 1", " stp_state 0");
                AppendSwitch(text, bridge.MulticastSnooping, " mcast_snooping 1", " mcast_snooping 0");
                AppendSwitch(text, bridge.VlanFiltering, " vlan_filtering 1", " vlan_filtering 0");
                break;
            case LinkType.IpTunnel tunnel:
                Append(text, " remote ", tunnel.Remote?.ToString());
                Append(text, " local ", tunnel.Local?.ToString());
                Append(text, " dev ", tunnel.Device);
                Append(text, " ttl ", tunnel.TimeToLive?.ToString());
                Append(text, " key ", tunnel.Key?.ToString());
                break;
            case LinkType.Wireguard wireguard:
                Append(text, " listen-port ", wireguard.ListenPort?.ToString());
                break;
            case LinkType.Stacked stacked:
                Append(text, " link ", stacked.LowerName);
                Append(text, " netns ", stacked.LowerNamespace?.Name);
                Append(text, stacked is LinkType.Vlan ? " id " : " mode ", stacked.Detail);
                break;
            default:
                break;
        }
        Append(text, " address ", link.Mac?.ToString());
        Append(text, " mtu ", link.MtuBytes?.ToString());
        if (link.Master is { } master)
        {
            text.Append(master.Length == 0 ? " nomaster" : " master " + master);
        }
        AppendSwitch(text, link.NoAutomaticAddress, " addrgenmode none", "");
        AppendSwitch(text, link.Up, " up", " down");
        if (link.Port is { } port)
        {
            AppendOnOff(text, " learning", port.Learning);
            AppendOnOff(text, " flood", port.Flood);
            AppendOnOff(text, " mcast_flood", port.MulticastFlood);
            AppendOnOff(text, " bcast_flood", port.BroadcastFlood);
            AppendOnOff(text, " hairpin", port.Hairpin);
            AppendOnOff(text, " isolated", port.Isolated);
            AppendOnOff(text, " neigh_suppress", port.NeighbourSuppression);
        }
        return text.ToString();
    }

    public static string Print(AddressEntry address)
    {
        var text = new StringBuilder("addr ").Append(address.Address).Append(" dev ").Append(address.Device);
        Append(text, " scope ", address.Scope is { } scope ? ScopeName(scope) : null);
        AppendSwitch(text, address.NoDuplicateDetection, " nodad", "");
        AppendSwitch(text, address.NoPrefixRoute, " noprefixroute", "");
        Append(text, " proto ", address.Protocol is { Number: not 0 } protocol ? protocol.ToString() : null);
        return text.ToString();
    }

    public static string Print(RouteEntry route)
    {
        var text = new StringBuilder("route ");
        if (route.Type != RouteType.Unicast)
        {
            text.Append(route.Type.ToString().ToLowerInvariant()).Append(' ');
        }
        text.Append(route.Destination.Length == 0
            ? (route.Destination.Family == IpFamily.V4 ? "default" : "::/0")
            : route.Destination.IsHost ? route.Destination.Address.ToString() : route.Destination.ToString());
        foreach (var hop in route.NextHops)
        {
            text.Append(route.NextHops.Count > 1 ? " nexthop" : "");
            Append(text, hop.Gateway is { } g && g.Family != route.Destination.Family ? " via inet6 " : " via ", hop.Gateway?.ToString());
            Append(text, " dev ", hop.Device);
            Append(text, " weight ", route.NextHops.Count > 1 ? hop.Weight.ToString() : null);
            text.Append(hop.OnLink ? " onlink" : "");
        }
        Append(text, " table ", route.Table == RouteTable.Main ? null : route.Table.ToString());
        text.Append(" proto ").Append(route.Protocol);
        Append(text, " scope ", route.Scope == RouteScope.Universe ? null : ScopeName(route.Scope));
        Append(text, " src ", route.PreferredSource?.ToString());
        Append(text, " metric ", route.Metric == 0 ? null : route.Metric.ToString());
        Append(text, " tos ", route.Tos == 0 ? null : $"0x{route.Tos:x2}");
        Append(text, " mtu ", route.MtuBytes?.ToString());
        return text.ToString();
    }

    public static string Print(RuleEntry rule)
    {
        // `ip rule` does not tell the families apart: one lists one of them.
        var text = new StringBuilder(rule.Family == IpFamily.V4 ? "rule " : "rule inet6 ").Append(rule.Priority).Append(':').Append(rule.Not ? " not" : "");
        text.Append(" from ").Append(rule.Source is { } source ? Short(source) : "all");
        Append(text, " to ", rule.Destination is { } destination ? Short(destination) : null);
        Append(text, " fwmark ", rule.Mark?.ToString());
        Append(text, " iif ", rule.InputDevice);
        Append(text, " oif ", rule.OutputDevice);
        text.Append(rule.Action == RuleAction.ToTable ? $" lookup {rule.Table}" : " " + rule.Action.ToString().ToLowerInvariant());
        Append(text, " proto ", rule.Protocol == RouteProtocol.Unspecified ? null : rule.Protocol.ToString());
        return text.ToString();
    }

    public static string Print(NeighbourEntry neighbour)
    {
        var text = new StringBuilder("neigh ").Append(neighbour.Proxy ? "proxy " : "").Append(neighbour.Address).Append(" dev ").Append(neighbour.Device);
        Append(text, " lladdr ", neighbour.Mac?.ToString());
        Append(text, " nud ", neighbour.Proxy ? null : neighbour.State.ToString().ToLowerInvariant());
        Append(text, " proto ", neighbour.Protocol == RouteProtocol.Unspecified ? null : neighbour.Protocol.ToString());
        return text.ToString();
    }

    public static string Print(FdbEntry entry)
    {
        var text = new StringBuilder("fdb ").Append(entry.Mac).Append(" dev ").Append(entry.Device);
        Append(text, " dst ", entry.Remote?.ToString());
        Append(text, " vlan ", entry.Vlan == 0 ? null : entry.Vlan.ToString());
        text.Append(entry.OfMaster ? " master" : " self");
        text.Append(entry.State switch
        {
            NeighbourState.NoArp => " static",
            NeighbourState.Permanent => " permanent",
            _ => " dynamic",
        });
        Append(text, " proto ", entry.Protocol == RouteProtocol.Unspecified ? null : entry.Protocol.ToString());
        return text.ToString();
    }

    public static string Print(SysctlEntry sysctl) => $"sysctl {sysctl.Path} = {sysctl.Value}";

    private static string Short(IpPrefix prefix) => prefix.IsHost ? prefix.Address.ToString() : prefix.ToString();

    private static string ScopeName(RouteScope scope) => scope == RouteScope.Universe ? "global" : scope.ToString().ToLowerInvariant();

    private static void Append(StringBuilder text, string word, string? value)
    {
        if (value is not null)
        {
            text.Append(word).Append(value);
        }
    }

    private static void AppendSwitch(StringBuilder text, bool? value, string whenOn, string whenOff)
    {
        if (value is { } stated)
        {
            text.Append(stated ? whenOn : whenOff);
        }
    }

    private static void AppendOnOff(StringBuilder text, string word, bool? value)
    {
        if (value is { } stated)
        {
            text.Append(word).Append(stated ? " on" : " off");
        }
    }
}
