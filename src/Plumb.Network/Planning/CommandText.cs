using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Network.Planning;

/// <summary>
/// A plan as the commands of <c>ip</c>, <c>bridge</c>, <c>sysctl</c> and <c>iptables</c> that make it, in an order that works: what a person would type into
/// each namespace's shell. Another namespace is named as <c>ip link … netns</c> takes it: a name below /run/netns, or a path.
/// </summary>
public static class CommandText
{
    // As the applier's: links, then parameters of theirs, then what hangs on them.
    private static readonly EntryKind[] _afterLinks =
        [EntryKind.Sysctl, EntryKind.Link, EntryKind.Address, EntryKind.Neighbour, EntryKind.Fdb, EntryKind.Route, EntryKind.Rule, EntryKind.Qdisc, EntryKind.Filter];

    /// <summary>All of it but nftables, which <c>nft -f</c> loads as a whole.</summary>
    public static string Print(DesiredIndex index, NamespaceId home)
    {
        var text = new StringBuilder();
        foreach (var (place, commands) in Sections(index, home))
        {
            text.Append(text.Length == 0 ? "" : "\n").Append("# in ").Append(place.Name).Append('\n');
            foreach (var command in commands)
            {
                text.Append(command).Append('\n');
            }
        }
        return text.ToString();
    }

    /// <summary>Commands by the namespace that they are typed in: the node first, because pods' devices are made from there.</summary>
    public static IEnumerable<(NamespaceId Place, IReadOnlyList<string> Commands)> Sections(DesiredIndex index, NamespaceId home)
    {
        ArgumentNullException.ThrowIfNull(index);
        var made = new HashSet<(NamespaceId, string)>();
        foreach (var place in PlanText.Sorted(index).GroupBy(static desired => desired.Entry.Namespace).OrderBy(group => group.Key != home))
        {
            var commands = new List<string>();
            // A VXLAN device stands on another one.
            foreach (var desired in place.OrderBy(static desired => desired.Entry is LinkEntry { Type: LinkType.Vxlan }))
            {
                if (desired.Entry is LinkEntry link && Make(link, made) is { } command)
                {
                    commands.Add(command);
                }
            }
            foreach (var kind in _afterLinks)
            {
                foreach (var desired in place.OrderBy(static desired => desired.Entry is RouteEntry { NeedsWayToGateway: true }))
                {
                    if (desired.Entry.Kind == kind)
                    {
                        commands.AddRange(Set(desired));
                    }
                }
            }
            commands.AddRange(Rules(place));
            yield return (place.Key, commands);
        }
    }

    // Chains before the rules that jump to them; each way in at the head, the first of them last.
    private static IEnumerable<string> Rules(IEnumerable<Desired> place)
    {
        var entries = place.Select(static desired => desired.Entry).Where(static entry => IptablesKernel.Handles(entry.Kind)).ToList();
        var chains = entries.OfType<IptablesChainEntry>().ToList();
        return chains.Select(static chain => $"{chain.Table.Command} -N {chain.Name}")
            .Concat(chains.SelectMany(static chain => chain.Rules.Select(rule => $"{chain.Table.Command} -A {chain.Name} {rule}")))
            .Concat(entries.OfType<IptablesRuleEntry>().OrderByDescending(static rule => rule.Order).Select(static rule => $"{rule.Table.Command} -I {rule.Chain} {rule.Text}"));
    }

    private static string? Make(LinkEntry link, HashSet<(NamespaceId, string)> made)
    {
        if (link.Type is LinkType.Loopback || !made.Add((link.Namespace, link.Name)))
        {
            return null;
        }
        var text = new StringBuilder("ip link add name ").Append(link.Name).Append(" type ").Append(link.Type.KindName);
        switch (link.Type)
        {
            case LinkType.Veth { PeerName: { } peer } veth:
                made.Add((veth.PeerNamespace ?? link.Namespace, peer));
                text.Append(" peer name ").Append(peer);
                Append(text, " netns ", veth.PeerNamespace?.Name);
                break;
            case LinkType.Bridge bridge:
                Append(text, " stp_state ", Digit(bridge.SpanningTree));
                Append(text, " mcast_snooping ", Digit(bridge.MulticastSnooping));
                // A kernel built without VLAN filtering refuses even to be told not to do it.
                Append(text, " vlan_filtering ", bridge.VlanFiltering is true ? "1" : null);
                break;
            case LinkType.Vxlan vxlan:
                text.Append(" id ").Append(vxlan.Vni);
                Append(text, " dstport ", vxlan.Port?.ToString());
                Append(text, " local ", vxlan.Local?.ToString());
                Append(text, " dev ", vxlan.Device);
                Append(text, " ", vxlan.Learning is { } learns ? (learns ? "learning" : "nolearning") : null);
                break;
            default:
                break;
        }
        return text.ToString();
    }

