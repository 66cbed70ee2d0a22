using Plumb.Linux.Iptables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Explain;

/// <summary>Programs besides Plumb and the kernel that write to network namespaces, by the marks that they leave.</summary>
internal static class KnownWriters
{
    private const string LabPrefix = "plumb-lab:";

    // By the beginning of a device's name. Names are no proof; they say who would be asked.
    private static readonly (string Prefix, string Who)[] Devices =
    [
        ("docker", "Docker's bridge"),
        ("br-", "a Docker network's bridge"),
        ("virbr", "libvirt's bridge"),
        ("flannel.", "Flannel's overlay"),
        ("cali", "Calico: a pod's device"),
        ("vxlan.calico", "Calico's overlay"),
        ("cilium_", "Cilium"),
        ("lxc", "Cilium or LXC: a container's device"),
        ("weave", "Weave Net's bridge"),
        ("kube-ipvs0", "kube-proxy in IPVS mode"),
        ("kube-bridge", "kube-router's bridge"),
        ("nodelocaldns", "NodeLocal DNSCache"),
        ("podman", "Podman's bridge"),
        ("wg", "WireGuard"),
        ("tailscale", "Tailscale"),
    ];

    private static readonly Dictionary<byte, string> Protocols = new()
    {
        [9] = "a router's advertisement",
        [11] = "the routing daemon Zebra",
        [12] = "the routing daemon BIRD (also Calico's)",
        [16] = "a DHCP client",
        [80] = "Calico's Felix",
        [186] = "a BGP daemon",
        [188] = "an OSPF daemon",
    };

    // By the beginning of a table's or chain's name.
    private static readonly (string Prefix, string Who)[] Chains =
    [
        ("kube-proxy", "kube-proxy"),
        ("KUBE-", "kube-proxy or kubelet"),
        ("cali-", "Calico"),
        ("CILIUM_", "Cilium"),
        ("FLANNEL-", "Flannel"),
        ("WEAVE", "Weave Net"),
        ("CNI-", "the CNI reference plugins"),
        ("DOCKER", "Docker"),
        ("ISTIO_", "Istio"),
        ("LIBVIRT_", "libvirt"),
        ("firewalld", "firewalld"),
        ("ufw", "ufw"),
    ];

    /// <summary>Whose an entry is; null when no mark is known.</summary>
    public static string? Recognise(Observed held, ObservedState all) => held.Entry switch
    {
        LinkEntry link => OfLink(link, held.Stamp),
        AddressEntry address => OnLink(address, address.Device, all) is { } link ? $"an address of {link}" : null,
        // Not by its device: whoever types a route names one.
        RouteEntry route => OfProtocol(route.Protocol),
        RuleEntry rule => OfProtocol(rule.Protocol),
        NeighbourEntry neighbour => OfProtocol(neighbour.Protocol) ?? (OnLink(neighbour, neighbour.Device, all) is { } link ? $"a neighbour on {link}" : null),
        FdbEntry fdb => OfProtocol(fdb.Protocol) ?? (OnLink(fdb, fdb.Device, all) is { } link ? $"a station behind {link}" : null),
        IptablesRuleEntry rule => RuleText.Target(rule.Text) is { } target && ByPrefix(Chains, target) is { } who ? $"{who}: the way to {target}" : null,
        var nftables => ByPrefix(Chains, nftables.Key.Name.Split(' ').Last()),
    };

    /// <summary>What is known about an entry that nobody known has made.</summary>
    public static string Hint(Entry entry) => entry switch
    {
        RouteEntry { Protocol.Number: 3 } or RuleEntry { Protocol.Number: 3 } => "nobody known: added by hand or by a script (protocol boot)",
        RouteEntry { Protocol.Number: 4 } or RuleEntry { Protocol.Number: 4 } => "nobody known: an administrator's (protocol static)",
        RouteEntry route => $"nobody known: protocol {route.Protocol}",
        LinkEntry => "nobody known: no alias, no name of a program that Plumb knows",
        _ => "nobody known",
    };

    private static string? OfLink(LinkEntry link, Stamp? alias) =>
        alias is { } stamp && stamp.Text.StartsWith(LabPrefix, StringComparison.Ordinal)
            ? $"the lab's: {stamp.Text[LabPrefix.Length..].Trim()}"
            : ByPrefix(Devices, link.Name);

    private static string? OfProtocol(RouteProtocol protocol) =>
        protocol == RouteProtocol.PlumbLab ? "the lab's: how machines on the wire reach one another"
        : Protocols.GetValueOrDefault(protocol.Number);

    /// <summary>Whose the device is that an entry hangs on, when that is somebody known and not Plumb.</summary>
    private static string? OnLink(Entry entry, string device, ObservedState all) =>
        all.Entries.TryGetValue(new EntryKey(entry.Namespace, EntryKind.Link, device), out var link) && link is { Owner: Owner.Foreign, Entry: LinkEntry known }
        && OfLink(known, link.Stamp) is { } who
            ? $"{device} ({who})"
            : null;

    private static string? ByPrefix((string Prefix, string Who)[] table, string name)
    {
        foreach (var (prefix, who) in table)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return who;
            }
        }
        return null;
    }
}
