using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>How packets get from one node's pods to another's.</summary>
public enum OverlayKind
{
    Vxlan = 1,
    Routed,
}

/// <summary>What serves ClusterIPs and node ports on nodes.</summary>
public enum ServicesKind
{
    /// <summary>Plumb's own program of constant size.</summary>
    Nftables = 1,

    /// <summary>Nothing of Plumb's: the cluster has a proxy of its own, or none.</summary>
    None,

    /// <summary>The chains of kube-proxy, written through iptables-restore.</summary>
    Iptables,
}

/// <summary>What people may choose about a cluster's network; the same on every node. Defaults are those of DESIGN, section 5.</summary>
public sealed record NetworkOptions
{
    public static NetworkOptions Default { get; } = new();

    public OverlayKind Overlay { get; init; } = OverlayKind.Vxlan;

    public ServicesKind Services { get; init; } = ServicesKind.Nftables;

    /// <summary>The ranges that all pods' addresses are from, one of each family at most.</summary>
    public ValueList<IpPrefix> ClusterRanges { get; init; } = [IpPrefix.Parse("10.244.0.0/16")];

    /// <summary>The ranges that ClusterIPs are from, one of each family at most.</summary>
    public ValueList<IpPrefix> ServiceRanges { get; init; } = [IpPrefix.Parse("10.96.0.0/12")];

    /// <summary>Service addresses at which every node answers DNS itself, one of each family at most; empty: somebody else does.</summary>
    public ValueList<IpAddress> DnsServers { get; init; }

    /// <summary>24 bits.</summary>
    public int VxlanVni { get; init; } = 1;

    /// <summary>UDP, host order. Flannel's and Linux's own; IANA's is 4789.</summary>
    public int VxlanPort { get; init; } = 8472;

    /// <summary>MTU of pods in bytes where somebody knows better than the computation; null: computed.</summary>
    public int? PodMtuBytes { get; init; }
}