    private static IEnumerable<string> Set(Desired desired) => desired.Entry switch
    {
        LinkEntry link => Set(link, desired.Stamp),
        // ip 6.1 has no word for IFA_PROTO.
        AddressEntry address => ["ip addr add " + Words(address with { Protocol = null })],
        NeighbourEntry neighbour => ["ip neigh replace " + Words(neighbour)],
        FdbEntry entry => ["bridge fdb replace " + Words(entry)],
        RouteEntry route => [$"ip{Family(route.Destination.Family)} route add {Words(route)}"],
        RuleEntry rule => [$"ip{Family(rule.Family)} rule add pref {rule.Priority}{AfterColon(Words(rule))}"],
        QdiscEntry qdisc => [$"tc qdisc add dev {qdisc.Device} {qdisc.Discipline}"],
        FilterEntry filter => [$"tc filter add {Words(filter)}"],
        SysctlEntry sysctl => [$"sysctl -w {sysctl.Path}={Quoted(sysctl.Value)}"],
        _ => [],
    };

    private static IEnumerable<string> Set(LinkEntry link, Stamp? stamp)
    {
        var text = new StringBuilder("ip link set dev ").Append(link.Name);
        var bare = text.Length;
        Append(text, " address ", link.Mac?.ToString());
        Append(text, " mtu ", link.MtuBytes?.ToString());
        Append(text, " gso_max_segs ", (link.Type as LinkType.Vxlan)?.GsoMaxSegments?.ToString());
        Append(text, link.Master is "" ? " nomaster" : " master ", link.Master);
        Append(text, " addrgenmode ", link.NoAutomaticAddress is true ? "none" : null);
        Append(text, " alias ", stamp is { } alias ? Quoted(alias.Text) : null);
        Append(text, " ", link.Up is { } up ? (up ? "up" : "down") : null);
        if (text.Length > bare)
        {
            yield return text.ToString();
        }
        if (link.Port is { } port)
        {
            yield return Set(link.Name, port);
        }
    }

    private static string Set(string device, BridgePort port)
    {
        var text = new StringBuilder("bridge link set dev ").Append(device);
        Append(text, " learning ", OnOff(port.Learning));
        Append(text, " flood ", OnOff(port.Flood));
        Append(text, " mcast_flood ", OnOff(port.MulticastFlood));
        Append(text, " bcast_flood ", OnOff(port.BroadcastFlood));
        Append(text, " hairpin ", OnOff(port.Hairpin));
        Append(text, " isolated ", OnOff(port.Isolated));
        Append(text, " neigh_suppress ", OnOff(port.NeighbourSuppression));
        return text.ToString();
    }

    // What is shown is the object's word and then what is typed after the verb: `route 10.0.0.0/8 via …`.
    private static string Words(Entry entry)
    {
        var printed = entry.Print();
        return printed[(printed.IndexOf(' ', StringComparison.Ordinal) + 1)..];
    }

    private static string AfterColon(string words) => words[(words.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static string Family(IpFamily family) => family == IpFamily.V4 ? "" : " -6";

    private static string? Digit(bool? value) => value is { } stated ? (stated ? "1" : "0") : null;

    private static string? OnOff(bool? value) => value is { } stated ? (stated ? "on" : "off") : null;

    private static string Quoted(string text) =>
        text.All(static c => char.IsAsciiLetterOrDigit(c)) ? text : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static void Append(StringBuilder text, string word, string? value)
    {
        if (value is not null)
        {
            text.Append(word).Append(value);
        }
    }
}
