using Plumb.Linux.State;

namespace Plumb.Diagnosis.Worlds;

/// <summary>
/// The kernel parameters that decide over packets' ways: what a walk may ask for, and so what a snapshot has to hold. Whoever makes a stage ask for
/// another one adds it here; <see cref="Space"/> insists on it.
/// </summary>
public static class WalkParameters
{
    private const string Devices = "net/ipv4/conf/";

    private static readonly string[] OfHost =
    [
        "net/bridge/bridge-nf-call-ip6tables", "net/bridge/bridge-nf-call-iptables", "net/ipv4/icmp_echo_ignore_all", "net/ipv4/icmp_echo_ignore_broadcasts", "net/ipv4/vs/conntrack", "net/ipv6/conf/all/forwarding",
    ];

    private static readonly string[] OfDevice = ["accept_local", "arp_filter", "arp_ignore", "forwarding", "proxy_arp", "route_localnet", "rp_filter", "src_valid_mark"];

    /// <summary>All of them, in a namespace with these links; paths below <c>/proc/sys</c>.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<LinkEntry> links)
    {
        ArgumentNullException.ThrowIfNull(links);
        var paths = new List<string>(OfHost);
        foreach (var device in links.Select(static link => link.Name).Prepend("all"))
        {
            paths.AddRange(OfDevice.Select(name => Devices + device + "/" + name));
        }
        return paths;
    }

    public static bool Includes(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return OfHost.Contains(path)
            || (path.StartsWith(Devices, StringComparison.Ordinal) && OfDevice.Contains(path[(path.LastIndexOf('/') + 1)..]));
    }
}
