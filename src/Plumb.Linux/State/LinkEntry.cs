using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>A network device (<c>ip link</c>). Its key is its name within its namespace.</summary>
public sealed record LinkEntry(NamespaceId Namespace, string Name, LinkType Type) : Entry(Namespace)
{
    public MacAddress? Mac { get; init; }

    /// <summary>Largest layer-3 packet in bytes (IFLA_MTU).</summary>
    public int? MtuBytes { get; init; }

    /// <summary>IFF_UP: what the administrator wants, not whether there is a carrier.</summary>
    public bool? Up { get; init; }

    /// <summary>Name of the bridge (or other master) that this device is a port of; empty: of none.</summary>
    public string? Master { get; init; }

    /// <summary>How the bridge treats this port (IFLA_PROTINFO); null when not stated or not a bridge port.</summary>
    public BridgePort? Port { get; init; }

    /// <summary>True: no IPv6 link-local address is made by the kernel (IN6_ADDR_GEN_MODE_NONE).</summary>
    public bool? NoAutomaticAddress { get; init; }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Link;

    protected override string NaturalKey() => Name;

    public override bool IsSatisfiedBy(Entry observed) =>
        observed is LinkEntry link
        && link.Name == Name
        && Type.IsSatisfiedBy(link.Type)
        && (Mac is null || Mac == link.Mac)
        && (MtuBytes is null || MtuBytes == link.MtuBytes)
        && (Up is null || Up == link.Up)
        && (Master is null || Master == (link.Master ?? ""))
        && (Port is null || (link.Port is not null && Port.IsSatisfiedBy(link.Port)))
        && (NoAutomaticAddress is null || NoAutomaticAddress == link.NoAutomaticAddress);

    public override string Print() => EntryText.Print(this);
}

/// <summary>What kind of device a link is (IFLA_INFO_KIND) with what is particular to the kind; cannot be changed in place unless it says so.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Loopback), "loopback")]
[JsonDerivedType(typeof(Veth), "veth")]
[JsonDerivedType(typeof(Bridge), "bridge")]
[JsonDerivedType(typeof(Vxlan), "vxlan")]
[JsonDerivedType(typeof(Ifb), "ifb")]
[JsonDerivedType(typeof(Macvlan), "macvlan")]
[JsonDerivedType(typeof(Ipvlan), "ipvlan")]
[JsonDerivedType(typeof(Vlan), "vlan")]
[JsonDerivedType(typeof(IpTunnel), "iptunnel")]
[JsonDerivedType(typeof(Wireguard), "wireguard")]
[JsonDerivedType(typeof(Other), "other")]
public abstract partial record LinkType
{
    /// <summary>IFLA_INFO_KIND as the kernel spells it; <c>loopback</c> and <c>device</c> for links that have none.</summary>
    [JsonIgnore]
    public abstract string KindName { get; }

    public virtual bool IsSatisfiedBy(LinkType observed) => Equals(observed);

    /// <summary>The device <c>lo</c>, which every namespace is born with.</summary>
    public sealed record Loopback : LinkType
    {
        [JsonIgnore]
        public override string KindName => "loopback";
    }

    /// <summary>One end of a veth pair. Creating either end creates both; removing either removes both.</summary>
    /// <param name="PeerNamespace">Where the other end is; null when it is in a namespace that the observer does not know.</param>
    /// <param name="PeerName">The other end's name there; null when not known.</param>
    public sealed record Veth(NamespaceId? PeerNamespace, string? PeerName) : LinkType
    {
        [JsonIgnore]
        public override string KindName => "veth";

        public override bool IsSatisfiedBy(LinkType observed) =>
            observed is Veth veth
            && (PeerNamespace is null || PeerNamespace == veth.PeerNamespace)
            && (PeerName is null || PeerName == veth.PeerName);
    }

    /// <summary>A bridge. Times are in the kernel's unit, 1/100 s, and not stated here.</summary>
    public sealed record Bridge : LinkType
    {
        [JsonIgnore]
        public override string KindName => "bridge";

        /// <summary>IFLA_BR_STP_STATE</summary>
        public bool? SpanningTree { get; init; }

