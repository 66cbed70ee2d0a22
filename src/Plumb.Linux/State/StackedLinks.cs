using System.Text.Json.Serialization;

namespace Plumb.Linux.State;

public abstract partial record LinkType
{
    /// <summary>A device that sits on another one, which may be in another namespace. Plumb reads such devices and makes none.</summary>
    /// <param name="LowerNamespace">Where the device below is; null when that is a namespace that the observer does not know.</param>
    /// <param name="LowerName">The name of the device below, there; null when not known.</param>
    public abstract record Stacked(NamespaceId? LowerNamespace, string? LowerName) : LinkType
    {
        /// <summary>Mode or number, as <c>ip -d link</c> shows it.</summary>
        [JsonIgnore]
        public abstract string Detail { get; }
    }

    /// <summary>A second hardware address on a device (<c>drivers/net/macvlan.c</c>).</summary>
    public sealed record Macvlan(MacvlanMode Mode, NamespaceId? LowerNamespace, string? LowerName) : Stacked(LowerNamespace, LowerName)
    {
        [JsonIgnore]
        public override string KindName => "macvlan";

        [JsonIgnore]
        public override string Detail => Mode.ToString().ToLowerInvariant();
    }

    /// <summary>More addresses of IP on a device with one hardware address (<c>drivers/net/ipvlan</c>).</summary>
    public sealed record Ipvlan(IpvlanMode Mode, IpvlanFlags Flags, NamespaceId? LowerNamespace, string? LowerName) : Stacked(LowerNamespace, LowerName)
    {
        [JsonIgnore]
        public override string KindName => "ipvlan";

        [JsonIgnore]
        public override string Detail => Mode.ToString().ToLowerInvariant() + (Flags == IpvlanFlags.None ? " bridge" : " " + Flags.ToString().ToLowerInvariant());
    }

    /// <summary>The frames of a device that bear a tag (IEEE 802.1Q).</summary>
    /// <param name="Id">12 bits.</param>
    public sealed record Vlan(int Id, NamespaceId? LowerNamespace, string? LowerName) : Stacked(LowerNamespace, LowerName)
    {
        [JsonIgnore]
        public override string KindName => "vlan";

        [JsonIgnore]
        public override string Detail => $"{Id}";
    }
}

/// <summary>Whom a macvlan speaks to directly (MACVLAN_MODE_*).</summary>
public enum MacvlanMode
{
    /// <summary>To nobody on the same device.</summary>
    Private = 1,

    /// <summary>To those on the same device through a switch that sends frames back.</summary>
    Vepa = 2,

    Bridge = 4,

    /// <summary>The only one on its device: it has all its frames.</summary>
    Passthru = 8,

    /// <summary>Frames from given hardware addresses.</summary>
    Source = 16,
}

/// <summary>IPVLAN_MODE_*</summary>
public enum IpvlanMode
{
    L2 = 0,

    /// <summary>Packets are routed by the namespace of the device below.</summary>
    L3 = 1,

    /// <summary>As <see cref="L3"/>, and meet its rules also when they come in.</summary>
    L3s = 2,
}

/// <summary>IPVLAN_F_*</summary>
[Flags]
public enum IpvlanFlags
{
    None = 0,
    Private = 1,
    Vepa = 2,
}
