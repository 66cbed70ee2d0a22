using Plumb.Linux.State;

namespace Plumb.Diagnosis.Explain;

/// <summary>What the kernel makes by itself, and why.</summary>
internal static class KernelsOwn
{
    // net/ipv4/ip_tunnel.c and its like: a module's first device in each namespace, made when the module is there.
    private static readonly HashSet<string> FallbackDevices =
        ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];

    /// <summary>What <see cref="Ownership"/> cannot know from a mark: the kernel leaves none on these.</summary>
    public static bool IsKernels(Entry entry) => entry switch
    {
        LinkEntry link => FallbackDevices.Contains(link.Name),
        // fib_default_rules_init: the three rules that every namespace is born with.
        RuleEntry { Source: null, Destination: null, Mark: null } rule =>
            (rule.Priority == 0 && rule.Table == RouteTable.Local)
            || (rule.Priority == 32766 && rule.Table == RouteTable.Main)
            || (rule.Priority == 32767 && rule.Table == RouteTable.Default),
        _ => false,
    };

    public static string Reason(Entry entry) => "the kernel's own: " + entry switch
    {
        LinkEntry { Type: LinkType.Loopback } => "every namespace is born with a loopback",
        LinkEntry => "a tunnel module's fallback device",
        AddressEntry { Address.Address.IsLoopback: true } => "a loopback's address",
        AddressEntry => "a link-local address, made from the MAC when the link came up",
        RouteEntry route when route.Table == RouteTable.Local => $"follows an address of {Device(route)}",
        RouteEntry { Destination.Address.IsMulticast: true } route => $"multicast on {Device(route)}",
        RouteEntry route => $"connected route: follows an address of {Device(route)}",
        RuleEntry => "a rule that every namespace is born with",
        NeighbourEntry neighbour => neighbour.State.HasFlag(NeighbourState.NoArp) ? "needs no resolving" : "resolved when a packet went there",
        FdbEntry fdb => fdb.Mac.IsMulticast ? "a multicast group that the device listens to"
            : fdb.State.HasFlag(NeighbourState.Permanent) ? "a port's own address"
            : "learned from a frame",
        _ => "made with its table",
    };

    private static string Device(RouteEntry route) => route.NextHops.Count > 0 && route.NextHops[0].Device is { } device ? device : "a device";
}