        /// <summary>IFLA_BR_MCAST_SNOOPING</summary>
        public bool? MulticastSnooping { get; init; }

        /// <summary>IFLA_BR_VLAN_FILTERING</summary>
        public bool? VlanFiltering { get; init; }

        public override bool IsSatisfiedBy(LinkType observed) =>
            observed is Bridge bridge
            && (SpanningTree is null || SpanningTree == bridge.SpanningTree)
            && (MulticastSnooping is null || MulticastSnooping == bridge.MulticastSnooping)
            && (VlanFiltering is null || VlanFiltering == bridge.VlanFiltering);
    }

    /// <summary>A VXLAN tunnel device (RFC 7348).</summary>
    /// <param name="Vni">VXLAN network identifier, 24 bits (IFLA_VXLAN_ID).</param>
    public sealed record Vxlan(int Vni) : LinkType
    {
        [JsonIgnore]
        public override string KindName => "vxlan";

        /// <summary>UDP destination port in host order (IFLA_VXLAN_PORT carries it big-endian).</summary>
        public int? Port { get; init; }

        /// <summary>Source address of outer packets (IFLA_VXLAN_LOCAL, _LOCAL6).</summary>
        public IpAddress? Local { get; init; }

        /// <summary>Name of the device that outer packets leave by (IFLA_VXLAN_LINK).</summary>
        public string? Device { get; init; }

        /// <summary>IFLA_VXLAN_LEARNING</summary>
        public bool? Learning { get; init; }

        /// <summary>How many segments of a stream may enter in one piece (IFLA_GSO_MAX_SEGS); null: as many as devices have by default.</summary>
        public int? GsoMaxSegments { get; init; }

        public override bool IsSatisfiedBy(LinkType observed) =>
            observed is Vxlan vxlan
            && Vni == vxlan.Vni
            && (Port is null || Port == vxlan.Port)
            && (Local is null || Local == vxlan.Local)
            && (Device is null || Device == vxlan.Device)
            && (Learning is null || Learning == vxlan.Learning)
            && (GsoMaxSegments is null || GsoMaxSegments == vxlan.GsoMaxSegments);
    }

    /// <summary>A device that is nothing but a queue: what a filter sends there goes on where it was taken from (<c>drivers/net/ifb.c</c>).</summary>
    public sealed record Ifb : LinkType
    {
        [JsonIgnore]
        public override string KindName => "ifb";
    }

    /// <summary>A kind that Plumb reads but does not make (dummy, bond, a physical device …), and of which it knows no more than the name.</summary>
    public sealed record Other(string Name) : LinkType
    {
        [JsonIgnore]
        public override string KindName => Name;
    }
}

/// <summary>A bridge port's switches (IFLA_BRPORT_*, <c>bridge -d link</c>); null: not stated.</summary>
public sealed record BridgePort
{
    public bool? Learning { get; init; }

    /// <summary>Unknown unicast is sent to this port (IFLA_BRPORT_UNICAST_FLOOD).</summary>
    public bool? Flood { get; init; }

    public bool? MulticastFlood { get; init; }

    public bool? BroadcastFlood { get; init; }

    /// <summary>A frame may leave by the port it came in by (IFLA_BRPORT_MODE).</summary>
    public bool? Hairpin { get; init; }

    /// <summary>Isolated ports do not see one another (IFLA_BRPORT_ISOLATED).</summary>
    public bool? Isolated { get; init; }

    public bool? NeighbourSuppression { get; init; }

    public bool IsSatisfiedBy(BridgePort observed) =>
        (Learning is null || Learning == observed.Learning)
        && (Flood is null || Flood == observed.Flood)
        && (MulticastFlood is null || MulticastFlood == observed.MulticastFlood)
        && (BroadcastFlood is null || BroadcastFlood == observed.BroadcastFlood)
        && (Hairpin is null || Hairpin == observed.Hairpin)
        && (Isolated is null || Isolated == observed.Isolated)
        && (NeighbourSuppression is null || NeighbourSuppression == observed.NeighbourSuppression);
}
